//! The guests that do what `included-overage` does, one for each language whose toolchain is here.
//!
//! Some are interpreters of 12 to 18 MB, so they are not committed: they are built into `target/guests`, once for each
//! state of their sources.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tollgate_core::plugin::Digest;
use tollgate_tests::tollgate::{repository, say};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A plugin under test.
pub struct Guest {
    pub name: &'static str,
    pub component: Vec<u8>,
}

/// Where built guests and their compiled code are kept.
pub fn folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(3).unwrap().join("guests");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The committed component of the Rust plugin.
pub fn rust() -> Guest {
    let component = std::fs::read(repository().join("plugins/prebuilt/included-overage.wasm")).unwrap();
    Guest { name: "Rust", component }
}

/// The Python example; none, with a line that says so, where componentize-py is not installed.
pub fn python() -> Option<Guest> {
    /// How the SDK's build says that componentize-py is not there.
    const NO_TOOL: i32 = 3;
    if run(&mut python_in("sdk/python", &["--version"])).is_none() {
        say("skipped: the Python guest needs python3");
        return None;
    }
    let sources =
        ["sdk/wit", "sdk/python/tollgate_sdk", "examples/included-overage/python/included_overage.py"];
    let component = built("python", &sources, |output| {
        let arguments = ["-m", "tollgate_sdk.build", "included_overage:IncludedOverage", "--output", output];
        let built = run(&mut python_in("examples/included-overage/python", &arguments)).unwrap();
        if built.status.code() == Some(NO_TOOL) {
            say("skipped: the Python guest needs componentize-py (pip install componentize-py)");
            return false;
        }
        assert!(built.status.success(), "{}", words(&built));
        true
    })?;
    Some(Guest { name: "Python", component })
}

