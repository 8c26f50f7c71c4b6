//! The workshop for authors in JavaScript and Python: new projects, what is built again and what is not, and the mistakes
//! that they make, each with the one message that names the cause and the fix.

#![allow(clippy::unwrap_used)] // a test may panic

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use tollgate_tests::project::Language;
use tollgate_tests::tollgate::{Folder, committed};

/// Every template in every language: tested natively, and charging in the sandbox what its case says, which is the same
/// file in all languages.
#[test]
fn a_new_project_works_as_it_is_in_every_language() {
    for language in Language::ALL.into_iter().filter(|language| language.is_here()) {
        for template in ["per-unit", "tiered", "distinct"] {
            let folder = Folder::new();
            language.project(&folder, "mine", template);
            let mut tests = language.tests();
            let ran = tests.current_dir(folder.path("mine")).output().unwrap();
            let said = String::from_utf8_lossy(&ran.stdout).into_owned();
            assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
            assert!(said.contains("2 passed") || said.contains("# pass 2"), "{said}");
            let case = "fixtures/first/expected.json";
            let expected = fs::read_to_string(folder.path(&format!("mine/{case}"))).unwrap();
            assert_eq!(
                expected,
                committed(&format!("engine/workshop/templates/{template}/first/expected.json"))
            );
            let told = folder.run("plugin test mine --trials 4").done();
            assert!(told.contains("ok      fixture first") && told.contains("7 of 7 hold"), "{told}");
            if template == "per-unit" {
                the_rest_of_the_workshop(language, &folder);
            }
        }
    }
}

