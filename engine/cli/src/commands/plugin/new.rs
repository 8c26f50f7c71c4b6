//! `plugin new`: a project that works as it is.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use tollgate_workshop::Language;
use tollgate_workshop::project::{self, Template as Kind};

use crate::arguments::{Lang, PluginNew, Template};
use crate::exit::Refused;

/// Writes a project.
pub fn run(arguments: &PluginNew) -> anyhow::Result<u8> {
    let PluginNew { name, lang, template, directory } = arguments;
    let folder = directory.clone().unwrap_or_else(|| PathBuf::from(name));
    let language = match lang {
        Lang::Rust => Language::Rust,
        Lang::Js => Language::JavaScript,
        Lang::Python => Language::Python,
    };
    let kind = match template {
        Template::PerUnit => Kind::PerUnit,
        Template::Tiered => Kind::Tiered,
        Template::Distinct => Kind::Distinct,
    };
    let written = project::create(name, language, kind, &folder).context(Refused)?;
    let mut text = format!("{}\n", folder.display());
    for path in written {
        let _ = writeln!(text, "  {}", path.display());
    }
    let _ = writeln!(text, "  sdk/\n\nnext: cd {}, then\n", folder.display());
    for (command, what) in first_steps(language).iter().chain(&IN_THE_SANDBOX) {
        let _ = writeln!(text, "  {command:<25}{what}");
    }
    super::super::print(&text)?;
    Ok(0)
}

/// What comes next, in the language's own tools.
fn first_steps(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::Rust => &[("cargo test", "natively")],
        Language::JavaScript => &[("npm install", "what builds components"), ("npm test", "natively")],
        Language::Python => &[
            ("python3 -m venv .venv", "an interpreter of its own"),
            (".venv/bin/pip install -r requirements.txt", ""),
            (".venv/bin/pytest", "natively"),
        ],
    }
}

const IN_THE_SANDBOX: [(&str, &str); 2] = [
    ("tollgate plugin test", "in the sandbox: fixtures and laws"),
    ("tollgate plugin plot", "what a customer would pay"),
];
