//! Lines for the plugin's author. They appear in the host's log and never influence a price.

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Of use while writing the plugin.
    Debug,
    /// Of use to know.
    Info,
    /// Something looks wrong.
    Warn,
    /// Something is wrong.
    Error,
}

/// Writes one line to the host's log; to standard error when the plugin runs natively.
pub fn write(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::wasm::write_log(level, message);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{level:?}: {message}");
}

/// Writes a line of use while writing the plugin.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Writes a line of use to know.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Writes a line about something that looks wrong.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Writes a line about something that is wrong.
pub fn error(message: &str) {
    write(Level::Error, message);
}
