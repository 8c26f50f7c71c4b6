//! What a plugin may use. Every number is here, with the reason for its default.

use std::time::Duration;

/// The limits of one plugin instance, of its answers, and of its compilation.
///
/// Fuel is the authority: it counts executed operations, so the same call always burns the same fuel and
/// stops at the same place. Wall-clock time is only a backstop against what fuel does not see.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Fuel for creating an instance. A Rust plugin burns next to none.
    pub start_fuel: u64,
    /// Fuel that any call has whatever its size: parsing the settings costs 1 to 2 million when they are long.
    pub call_fuel: u64,
    /// Fuel for each row more. Tiered pricing burns under a thousand; a loop of 1,000 rows ends after about
    /// 30 million, some tens of milliseconds.
    pub row_fuel: u64,
    /// How long any one call may take by the wall clock; an honest one never gets near. Past it the call is
    /// an infrastructure failure, never a price.
    pub call_time: Duration,
    /// Bytes of all linear memories of an instance together.
    pub memory_bytes: usize,
    /// Entries of a table: a plugin has one for each function whose address is taken.
    pub table_entries: usize,
    /// Bytes of stack that compiled code may use; it runs on the caller's own stack.
    pub stack_bytes: usize,
    /// Instances alive at once, in all threads. One more is an infrastructure failure.
    pub instances: u32,
    /// Rows that any answer may have.
    pub answer_rows: usize,
    /// Rows that an answer may have for each event more.
    pub answer_rows_per_event: usize,
    /// Bytes that the host copies out of an instance in one call: a descriptor with its schema, or messages.
    pub answer_bytes: usize,
    /// Bytes copied out for each event more: some rows of 52 bytes and a message.
    pub answer_bytes_per_event: usize,
    /// Bytes of log lines kept of one instance; further lines are dropped.
    pub log_bytes: usize,
    /// Bytes of a component. JavaScript and Python plugins have 12 to 18 million.
    pub component_bytes: usize,
    /// Bytes of a settings document.
    pub settings_bytes: usize,
    /// How long one component may take to compile when a child process compiles it.
    pub compile_time: Duration,
    /// Bytes of address space of such a child.
    pub compile_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start_fuel: 10_000_000,
            call_fuel: 10_000_000,
            row_fuel: 20_000,
            call_time: Duration::from_secs(5),
            memory_bytes: 64 << 20,
            table_entries: 20_000,
            stack_bytes: 512 << 10,
            instances: 64,
            answer_rows: 64,
            answer_rows_per_event: 16,
            answer_bytes: 1 << 20,
            answer_bytes_per_event: 2 << 10,
            log_bytes: 16 << 10,
            component_bytes: 32 << 20,
            settings_bytes: 256 << 10,
            compile_time: Duration::from_mins(1),
            compile_memory_bytes: 4 << 30,
        }
    }
}

impl Limits {
    /// The most fuel that one call over so many rows may burn.
    pub fn fuel_budget(&self, rows: usize) -> u64 {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.call_fuel.saturating_add(self.row_fuel.saturating_mul(rows))
    }

    /// The most rows that an answer about so many events may have.
    pub fn answer_rows_max(&self, events: usize) -> usize {
        self.answer_rows.saturating_add(self.answer_rows_per_event.saturating_mul(events))
    }

    /// The most bytes that the host copies out of an instance in one call about so many events.
    pub fn answer_bytes_max(&self, events: usize) -> usize {
        self.answer_bytes.saturating_add(self.answer_bytes_per_event.saturating_mul(events))
    }
}
