//! Compiles components, in this process or in a child that can be killed.
//!
//! Compilation time is outside what wasmtime promises, so a component from outside is compiled by a child
//! process with a deadline and a memory limit. Trusted ones, such as the bundled plugins, need none.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};
use wasmtime::Engine;

use crate::cache::{seal, unseal};
use crate::engine::{Purpose, engine};
use crate::limits::Limits;

/// Who compiles a component that is not in the cache.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// This process: for components one trusts.
    InProcess,
    /// A child process, which reads the component from standard input and calls [`compile_in_child`] with
    /// its last argument, the path of the result.
    Child {
        /// The program: usually this one.
        program: PathBuf,
        /// Arguments before the path.
        arguments: Vec<OsString>,
    },
}

/// Why there is no compiled code.
pub(crate) enum CompileError {
    /// The component's doing.
    Component(String),
    /// The host's.
    Host(String),
}

/// Compiles a component, and keeps the result at `cached` where that is given.
pub(crate) fn compile(
    compiler: &Compiler,
    engine: &Engine,
    limits: &Limits,
    component: &[u8],
    cached: Option<&Path>,
) -> Result<Vec<u8>, CompileError> {
    match compiler {
        Compiler::InProcess => {
            let code = precompile(engine, component).map_err(CompileError::Component)?;
            if let Some(path) = cached {
                seal(path, &code).map_err(|error| cannot("keep compiled code", &error))?;
            }
            Ok(code)
        }
        Compiler::Child { program, arguments } => {
            let mut command = Command::new(program);
            command.args(arguments);
            if let Some(path) = cached {
                return compile_by(command, limits, component, path);
            }
            let directory = tempfile::tempdir().map_err(|error| cannot("make a directory", &error))?;
            compile_by(command, limits, component, &directory.path().join("compiled"))
        }
    }
}

fn precompile(engine: &Engine, component: &[u8]) -> Result<Vec<u8>, String> {
    engine
        .precompile_component(component)
        .map_err(|error| format!("it does not compile: {}", one_line(&format!("{error:#}"))))
}

/// What a compiling child does: reads a component from standard input, compiles it within the limits, and
/// writes the result to `output`. It restricts the whole process, so nothing else may follow.
///
/// # Errors
/// A sentence for standard error, from which the parent takes it.
pub fn compile_in_child(output: &Path, limits: &Limits) -> Result<(), String> {
    restrict(Resource::As, limits.compile_memory_bytes);
    let mut component = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut component)
        .map_err(|error| format!("cannot read the component: {error}"))?;
    let threads =
        thread::available_parallelism().map_or(1, |threads| u64::try_from(threads.get()).unwrap_or(1));
    let time = limits.of_component(component.len()).compile_time;
    restrict(Resource::Cpu, time.as_secs().saturating_mul(threads).max(1));
    let engine =
        engine(limits, Purpose::Compile).map_err(|error| format!("cannot start the compiler: {error:#}"))?;
    let code = precompile(&engine, &component)?;
    seal(output, &code).map_err(|error| format!("cannot write {}: {error}", output.display()))
}

/// Lowers a limit of this process; a system that knows no such limit leaves only the parent's deadline.
fn restrict(resource: Resource, amount: u64) {
    let _ = setrlimit(resource, Rlimit { current: Some(amount), maximum: Some(amount) });
}

fn compile_by(
    mut command: Command,
    limits: &Limits,
    component: &[u8],
    output: &Path,
) -> Result<Vec<u8>, CompileError> {
    command.arg(output).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot("start the compiler", &error))?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let (status, complaint) = thread::scope(|scope| {
        scope.spawn(move || {
            // A child that dies early breaks the pipe; its exit status tells the story.
            stdin.map(|mut pipe| pipe.write_all(component))
        });
        let complaint = scope.spawn(move || {
            let mut text = String::new();
            // A message that is not UTF-8 is no message.
            drop(stderr.map(|pipe| pipe.take(COMPLAINT_BYTES).read_to_string(&mut text)));
            text
        });
        let status = wait(&mut child, limits.compile_time);
        (status, complaint.join().unwrap_or_default())
    });
    match status.map_err(|error| cannot("wait for the compiler", &error))? {
        None => {
            let seconds = limits.compile_time.as_secs_f32();
            Err(CompileError::Component(format!("it took longer than {seconds} s to compile")))
        }
        Some(status) if status.success() => unseal(output).ok_or_else(|| {
            CompileError::Host(format!("the compiler left nothing usable at {}", output.display()))
        }),
        Some(status) => Err(CompileError::Component(gave_up(status, &complaint))),
    }
}

const COMPLAINT_BYTES: u64 = 4 << 10;
const POLL: Duration = Duration::from_millis(2);

/// Waits for the child, and kills it at the deadline.
fn wait(child: &mut Child, time: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= time {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn gave_up(status: ExitStatus, complaint: &str) -> String {
    let complaint = one_line(complaint);
    // A compiler that was killed or ran out of memory has no say of its own.
    if status.code() == Some(1) && !complaint.is_empty() {
        return complaint;
    }
    format!("the compiler gave up on it ({status}): it needs too much memory or time")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cannot(what: &str, error: &io::Error) -> CompileError {
    CompileError::Host(format!("cannot {what}: {error}"))
}
