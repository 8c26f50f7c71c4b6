//! Runs the real program, as a person would: in a folder of its own, with arguments, and reads its words.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// A folder in which the program runs; files are named relative to it. It is gone when dropped.
pub struct Folder {
    directory: TempDir,
}

/// How a run of the program ended.
pub struct Answer {
    /// The exit code; -1 when it was killed.
    pub code: i32,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl Folder {
    /// An empty folder.
    pub fn new() -> Self {
        // Built now, so that no test measures how long that takes.
        program();
        Self { directory: tempfile::tempdir().expect("a folder for temporary files") }
    }

    /// Where a file of this folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).expect(name);
    }

    /// Runs `tollgate` with arguments that are separated by blanks.
    pub fn run(&self, arguments: &str) -> Answer {
        self.command(arguments).output().expect("the program starts").into()
    }

    /// Runs `tollgate`, which reads `input` from standard input.
    pub fn run_reading(&self, arguments: &str, input: &str) -> Answer {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().expect("the program starts");
        let mut standard_input = program.stdin.take().expect("a pipe");
        standard_input.write_all(input.as_bytes()).expect("it reads its input");
        drop(standard_input);
        program.wait_with_output().expect("it ends").into()
    }

    /// The command itself, for what needs more than an answer.
    pub fn command(&self, arguments: &str) -> Command {
        self.prepare(Command::new(program()), arguments)
    }

    /// A shell that runs a script of this folder.
    pub fn shell(&self, script: &str) -> Command {
        self.prepare(Command::new("bash"), script)
    }

    fn prepare(&self, mut command: Command, arguments: &str) -> Command {
        command.args(arguments.split_whitespace()).current_dir(self.directory.path());
        // What tells tests how much to do is no setting of the program.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TOLLGATE_"))
        {
            command.env_remove(name);
        }
        // Plugins that one test compiled need not be compiled by the next.
        command.env("XDG_CACHE_HOME", target_directory().join("tests-cache")).stdin(Stdio::null());
        command
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Answer {
    /// Standard output of a run that must have gone well.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.output, self.errors);
        self.output
    }

    /// The JSON on standard output of a run that must have gone well.
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.done()).expect("JSON on standard output")
    }

    /// Everything, as a snapshot shows it.
    pub fn in_words(&self) -> String {
        format!("{}{}exit code {}", self.output, self.errors, self.code)
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it speaks UTF-8");
        Self {
            code: output.status.code().unwrap_or(-1),
            output: text(output.stdout),
            errors: text(output.stderr),
        }
    }
}

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository")
}

/// A file of the repository, as text.
pub fn committed(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Prints a line that is seen even when the tests that pass are quiet.
pub fn say(line: &str) {
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// `target/debug` or `target/release`, whichever this test was built into.
fn profile_directory() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.ancestors().nth(2).expect("target/<profile>/deps").to_owned()
}

fn target_directory() -> PathBuf {
    profile_directory().parent().expect("target").to_owned()
}

/// The program, built once from what is in the tree now.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let directory = profile_directory();
        let folder = directory.file_name().expect("a profile").to_string_lossy().into_owned();
        let profile = if folder == "debug" { "dev" } else { &folder };
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.current_dir(repository()).args(["build", "--quiet", "--package", "tollgate"]);
        build.args(["--profile", profile, "--target-dir"]).arg(target_directory());
        // What cargo tells a test of its package; `ring` would be built anew whenever it differs, and all above it.
        for (name, _) in std::env::vars_os() {
            if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
                build.env_remove(name);
            }
        }
        assert!(build.status().expect("cargo").success(), "the program does not build");
        directory.join(format!("tollgate{}", std::env::consts::EXE_SUFFIX))
    })
}