/// What is built already is not built again; what changed is.
fn the_rest_of_the_workshop(language: Language, folder: &Folder) {
    let made = folder.path("mine/build/component.wasm");
    let when = || fs::metadata(&made).unwrap().modified().unwrap();
    let before = when();
    let told = folder.run("plugin check mine").done();
    assert!(told.contains("0 wrong"), "{told}");
    folder.run("plugin plot mine --svg curve.svg --png curve.png").done();
    assert!(fs::read_to_string(folder.path("curve.svg")).unwrap().starts_with("<svg"));
    let report = folder.run("plugin run mine --close --format json").json();
    assert!(report.pointer("/events/0/fuel").is_some_and(Value::is_u64), "{report}");
    let built = folder.run("plugin build mine --output mine.wasm").done();
    assert!(built.starts_with("mine 0.1.0: mine.wasm"), "{built}");
    assert!(folder.run("plugin inspect mine.wasm").done().contains("mine 0.1.0: Charges each document"));
    assert_eq!(when(), before);
    let (source, title) = match language {
        Language::JavaScript => {
            // From here on in TypeScript.
            let package = fs::read_to_string(folder.path("mine/package.json")).unwrap();
            folder.write("mine/package.json", package.replace("src/plugin.js", "src/plugin.ts"));
            fs::rename(folder.path("mine/src/plugin.js"), folder.path("mine/src/plugin.ts")).unwrap();
            ("mine/src/plugin.ts", r#""Further documents" as string"#)
        }
        Language::Python => ("mine/src/plugin.py", r#""Further documents""#),
    };
    let text = fs::read_to_string(folder.path(source)).unwrap();
    folder.write(source, text.replace(r#""Documents beyond those included""#, title));
    folder.run("plugin build mine --output mine.wasm").done();
    assert!(folder.run("plugin inspect mine.wasm").done().contains("Further documents"));
    assert_ne!(when(), before);
}

/// Mistakes that a build finds.
#[test]
fn what_a_build_finds() {
    let mut table = String::new();
    for language in Language::ALL.into_iter().filter(|language| language.is_here()) {
        let folder = Folder::new();
        language.project(&folder, "mine", "per-unit");
        let source = format!("mine/{}", language.source());
        let good = fs::read_to_string(folder.path(&source)).unwrap();
        let cases = match language {
            Language::JavaScript => [
                (
                    "a file of Node's",
                    format!("import {{ readFileSync }} from \"fs\";\nreadFileSync(\"prices.csv\");\n{good}"),
                ),
                ("a syntax error", good.replace("summary: ", "summary ")),
                ("no plugin is exported", good.replace("export const plugin", "const plugin")),
                (
                    "no summary",
                    good.replace("  summary: \"Charges each document beyond the included ones.\",\n", ""),
                ),
            ],
            Language::Python => [
                ("a package that is not there", format!("import prices_of_the_network\n{good}")),
                ("a syntax error", good.replace("event, usage):", "event, usage)")),
                ("another class's name", good.replace("class Mine", "class Yours")),
                (
                    "no name",
                    good.replace("name, version, settings = \"mine\", \"0.1.0\", Terms", "settings = Terms"),
                ),
            ],
        };
        for (what, text) in cases {
            assert_ne!(text, good, "{what}");
            folder.write(&source, text);
            let answer = folder.run("plugin build mine");
            assert_eq!(answer.code, 1, "{what}: {}", answer.in_words());
            let _ = writeln!(table, "# {}: {what}\n{}\n", language.word(), answer.errors.trim());
        }
    }
    if Language::ALL.into_iter().all(Language::is_here) {
        insta::assert_snapshot!(table);
    }
}

/// Mistakes that show when events are priced: the reason why the first event is held.
#[test]
fn what_a_run_finds() {
    let mut table = String::new();
    for language in Language::ALL.into_iter().filter(|language| language.is_here()) {
        let (guest, mistakes) = match language {
            Language::JavaScript => (
                "mistaken.js",
                &["number", "operator", "thrown", "undefined", "fetch", "clock", "random", "unit"][..],
            ),
            Language::Python => {
                ("mistaken.py", &["float", "float_times", "raised", "file", "clock", "unit"][..])
            }
        };
        let folder = Folder::new();
        language.project(&folder, "mine", "per-unit");
        folder.write(
            &format!("mine/{}", language.source()),
            committed(&format!("tests/guests/{guest}")).replace("Mistaken", "Mine"),
        );
        for mistake in mistakes {
            let settings = format!(r#"{{"price": "0.25", "mistake": "{mistake}"}}"#);
            folder.write("mine/fixtures/first/settings.json", settings);
            let answer = folder.run("plugin run mine");
            assert_eq!(answer.code, 7, "{mistake}: {}", answer.in_words());
            let held = answer.output.lines().find_map(|line| line.trim().strip_prefix("held 1: "));
            let _ = writeln!(table, "# {}: {mistake}\n{}\n", language.word(), held.unwrap_or(&answer.output));
        }
        folder.write("mine/fixtures/first/settings.json", r#"{"price": "0.25", "mistake": "state"}"#);
        let told = folder.run("plugin test mine --trials 4 --bless");
        assert_eq!(told.code, 7, "{}", told.in_words());
        let law = told.output.lines().find(|line| line.starts_with("FAILED")).unwrap();
        let fix = told.output.lines().find(|line| line.trim().starts_with("fix: ")).unwrap();
        let _ = writeln!(table, "# {}: state\n{law}\n{fix}\n", language.word());
    }
    if Language::ALL.into_iter().all(Language::is_here) {
        insta::assert_snapshot!(table);
    }
}

/// What is missing is named with the one command that gets it.
#[test]
fn without_its_tools_a_build_names_the_command() {
    let folder = Folder::new();
    for language in Language::ALL {
        folder.run(&format!("plugin new mine --lang {0} --directory {0}", language.word())).done();
        let mut command = folder.command(&format!("plugin build {}", language.word()));
        // Nothing is installed where nothing is found.
        let told = command.env("PATH", folder.path("nowhere")).output().unwrap();
        assert_eq!(told.status.code(), Some(1));
        let said = String::from_utf8(told.stderr).unwrap();
        let run = match language {
            Language::JavaScript => "npm install --prefix js",
            Language::Python => {
                "cd python && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"
            }
        };
        assert!(said.contains("is not installed: it takes") && said.contains(run), "{said}");
    }
    fs::create_dir(folder.path("empty")).unwrap();
    let told = folder.run("plugin test empty");
    assert!(
        told.errors.contains("it holds no Cargo.toml, package.json or pyproject.toml"),
        "{}",
        told.errors
    );
    folder.write("python/pyproject.toml", "[project]\nname = \"mine\"\nversion = \"1\"\n");
    assert!(folder.run("plugin build python").errors.contains("plugin = \"plugin:PerDocument\""));
    folder.write("js/package.json", r#"{"name": "mine", "version": "1.0.0"}"#);
    assert!(
        folder.run("plugin build js").errors.contains("`main` is missing; write \"main\": \"src/plugin.js\"")
    );
}
