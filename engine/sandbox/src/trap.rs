//! Why a call failed, in words an author can act on: what happened, and in which line of the source.

use wasmtime::{Error, FrameSymbol, Trap, WasmBacktrace};

use crate::limits::Limits;
use crate::store::State;

/// Why a call gave no answer.
#[derive(Debug)]
pub(crate) enum Cause {
    /// The plugin's doing: what happened and where.
    Plugin(String),
    /// The host's: too slow, or no room.
    Host(String),
}

/// Explains a failed call.
pub(crate) fn explain(error: &Error, state: &State, limits: &Limits, fuel: u64, bytes: usize) -> Cause {
    let trap = error.downcast_ref::<Trap>().copied();
    if trap == Some(Trap::Interrupt) {
        let seconds = limits.call_time.as_secs_f32();
        return Cause::Host(format!("took longer than {seconds} s"));
    }
    if error.downcast_ref::<wasmtime::PoolConcurrencyLimitError>().is_some() {
        return Cause::Host(format!("found all of this host's instances in use ({})", limits.instances));
    }
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    let happened = match trap {
        Some(trap) => happened(trap, backtrace.is_some_and(is_recursion), state, limits, fuel),
        // A memory that is too large from the start is refused without a trap.
        None if state.memory_refused => too_much_memory(limits),
        None => returned(error, bytes),
    };
    // What a plugin says of its own failure, unlike a panic, names the place itself.
    let told = state.last_error.as_deref().is_some_and(|message| !message.starts_with(PANICKED));
    let innermost = || backtrace.filter(|_| !told).and_then(function);
    match backtrace.and_then(place).or_else(innermost) {
        Some(place) => Cause::Plugin(format!("{happened}, {place}")),
        None => Cause::Plugin(happened),
    }
}

/// How the message of a Rust panic begins.
const PANICKED: &str = "panicked at ";

fn happened(trap: Trap, recursion: bool, state: &State, limits: &Limits, fuel: u64) -> String {
    if trap == Trap::OutOfFuel {
        return format!("ran past its budget of {fuel} fuel");
    }
    if state.memory_refused {
        return too_much_memory(limits);
    }
    // A plugin's own stack, for what does not fit registers, lies at the start of its memory.
    if trap == Trap::StackOverflow || (trap == Trap::MemoryOutOfBounds && recursion) {
        return "recursed too deep".into();
    }
    if let Some(message) = &state.last_error {
        return said(message);
    }
    match trap {
        Trap::MemoryOutOfBounds => "reached outside its memory".into(),
        Trap::UnreachableCodeReached => "aborted".into(),
        Trap::IntegerDivisionByZero => "divided by zero".into(),
        other => format!("trapped ({})", other.to_string().trim_start_matches("wasm trap: ")),
    }
}

fn too_much_memory(limits: &Limits) -> String {
    format!("needed more than {} MiB of memory", limits.memory_bytes >> 20)
}

/// No trap of the code itself: what it handed to the host could not be read.
fn returned(error: &Error, bytes: usize) -> String {
    let root = error.root_cause().to_string();
    // The type behind this message is private to wasmtime; a test holds it to these words.
    if root.contains("fuel allocated for hostcalls") {
        return format!("returned more than {bytes} bytes");
    }
    format!("returned what cannot be read ({root})")
}

/// What a plugin logged last as an error. Of Rust's `panicked at src/lib.rs:15:59:`, a line break and the
/// message, the place is left to the backtrace, which knows the author's own line.
fn said(message: &str) -> String {
    let panic = message.strip_prefix(PANICKED).and_then(|rest| rest.split_once(":\n"));
    let (lead, text) = panic.map_or(("failed", message), |(_, text)| ("panicked", text));
    format!("{lead}: {}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether the innermost frames are mostly one function.
fn is_recursion(backtrace: &WasmBacktrace) -> bool {
    const REPEATS: usize = 5;
    let innermost = || backtrace.frames().iter().take(REPEATS * 3);
    let times = |function: u32| innermost().filter(|frame| frame.func_index() == function).count();
    innermost().any(|frame| times(frame.func_index()) >= REPEATS)
}

/// Sources that are not the author's own, by a part of their path: the standard library, dependencies, the SDK.
const FOREIGN: [&str; 7] = [
    "/library/core/",
    "/library/std/",
    "/library/alloc/",
    "/library/panic",
    "/registry/src/",
    "/git/checkouts/",
    "/sdk/rust/",
];

/// The same, by how their path begins when `tollgate plugin build` has taken the machine out of it.
const FOREIGN_ROOTS: [&str; 3] = ["rust/", "crates/", "cargo/"];

/// The innermost place in the author's own source.
fn place(backtrace: &WasmBacktrace) -> Option<String> {
    let own = backtrace.frames().iter().find_map(|frame| {
        let symbol = frame.symbols().iter().find(|symbol| is_own(symbol))?;
        Some((symbol, frame.func_name().or(symbol.name())))
    });
    let (symbol, function) = own?;
    let file = within_package(symbol.file()?);
    let line = symbol.line().unwrap_or_default();
    // Column 0 stands for the whole line.
    let column = symbol.column().filter(|column| *column > 0);
    let column = column.map(|column| format!(":{column}")).unwrap_or_default();
    // An export's name holds a `#`, and the sentence has already said which export was called.
    let function = function.filter(|name| !name.contains('#'));
    let function = function.map(|name| format!(" (in {})", readable(name))).unwrap_or_default();
    Some(format!("at {file}:{line}{column}{function}"))
}

/// The innermost function with a name, for want of a place.
fn function(backtrace: &WasmBacktrace) -> Option<String> {
    let named = backtrace.frames().iter().filter_map(|frame| frame.func_name());
    let function = named.into_iter().find(|name| !name.contains('#'))?;
    Some(format!("in {}", readable(function)))
}

fn is_own(symbol: &FrameSymbol) -> bool {
    let own = |file: &str| {
        !FOREIGN.iter().any(|part| file.contains(part))
            && !FOREIGN_ROOTS.iter().any(|root| file.starts_with(root))
    };
    symbol.file().is_some_and(own) && symbol.line().is_some_and(|line| line > 0)
}

/// `src/lib.rs` of `/anywhere/per-page/src/lib.rs`.
fn within_package(file: &str) -> &str {
    file.rfind("/src/").and_then(|start| file.get(start.saturating_add(1)..)).unwrap_or(file)
}

fn readable(function: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_in_one_line_without_its_place() {
        let cases = [
            ("panicked at src/lib.rs:15:59:\nno rate for\n  gpt-99", "panicked: no rate for gpt-99"),
            ("out of cheese", "failed: out of cheese"),
            ("panicked at noon", "failed: panicked at noon"),
        ];
        for (message, told) in cases {
            assert_eq!(said(message), told);
        }
    }

    #[test]
    fn a_path_is_shown_from_its_package() {
        assert_eq!(within_package("/anywhere/per-page/src/rates/eu.rs"), "src/rates/eu.rs");
        assert_eq!(within_package("lib.rs"), "lib.rs");
    }
}
