//! What the host keeps beside an instance: its memory account and its log.

use std::sync::Arc;

use wasmtime::{Engine, ResourceLimiter, Result, Store};

use crate::limits::Limits;
use crate::log::{LogLevel, LogLine, LogSink};

/// The host's side of one instance.
pub(crate) struct State {
    plugin: Arc<str>,
    memory_bytes_max: usize,
    memory_bytes: usize,
    table_entries_max: usize,
    sink: Option<LogSink>,
    log_bytes_left: usize,
    /// Whether the instance was ever refused memory.
    pub(crate) memory_refused: bool,
    /// The last line at level `error`: what a panic said.
    pub(crate) last_error: Option<String>,
}

/// A store with its limits set; fuel and time are set before each call.
pub(crate) fn store(
    engine: &Engine,
    limits: &Limits,
    plugin: Arc<str>,
    sink: Option<LogSink>,
) -> Store<State> {
    let state = State {
        plugin,
        memory_bytes_max: limits.memory_bytes,
        memory_bytes: 0,
        table_entries_max: limits.table_entries,
        sink,
        log_bytes_left: limits.log_bytes,
        memory_refused: false,
        last_error: None,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| state);
    store
}

impl State {
    /// Bytes of all of the instance's memories.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Hands a line on while there is room for it. A panic's message is remembered in any case.
    pub(crate) fn keep(&mut self, level: LogLevel, text: &str) {
        if level == LogLevel::Error {
            self.last_error = Some(prefix(text, ERROR_BYTES).to_owned());
        }
        let kept = prefix(text, self.log_bytes_left);
        if kept.is_empty() {
            return;
        }
        self.log_bytes_left = self.log_bytes_left.saturating_sub(kept.len());
        if let Some(sink) = &self.sink {
            sink(&LogLine { plugin: self.plugin.to_string(), level, message: kept.to_owned() });
        }
    }
}

/// How much of a panic's message is shown.
const ERROR_BYTES: usize = 1 << 10;

fn prefix(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        // The sum over all memories, so that a plugin gains nothing by having several.
        let total = self.memory_bytes.saturating_sub(current).saturating_add(desired);
        let granted = total <= self.memory_bytes_max;
        if granted {
            self.memory_bytes = total;
        } else {
            self.memory_refused = true;
        }
        Ok(granted)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= self.table_entries_max)
    }

    fn instances(&self) -> usize {
        64 // Python has 38 core instances and some for the components around them
    }

    fn memories(&self) -> usize {
        4
    }

    fn tables(&self) -> usize {
        16
    }
}
