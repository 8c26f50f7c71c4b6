//! The one place where wasmtime is configured.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime::{Result, WasmBacktraceDetails};

use crate::limits::Limits;

/// What an engine is for. Both compile to the same code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Only to compile: reserves no address space, so that a child process can be given little.
    Compile,
    /// To run plugins, in slots that are set aside beforehand.
    Run,
}

/// An engine with every setting of the sandbox.
///
/// # Errors
/// When the host cannot reserve the address space.
pub(crate) fn engine(limits: &Limits, purpose: Purpose) -> Result<Engine> {
    let mut config = Config::new();
    // Fuel decides when a plugin has had enough: the same call burns the same fuel on every machine.
    config.consume_fuel(true);
    // The backstop by the wall clock, for what fuel does not see.
    config.epoch_interruption(true);
    // Floats give the same bits on every machine, should a plugin use them in spite of all advice.
    config.cranelift_nan_canonicalization(true);
    // A plugin is called, answers and is gone: bookkeeping for concurrent calls costs 500 ns a call.
    config.concurrency_support(false);
    // A trap names the author's own file and line. The environment has no say in it.
    config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
    // Compiled code runs on the caller's stack, which holds 2 MiB in a thread of Rust's.
    config.max_wasm_stack(limits.stack_bytes);
    deny_proposals(&mut config);
    if purpose == Purpose::Run {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    }
    Engine::new(&config)
}

/// Turns off whatever a pricing plugin does not need: each is something to attack.
fn deny_proposals(config: &mut Config) {
    // Results that depend on the machine.
    config.wasm_relaxed_simd(false);
    // Threads, shared memory and collected references are not compiled into this host at all. More than
    // one memory, 64-bit memories, tail calls and odd pages are not what any plugin compiler emits.
    config.wasm_multi_memory(false);
    config.wasm_memory64(false);
    config.wasm_tail_call(false);
    config.wasm_custom_page_sizes(false);
    config.wasm_wide_arithmetic(false);
}

/// Slots for instances. A fresh instance for each batch is affordable only because a slot is reset, not
/// mapped anew.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    // A component made by wit-component has up to four core instances; one memory and one table do for
    // Rust, JavaScript brings one more table, and Python is linked of 38 modules, most of them stubs for WASI.
    const CORE_INSTANCES: u32 = 48;
    const TABLES: u32 = 4;
    const RESIDENT_BYTES: usize = 2 << 20;
    const TABLE_RESIDENT_BYTES: usize = 256 << 10;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(limits.instances);
    pool.total_core_instances(limits.instances.saturating_mul(CORE_INSTANCES));
    pool.total_memories(limits.instances);
    pool.total_tables(limits.instances.saturating_mul(TABLES));
    pool.max_core_instances_per_component(CORE_INSTANCES);
    pool.max_memories_per_component(1);
    pool.max_tables_per_component(TABLES);
    // Slots are of address space, so the larger tier's size costs the other nothing.
    pool.max_memory_size(limits.memory_bytes.max(limits.interpreted.memory_bytes));
    pool.table_elements(limits.table_entries);
    // Pages a plugin wrote are reset in place rather than returned to the kernel, and the kernel says which
    // they were: a batch of 1,000 events takes 243 µs instead of 340. Without the kernel's word the whole
    // range would be cleared each time, 29 µs for an instance that did nothing.
    pool.linear_memory_keep_resident(RESIDENT_BYTES);
    pool.pagemap_scan(Enabled::Auto);
    // The same for tables: 13 µs an instance become 8.
    pool.table_keep_resident(TABLE_RESIDENT_BYTES);
    pool
}

/// How often the epoch moves on: the grain of [`Limits::call_time`].
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// A thread that moves the engine's epoch on until it is dropped.
pub(crate) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system has no thread left.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (engine, stopped) = (engine.clone(), Arc::clone(&stop));
        let thread = thread::Builder::new().name("tollgate-epoch".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                thread::park_timeout(TICK);
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread cannot panic: it only sleeps and counts.
            drop(thread.join());
        }
    }
}

/// How many ticks a call may take.
pub(crate) fn call_ticks(limits: &Limits) -> u64 {
    let ticks = limits.call_time.as_millis().checked_div(TICK.as_millis()).unwrap_or(1);
    u64::try_from(ticks).unwrap_or(u64::MAX).max(1)
}
