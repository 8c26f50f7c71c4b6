//! What a plugin logs: the only thing it may import.

use std::sync::Arc;

use wasmtime::component::{Linker, WasmStr};
use wasmtime::{Result, StoreContextMut, Trap};

use crate::bindings::tollgate::pricing::log::Level;
use crate::contract::LOG_INTERFACE;
use crate::store::State;

/// How much a line matters to the plugin's author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the author at work.
    Debug,
    /// Worth knowing.
    Info,
    /// Looks wrong.
    Warn,
    /// Is wrong; a panic hook writes the panic's message here.
    Error,
}

/// One line a plugin wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The plugin, as `name 1.2.3`; empty while it is being described.
    pub plugin: String,
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// Receives lines as they are written, on the thread that runs the plugin.
pub type LogSink = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// Fuel that a line costs beside one for each byte, so that a plugin which only logs runs dry like any other.
const LINE_FUEL: u64 = 500;

/// Gives the linker the contract's `log`.
///
/// # Errors
/// Never in practice: the name is defined once.
pub(crate) fn link(linker: &mut Linker<State>) -> Result<()> {
    // Not the generated binding: each line has a price in fuel, and only the store knows the fuel.
    linker.instance(LOG_INTERFACE)?.func_wrap("write", write)
}

fn write(mut store: StoreContextMut<'_, State>, (level, message): (Level, WasmStr)) -> Result<()> {
    pay(&mut store, LINE_FUEL)?;
    let text = message.to_str(&store)?.into_owned();
    pay(&mut store, u64::try_from(text.len()).unwrap_or(u64::MAX))?;
    store.data_mut().keep(LogLevel::from(level), &text);
    Ok(())
}

fn pay(store: &mut StoreContextMut<'_, State>, price: u64) -> Result<()> {
    let left = store.get_fuel()?.checked_sub(price);
    store.set_fuel(left.unwrap_or(0))?;
    left.map(|_| ()).ok_or_else(|| Trap::OutOfFuel.into())
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}