/// `python3` with the SDK at hand.
pub fn python_in(folder: &str, arguments: &[&str]) -> Command {
    let mut python = Command::new("python3");
    python.args(arguments).current_dir(repository().join(folder));
    python.env("PYTHONPATH", repository().join("sdk/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// The JavaScript example; none, with a line that says so, where Node or componentize-js is not installed.
pub fn javascript() -> Option<Guest> {
    let component = javascript_built("javascript", &[])?;
    Some(Guest { name: "JavaScript", component })
}

/// The same, compiled ahead of time; none where weval is not installed either.
pub fn javascript_aot() -> Option<Guest> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(weval) =
        std::env::split_paths(&path).map(|folder| folder.join("weval")).find(|file| file.is_file())
    else {
        say("skipped: JavaScript that is compiled ahead of time needs weval (cargo install weval)");
        return None;
    };
    let component = javascript_built("compiled", &["--aot", "--weval", weval.to_str().unwrap()])?;
    Some(Guest { name: "JavaScript, compiled", component })
}

fn javascript_built(name: &str, options: &[&str]) -> Option<Vec<u8>> {
    let tool = repository().join("sdk/js/node_modules/@bytecodealliance/componentize-js");
    if !has_node() || !tool.is_dir() {
        say("skipped: the JavaScript guest needs Node and componentize-js (npm install, in sdk/js)");
        return None;
    }
    let sources = [
        "sdk/wit",
        "sdk/js/bin",
        "sdk/js/package.json",
        "sdk/js/src",
        "examples/included-overage/js/included-overage.js",
    ];
    built(name, &sources, |output| {
        let mut arguments = vec!["../../../sdk/js/bin/build.js", "included-overage.js", "--output", output];
        arguments.extend(options);
        let built = run(&mut node_in("examples/included-overage/js", &arguments)).unwrap();
        assert!(built.status.success(), "{}", words(&built));
        true
    })
}

/// Whether the JavaScript tests can run: Node is there, and the example finds the SDK.
pub fn has_node() -> bool {
    let link = repository().join("examples/included-overage/js/node_modules/tollgate-sdk");
    run(&mut node_in("sdk/js", &["--version"])).is_some() && link.is_dir()
}

pub fn node_in(folder: &str, arguments: &[&str]) -> Command {
    let mut node = Command::new("node");
    node.args(arguments).current_dir(repository().join(folder));
    node
}

/// The Zig example, which has no SDK; none, with a line that says so, where Zig is not installed.
pub fn zig() -> Option<Guest> {
    let sources = ["sdk/wit", "examples/included-overage/zig"];
    let component = built("zig", &sources, |output| {
        let Some(mut zig) = find_zig() else {
            say("skipped: the Zig guest needs Zig 0.17 (pip install ziglang)");
            return false;
        };
        let module = format!("{output}.module");
        let cache = folder().join("zig-cache");
        zig.args(["build-exe", "included_overage.zig", "-target", "wasm32-freestanding", "-fno-entry"]);
        zig.args(["-rdynamic", "-fstrip", "-O", "ReleaseFast", &format!("-femit-bin={module}")]);
        zig.arg("--cache-dir").arg(&cache).arg("--global-cache-dir").arg(&cache);
        let made = run(zig.current_dir(repository().join("examples/included-overage/zig"))).unwrap();
        assert!(made.status.success(), "{}", words(&made));
        std::fs::write(output, component_of(std::fs::read(&module).unwrap())).unwrap();
        std::fs::remove_file(&module).unwrap();
        true
    })?;
    Some(Guest { name: "Zig", component })
}

/// Zig itself, or the one that comes with Python's package.
fn find_zig() -> Option<Command> {
    let mut candidates = [Command::new("zig"), Command::new("python3")];
    candidates[1].args(["-m", "ziglang"]);
    candidates.into_iter().find_map(|mut zig| {
        let version = run(zig.arg("version"))?;
        let fits = version.status.success() && version.stdout.starts_with(b"0.17.");
        let mut again = Command::new(zig.get_program());
        again.args(zig.get_args().filter(|argument| *argument != "version"));
        fits.then_some(again)
    })
}

/// A core module with the contract's exports, as a component: what `wasm-tools component embed` and `new` do.
fn component_of(mut module: Vec<u8>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(repository().join("sdk/wit")).unwrap();
    let world = resolve.select_world(&[package], Some("pricing")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// Runs a program to its end; none when there is no such program.
pub fn run(command: &mut Command) -> Option<Output> {
    command.output().ok()
}

/// All that a program said.
pub fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The component that `build` makes of these sources, or made of them before.
fn built(language: &str, sources: &[&str], build: impl FnOnce(&str) -> bool) -> Option<Vec<u8>> {
    let mut contents = Vec::new();
    for source in sources {
        read_all(&repository().join(source), &mut contents);
    }
    let digest = Digest::of(&contents).to_string().replace(':', "-");
    let path = folder().join(format!("{language}-{digest}.wasm"));
    if !path.is_file() {
        // The number of this process keeps two runs apart that build at once.
        let unfinished = folder().join(format!("{language}-{}.unfinished", std::process::id()));
        if !build(unfinished.to_str().unwrap()) {
            return None;
        }
        // What was built of earlier sources is of no more use.
        for old in folder().read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            let name = old.file_name().unwrap().to_string_lossy();
            if name.starts_with(&format!("{language}-sha256-")) {
                std::fs::remove_file(&old).unwrap();
            }
        }
        std::fs::rename(&unfinished, &path).unwrap();
    }
    Some(std::fs::read(path).unwrap())
}

/// Names and contents of all files below a path, in alphabetical order.
fn read_all(path: &Path, contents: &mut Vec<u8>) {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = path.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort_unstable();
        entries.retain(|entry| !entry.ends_with("__pycache__"));
        for entry in &entries {
            read_all(entry, contents);
        }
        return;
    }
    contents.extend_from_slice(path.file_name().unwrap().as_encoded_bytes());
    contents.extend(std::fs::read(path).unwrap());
}
