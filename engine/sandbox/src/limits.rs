//! What a plugin may use. Every number is here, with the reason for its default.
//!
//! There are two tiers, told apart by a component's size when it is admitted. What differs between them:
//!
//! | | native | interpreted | |
//! |---|---|---|---|
//! | component | up to 4 MiB | up to 32 MiB | Rust, C and Zig plugins have 0.02 to 0.4 MB; JavaScript has 12, Python 18 |
//! | start fuel | 10 million | 200 million | an interpreter of 38 modules is linked when it starts |
//! | fuel of a call | 10 million | 400 million | settings are read by interpreted code: 5 million when they are short |
//! | fuel of a row more | 20,000 | 2 million | `included-overage` takes 3,400 in Rust, 240,000 in Python, 530,000 in JavaScript |
//! | time of a call | 5 s | 20 s | the fuel above, on a slow and busy machine |
//! | memory | 64 MiB | 128 MiB | an interpreter has 9 to 13 before the plugin has anything |
//! | time to compile | 1 min | 5 min | 8 to 12 s on two cores |
//!
//! A small plugin that is padded to be taken for an interpreted one gains time to waste, and still no more than the
//! host has granted to every interpreted plugin.

use std::time::Duration;

/// The limits of one plugin instance, of its answers, and of its compilation.
///
/// Fuel is the authority: it counts executed operations, so the same call always burns the same fuel and
/// stops at the same place. Wall-clock time is only a backstop against what fuel does not see.
///
/// Fields that depend on the tier are those of the native one; [`Limits::interpreted`] has the others.
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
    /// Entries of a table: a plugin has one for each function whose address is taken. Python has
    /// 5,800 and JavaScript 7,700.
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
    /// Bytes of a component of the native tier. A larger one is of the interpreted tier.
    pub component_bytes: usize,
    /// Bytes of a settings document.
    pub settings_bytes: usize,
    /// How long one component may take to compile when a child process compiles it.
    pub compile_time: Duration,
    /// Bytes of address space of such a child.
    pub compile_memory_bytes: u64,
    /// What an interpreted plugin may use instead.
    pub interpreted: InterpretedLimits,
}

/// What is different for plugins that are an interpreter with a program in it. Each field stands for the field of
/// the same name in [`Limits`].
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the same words as there
pub struct InterpretedLimits {
    pub start_fuel: u64,
    pub call_fuel: u64,
    pub row_fuel: u64,
    pub call_time: Duration,
    pub memory_bytes: usize,
    pub component_bytes: usize,
    pub compile_time: Duration,
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
            component_bytes: 4 << 20,
            settings_bytes: 256 << 10,
            compile_time: Duration::from_mins(1),
            compile_memory_bytes: 4 << 30,
            interpreted: InterpretedLimits {
                start_fuel: 200_000_000,
                call_fuel: 400_000_000,
                row_fuel: 2_000_000,
                call_time: Duration::from_secs(20),
                memory_bytes: 128 << 20,
                component_bytes: 32 << 20,
                compile_time: Duration::from_mins(5),
            },
        }
    }
}

impl Limits {
    /// The limits of a component of so many bytes, whichever tier it is of.
    #[must_use]
    pub fn of_component(&self, bytes: usize) -> Self {
        let mut limits = self.clone();
        if bytes > self.component_bytes {
            let tier = &self.interpreted;
            limits.start_fuel = tier.start_fuel;
            limits.call_fuel = tier.call_fuel;
            limits.row_fuel = tier.row_fuel;
            limits.call_time = tier.call_time;
            limits.memory_bytes = tier.memory_bytes;
            limits.component_bytes = tier.component_bytes;
            limits.compile_time = tier.compile_time;
        }
        limits
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tier_goes_by_size() {
        let limits = Limits::default();
        let native = limits.of_component(limits.component_bytes);
        assert_eq!((native.row_fuel, native.component_bytes), (limits.row_fuel, 4 << 20));
        let interpreted = limits.of_component(limits.component_bytes + 1);
        assert_eq!((interpreted.row_fuel, interpreted.component_bytes), (2_000_000, 32 << 20));
        // Whatever else there is does not depend on the tier.
        assert_eq!(interpreted.answer_bytes, limits.answer_bytes);
    }
}
