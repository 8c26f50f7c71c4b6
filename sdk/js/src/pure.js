// Keeps a plugin pure where JavaScript would ask the system: each question is refused with a sentence, instead of a trap
// or an answer that is the same every time. In a component this comes before the plugin.

function refused(what) {
  return () => {
    throw new Error(
      `a plugin cannot use ${what}: it has no network, clock, timers or randomness. What an event costs comes from the event (as event.time), the settings and the counters`,
    );
  };
}

const now = refused("the clock");
globalThis.Date = new Proxy(Date, {
  apply: now,
  construct: (date, given, made) => (given.length === 0 ? now() : Reflect.construct(date, given, made)),
});
Date.now = now;
Math.random = refused("Math.random");
for (const name of ["fetch", "setTimeout", "setInterval", "queueMicrotask", "performance", "crypto", "Request"]) {
  if (name in globalThis) {
    Object.defineProperty(globalThis, name, { get: refused(name), configurable: true });
  }
}
