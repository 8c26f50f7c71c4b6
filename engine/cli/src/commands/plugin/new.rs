//! `plugin new`: a project that works as it is.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use tollgate_workshop::project::{self, Template as Kind};

use crate::arguments::{Lang, PluginNew, Template};
use crate::exit::Refused;

/// Writes a project.
pub fn run(arguments: &PluginNew) -> anyhow::Result<u8> {
    let PluginNew { name, lang: Lang::Rust, template, directory } = arguments;
    let folder = directory.clone().unwrap_or_else(|| PathBuf::from(name));
    let kind = match template {
        Template::PerUnit => Kind::PerUnit,
        Template::Tiered => Kind::Tiered,
        Template::Distinct => Kind::Distinct,
    };
    let written = project::create(name, kind, &folder).context(Refused)?;
    let mut text = format!("{}\n", folder.display());
    for path in written {
        let _ = writeln!(text, "  {}", path.display());
    }
    let _ = writeln!(text, "  sdk/\n\nnext: cd {}, then\n", folder.display());
    text.push_str("  cargo test               natively\n");
    text.push_str("  tollgate plugin test     in the sandbox: fixtures and laws\n");
    text.push_str("  tollgate plugin plot     what a customer would pay\n");
    super::super::print(&text)?;
    Ok(0)
}
