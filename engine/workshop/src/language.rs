//! Which language a plugin is written in, told by what lies in its folder.

use std::path::Path;

/// A language that plugins are written in with an SDK of this repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust: a crate.
    Rust,
    /// JavaScript or TypeScript: a package of npm.
    JavaScript,
    /// Python: a project with a `pyproject.toml`.
    Python,
}

impl Language {
    /// In the order in which they are looked for.
    const ALL: [Self; 3] = [Self::Rust, Self::JavaScript, Self::Python];

    /// The file that says what a project of this language is.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "package.json",
            Self::Python => "pyproject.toml",
        }
    }

    /// The language of the project in a folder; none when there is no project in it.
    pub fn of(folder: &Path) -> Option<Self> {
        Self::ALL.into_iter().find(|language| folder.join(language.manifest()).is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_of_the_language_of_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let found = |manifest: &str| {
            std::fs::write(folder.path().join(manifest), "").unwrap();
            Language::of(folder.path())
        };
        assert_eq!(Language::of(folder.path()), None);
        assert_eq!(found("pyproject.toml"), Some(Language::Python));
        assert_eq!(found("package.json"), Some(Language::JavaScript));
        // Tools for a crate may well be written in another language.
        assert_eq!(found("Cargo.toml"), Some(Language::Rust));
    }
}
