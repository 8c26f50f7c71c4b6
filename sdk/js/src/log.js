// Lines for the plugin's author. They appear in the host's log and never influence a price.

let write = (level, message) => globalThis.console.error(`${level}: ${message}`);

// In a component this is the contract's `log`.
export function writeLogTo(writer) {
  write = writer;
}

export const log = {
  debug: (message) => write("debug", String(message)),
  info: (message) => write("info", String(message)),
  warn: (message) => write("warn", String(message)),
  error: (message) => write("error", String(message)),
};
