//! Rebuilds the committed plugins, or compares them with their sources.
//!
//! ```text
//! cargo run -p tollgate-workshop --example prebuild              rebuilds plugins/prebuilt
//! cargo run -p tollgate-workshop --example prebuild -- --check   changes nothing; fails if they differ
//! ```

use std::{env, path::Path, process::ExitCode};
use tollgate_workshop::{
    BuildError, Built,
    prebuilt::{self, Comparison, PrebuiltError},
};

fn main() -> ExitCode {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let check = env::args().skip(1).any(|argument| argument == "--check");
    let answer = if check { compare(&repository) } else { rebuild(&repository) };
    answer.unwrap_or_else(|error| {
        eprintln!("{error}");
        // Where nothing can be built there is nothing to compare; behaviour is compared by other tests.
        let excused = check && matches!(error, PrebuiltError::Build(BuildError::NoToolchain(_)));
        if excused { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

fn rebuild(repository: &Path) -> Result<ExitCode, PrebuiltError> {
    let manifest = prebuilt::rebuild(repository, show)?;
    println!("built with {}", manifest.toolchain);
    Ok(ExitCode::SUCCESS)
}

fn compare(repository: &Path) -> Result<ExitCode, PrebuiltError> {
    Ok(match prebuilt::compare(repository, show)? {
        Comparison::Same => {
            println!("the committed plugins are what their sources give");
            ExitCode::SUCCESS
        }
        Comparison::OtherToolchain { committed, here } => {
            println!("not compared: the committed plugins were built with {committed}, here is {here}");
            ExitCode::SUCCESS
        }
        Comparison::Different(names) => {
            println!("not what their sources give: {}; run the prebuild example", names.join(", "));
            ExitCode::FAILURE
        }
    })
}

fn show(built: &Built) {
    println!("{:<18} {:>7} bytes  {}", built.name, built.size, built.sha256);
}
