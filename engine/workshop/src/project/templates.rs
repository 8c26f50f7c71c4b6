//! What a new project consists of: the author's own files by language and template, and the SDK.

use super::Template;
use crate::Language;

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// A path in the project, and what is written there.
type File = (&'static str, &'static str);

/// The files that a language's projects have whatever they start from.
macro_rules! common {
    ($folder:literal: $($path:literal = $file:literal),+) => {
        &[$(($path, include_str!(concat!("../../templates/common/", $folder, "/", $file)))),+]
    };
}

/// A template's two files in one language, and the case that all languages share.
macro_rules! files {
    ($template:literal, $folder:literal: $plugin:literal = $plugin_file:literal, $test:literal = $test_file:literal) => {
        [
            ($plugin, include_str!(concat!("../../templates/", $template, "/", $folder, "/", $plugin_file))),
            ($test, include_str!(concat!("../../templates/", $template, "/", $folder, "/", $test_file))),
            (
                "fixtures/first/settings.json",
                include_str!(concat!("../../templates/", $template, "/first/settings.json")),
            ),
            (
                "fixtures/first/events.ndjson",
                include_str!(concat!("../../templates/", $template, "/first/events.ndjson")),
            ),
            (
                "fixtures/first/expected.json",
                include_str!(concat!("../../templates/", $template, "/first/expected.json")),
            ),
        ]
    };
}

/// A template in every language.
macro_rules! in_every_language {
    ($language:expr, $template:literal) => {
        match $language {
            Language::Rust => {
                files!($template, "rust": "src/lib.rs" = "lib.rs", "tests/prices.rs" = "prices.rs")
            }
            Language::JavaScript => {
                files!($template, "js": "src/plugin.js" = "plugin.js", "test/prices.test.js" = "prices.test.js")
            }
            Language::Python => {
                files!($template, "python": "src/plugin.py" = "plugin.py", "tests/test_prices.py" = "test_prices.py")
            }
        }
    };
}

const OF_RUST: &[File] = common!("rust":
    "Cargo.toml" = "manifest.toml",
    ".gitignore" = "gitignore",
    "README.md" = "README.md",
    "tests/fixtures.rs" = "fixtures.rs");
const OF_JAVASCRIPT: &[File] = common!("js":
    "package.json" = "package.json",
    "tsconfig.json" = "tsconfig.json",
    ".gitignore" = "gitignore",
    "README.md" = "README.md");
const OF_PYTHON: &[File] = common!("python":
    "pyproject.toml" = "pyproject.toml",
    "requirements.txt" = "requirements.txt",
    ".gitignore" = "gitignore",
    "README.md" = "README.md");

/// What a template's plugin says of itself.
pub(super) fn summary(template: Template) -> &'static str {
    match template {
        Template::PerUnit => "Charges each document beyond the included ones.",
        Template::Tiered => "Charges documents by tiers over the period.",
        Template::Distinct => "Charges each conversation once, however many events it takes.",
    }
}

/// The author's own files.
pub(super) fn files(language: Language, template: Template) -> impl Iterator<Item = File> {
    let common = match language {
        Language::Rust => OF_RUST,
        Language::JavaScript => OF_JAVASCRIPT,
        Language::Python => OF_PYTHON,
    };
    let own = match template {
        Template::PerUnit => in_every_language!(language, "per-unit"),
        Template::Tiered => in_every_language!(language, "tiered"),
        Template::Distinct => in_every_language!(language, "distinct"),
    };
    common.iter().copied().chain(own)
}

/// The SDK, and the contract that it hides.
pub(super) fn sdk(language: Language) -> impl Iterator<Item = File> {
    let own = match language {
        Language::Rust => RUST,
        Language::JavaScript => JAVASCRIPT,
        Language::Python => PYTHON,
    };
    CONTRACT.iter().chain(own).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(language: Language, path: &str) -> &'static str {
        sdk(language).find(|(name, _)| *name == path).map(|(_, text)| text).unwrap()
    }

    #[test]
    fn the_sdk_of_a_project_is_whole_and_owes_nothing_to_a_workspace() {
        for path in ["sdk/rust/Cargo.toml", "sdk/rust/macro/Cargo.toml"] {
            let text = of(Language::Rust, path);
            assert!(!text.contains("workspace"), "{path}: {text}");
        }
        assert!(of(Language::Rust, "sdk/rust/src/lib.rs").contains("mod wasm"));
        assert!(of(Language::Rust, "Cargo.lock").contains("name = \"tollgate-sdk-macro\""));
        assert!(!of(Language::Rust, "Cargo.lock").contains("name = \"wasmtime\""));
        assert!(of(Language::JavaScript, "sdk/js/src/index.d.ts").contains("export function pricing"));
        assert!(of(Language::JavaScript, "sdk/js/package.json").contains("tollgate-build"));
        assert!(!of(Language::Python, "sdk/python/pyproject.toml").contains("readme"));
        assert!(COMPONENTIZE_PY.starts_with("componentize-py=="));
        for language in [Language::Rust, Language::JavaScript, Language::Python] {
            assert!(of(language, "sdk/wit/pricing.wit").contains("package tollgate:pricing@"));
            let bytes: usize = sdk(language).map(|(_, text)| text.len()).sum();
            assert!(bytes < 200_000, "{language:?}: {bytes}");
        }
    }
}
