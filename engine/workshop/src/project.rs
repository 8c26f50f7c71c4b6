//! `plugin new`: a project that tests, builds and prices as it is.
//!
//! The SDK's sources are inside this program and are written beside the plugin, in Rust with a lock file of the
//! versions that they were tested with. So the SDK always fits the host that made the project, and a stranger needs
//! neither this repository nor a registry that has the SDK. The same fixtures come in every language.

mod templates;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::Language;

/// What a project starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// Each unit beyond the included ones has a price.
    PerUnit,
    /// The price of a unit depends on how many were used in the period.
    Tiered,
    /// Each distinct thing is charged once.
    Distinct,
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The messages say what each field is.
pub enum ProjectError {
    #[error(
        "`{name}` cannot be a plugin's name: {reason}. It is also its package's name; use lower-case letters, \
         digits and hyphens, as in `per-document`"
    )]
    Name { name: String, reason: &'static str },
    #[error("{} is there already and not empty; choose another --directory, or another name", path.display())]
    Occupied { path: PathBuf },
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
}

/// Writes a project; gives back the author's own files, without those of the SDK.
///
/// # Errors
/// When the name cannot be a plugin's, the folder is not empty, or something cannot be written.
pub fn create(
    name: &str,
    language: Language,
    template: Template,
    folder: &Path,
) -> Result<Vec<PathBuf>, ProjectError> {
    examine(name)?;
    let occupied = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied || folder.is_file() {
        return Err(ProjectError::Occupied { path: folder.to_owned() });
    }
    let words = [
        ("{{name}}", name),
        ("{{crate}}", &name.replace('-', "_")),
        ("{{Type}}", &type_name(name)),
        ("{{summary}}", templates::summary(template)),
        ("{{componentize_py}}", templates::COMPONENTIZE_PY),
    ];
    let mut written = Vec::new();
    for (path, text) in templates::files(language, template) {
        let text = words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value));
        write(folder, path, &text)?;
        written.push(PathBuf::from(path));
    }
    for (path, text) in templates::sdk(language) {
        write(folder, path, text)?;
    }
    Ok(written)
}

fn write(folder: &Path, path: &str, text: &str) -> Result<(), ProjectError> {
    let path = folder.join(path);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| ProjectError::File { path: path.clone(), error })
}

/// Words that a language or its package registry keeps for itself, or whose type is one of the SDK's.
const TAKEN: [&str; 30] = [
    "tollgate-sdk",
    "tollgate-sdk-macro",
    "typescript",
    "test",
    "std",
    "core",
    "alloc",
    "self",
    "crate",
    "super",
    "fn",
    "type",
    "impl",
    "true",
    "false",
    "none",
    "node-modules",
    "plugin",
    "pricing",
    "settings",
    "terms",
    "decimal",
    "unit",
    "line",
    "event",
    "usage",
    "bill",
    "fault",
    "tier",
    "problems",
];

fn examine(name: &str) -> Result<(), ProjectError> {
    let refuse = |reason| Err(ProjectError::Name { name: name.to_owned(), reason });
    let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if name.is_empty() || name.len() > 64 {
        return refuse("it has 1 to 64 letters");
    }
    if !name.chars().all(allowed) {
        return refuse("it has another character in it");
    }
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return refuse("it does not begin with a letter");
    }
    if TAKEN.contains(&name) {
        return refuse("the word is taken");
    }
    Ok(())
}

/// `PerDocument` of `per-document`.
fn type_name(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_is_told_why() {
        let told: Vec<String> = ["", "Per Document", "9-lives", "test"]
            .map(|name| examine(name).err().map(|error| error.to_string()).unwrap_or_default())
            .to_vec();
        insta::assert_snapshot!(told.join("\n"), @r"
        `` cannot be a plugin's name: it has 1 to 64 letters. It is also its package's name; use lower-case letters, digits and hyphens, as in `per-document`
        `Per Document` cannot be a plugin's name: it has another character in it. It is also its package's name; use lower-case letters, digits and hyphens, as in `per-document`
        `9-lives` cannot be a plugin's name: it does not begin with a letter. It is also its package's name; use lower-case letters, digits and hyphens, as in `per-document`
        `test` cannot be a plugin's name: the word is taken. It is also its package's name; use lower-case letters, digits and hyphens, as in `per-document`
        ");
        assert_eq!(type_name("per-document"), "PerDocument");
    }
}
