//! What changed in a plugin's folder, found by looking. A few dozen files are looked through in less time than
//! it takes to notice, and it works on every file system.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Endings of files that a build or a test reads.
const ENDINGS: [&str; 10] = ["rs", "js", "mjs", "ts", "py", "txt", "toml", "json", "ndjson", "wit"];
/// Folders that are made, not written; so are those whose name begins with a dot.
const SKIPPED: [&str; 4] = ["target", "build", "node_modules", "__pycache__"];
/// How deep folders are looked into.
const DEPTH_MAX: usize = 8;

/// The state of a folder when it was last looked at.
pub struct Watch {
    folder: PathBuf,
    seen: BTreeMap<PathBuf, (Option<SystemTime>, u64)>,
}

impl Watch {
    /// Looks at a folder for the first time.
    pub fn new(folder: &Path) -> Self {
        let mut watch = Self { folder: folder.to_owned(), seen: BTreeMap::new() };
        watch.changed();
        watch
    }

    /// Files that were written, made or deleted since the last look, relative to the folder.
    pub fn changed(&mut self) -> Vec<PathBuf> {
        let mut now = BTreeMap::new();
        look(&self.folder, 0, &mut now);
        let written = now.iter().filter(|(path, state)| self.seen.get(*path) != Some(state));
        let deleted = self.seen.keys().filter(|path| !now.contains_key(*path));
        let changed = written.map(|(path, _)| path).chain(deleted);
        let changed =
            changed.map(|path| path.strip_prefix(&self.folder).unwrap_or(path).to_owned()).collect();
        self.seen = now;
        changed
    }
}

fn look(folder: &Path, depth: usize, found: &mut BTreeMap<PathBuf, (Option<SystemTime>, u64)>) {
    if depth > DEPTH_MAX {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&&*name) {
                look(&path, depth + 1, found);
            }
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
            && let Ok(state) = entry.metadata()
        {
            found.insert(path, (state.modified().ok(), state.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_build_reads_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        fs::create_dir_all(folder.path().join("target")).unwrap();
        fs::create_dir_all(folder.path().join(".venv")).unwrap();
        fs::create_dir_all(folder.path().join("src")).unwrap();
        write("src/lib.rs", "");
        let mut watch = Watch::new(folder.path());
        assert!(watch.changed().is_empty());
        write("target/made.rs", "");
        write(".venv/installed.py", "");
        write("notes.md", "");
        assert!(watch.changed().is_empty());
        write("src/lib.rs", "// new");
        write("src/plugin.py", "");
        write("Cargo.toml", "");
        assert_eq!(watch.changed(), ["Cargo.toml", "src/lib.rs", "src/plugin.py"].map(PathBuf::from));
        fs::remove_file(folder.path().join("Cargo.toml")).unwrap();
        assert_eq!(watch.changed(), ["Cargo.toml"].map(PathBuf::from));
    }
}
