//! A plugin project as `tollgate plugin new` writes it, in JavaScript or Python, with the tools that are installed here.

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::tollgate::{Folder, repository, say};

/// A language whose plugins are an interpreter with a program in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// JavaScript, built by Node.
    JavaScript,
    /// Python, built by componentize-py.
    Python,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::JavaScript, Self::Python];

    /// As `--lang` has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::JavaScript => "js",
            Self::Python => "python",
        }
    }

    /// Where its plugin is.
    pub fn source(self) -> &'static str {
        match self {
            Self::JavaScript => "src/plugin.js",
            Self::Python => "src/plugin.py",
        }
    }

    /// Whether its tools are here; says what is missing when they are not.
    pub fn is_here(self) -> bool {
        let runs = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        match self {
            Self::JavaScript => {
                let tool = repository().join("sdk/js/node_modules/@bytecodealliance/componentize-js");
                let here = tool.is_dir() && runs("node", &["--version"]);
                if !here {
                    say("skipped: JavaScript plugins need Node and componentize-js (npm install, in sdk/js)");
                }
                here
            }
            Self::Python => {
                let here = runs("componentize-py", &["--version"])
                    && runs("python3", &["-m", "pytest", "--version"]);
                if !here {
                    say("skipped: Python plugins need componentize-py and pytest (pip install both)");
                }
                here
            }
        }
    }

    /// Writes a project into a folder of its own, and lends it the packages that are installed for the repository.
    pub fn project(self, folder: &Folder, name: &str, template: &str) {
        folder.run(&format!("plugin new {name} --lang {} --template {template}", self.word())).done();
        if self == Self::JavaScript {
            std::fs::create_dir(folder.path(&format!("{name}/node_modules"))).expect("a folder");
            let packages = repository().join("sdk/js/node_modules");
            symlink("../sdk/js", folder.path(&format!("{name}/node_modules/tollgate-sdk"))).expect("a link");
            symlink(packages, folder.path(&format!("{name}/sdk/js/node_modules"))).expect("a link");
        }
    }

    /// Its plain test tool.
    pub fn tests(self) -> Command {
        let (program, arguments) = match self {
            Self::JavaScript => ("npm", &["test"][..]),
            Self::Python => ("python3", &["-m", "pytest", "-q", "-p", "no:cacheprovider"][..]),
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        command
    }
}
