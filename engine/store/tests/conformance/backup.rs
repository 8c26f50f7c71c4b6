//! A backup is whole, whatever is written meanwhile; and it comes back only where nothing is lost by it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use tempfile::TempDir;
use tollgate_core::access::AccessStore;
use tollgate_core::store::{Commit, RecordFilter, RecordKind, StatementFilter, Store};
use tollgate_store::{BackupError, SqliteStore};

use crate::sample::{self, APP, commit, one_event};
use crate::sqlite_file::{filled, open};

const EVENTS_PER_BATCH: usize = 20;

fn ids(batch: u32) -> Vec<String> {
    (0..EVENTS_PER_BATCH).map(|number| format!("{batch}-{number}")).collect()
}

/// A batch that money moves with.
fn batch(number: u32) -> Commit {
    let mut made = sample::batch(&ids(number), number);
    let moved = sample::posted(sample::payment(&number.to_string(), "c1", 500));
    made.balances.extend(moved.balances);
    made.entries = moved.entries;
    made.records.push(sample::change(sample::wallet("c1"), number.into(), &number.to_string()));
    made.notices.push(sample::notice(number.into()));
    made
}

/// The message of a refusal, without the directory it happened in.
fn refusal(directory: &TempDir, result: Result<(), BackupError>) -> String {
    result.unwrap_err().to_string().replace(&format!("{}/", directory.path().display()), "")
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Checks that a store is the state after some batch, whole and in balance; gives back how many it holds.
fn batches_of(store: &SqliteStore) -> u32 {
    let events = store.scan(0, usize::MAX).unwrap();
    assert_eq!(events.len() % EVENTS_PER_BATCH, 0, "half a batch");
    let batches = u32::try_from(events.len() / EVENTS_PER_BATCH).unwrap();
    let kept: Vec<&str> = events.iter().map(|event| event.key.id.as_str()).collect();
    assert_eq!(kept, (0..batches).flat_map(ids).collect::<Vec<_>>());
    let net: i128 = store.balances().unwrap().iter().map(|(_, balance)| balance.net().unwrap()).sum();
    assert_eq!(net, 0);
    let statements = store.statements(&StatementFilter::default()).unwrap();
    assert_eq!(statements.iter().map(|(_, totals)| totals.events).sum::<u64>(), events.len() as u64);
    assert!(store.usage(APP, None, None).unwrap().iter().all(|(_, value)| *value == batches.into()));
    let history = store.events_of(APP, "workspace-03", None, None, usize::MAX).unwrap();
    assert_eq!(history.len(), batches as usize);
    assert_eq!(store.entries(None, 0, usize::MAX).unwrap().len(), batches as usize);
    assert_eq!(store.notices(0, usize::MAX).unwrap().len(), batches as usize);
    let wallet = store.records(&[sample::wallet("c1")]).unwrap().pop().unwrap();
    assert_eq!(wallet.map_or(0, |wallet| wallet.version), u64::from(batches));
    batches
}

#[test]
fn a_backup_taken_while_others_write_holds_all_that_was_acknowledged_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("tollgate.db")).unwrap();
    let (acknowledged, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for batch in 0.. {
                commit(&store, self::batch(batch)).unwrap();
                acknowledged.store(batch + 1, Ordering::SeqCst);
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let mut last = 0;
        for number in 0..5 {
            while acknowledged.load(Ordering::SeqCst) < last + 10 {
                thread::yield_now();
            }
            let before = acknowledged.load(Ordering::SeqCst);
            let name = format!("backups/{number}.db");
            fs::create_dir_all(directory.path().join("backups")).unwrap();
            store.backup(&directory.path().join(name)).unwrap();
            last = acknowledged.load(Ordering::SeqCst);
            let copy = directory.path().join(format!("backups/{number}.db"));
            let held = batches_of(&open(&copy).unwrap());
            // One commit may be durable and not yet told of.
            assert!(held >= before && held <= last + 1, "{held} batches, {before} to {last} acknowledged");
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert_eq!(batches_of(&store), acknowledged.load(Ordering::SeqCst));
    let expected: Vec<String> = (0..5).map(|number| format!("{number}.db")).collect();
    assert_eq!(names(&directory.path().join("backups")), expected, "each is one file");
}

#[test]
fn a_backup_comes_back_with_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(&directory);
    let store = open(&path).unwrap();
    let backup = directory.path().join("backup.db");
    store.backup(&backup).unwrap();
    let restored_path = directory.path().join("restored.db");
    SqliteStore::restore(&backup, &restored_path).unwrap();
    let restored = open(&restored_path).unwrap();
    assert_eq!(restored.scan(0, 100), store.scan(0, 100));
    assert_eq!(restored.counts(), store.counts());
    assert_eq!(restored.balances(), store.balances());
    assert_eq!(restored.keys(), store.keys());
    assert_eq!(restored.closing_charges(None, None), store.closing_charges(None, None));
    assert_eq!(restored.entries(None, 0, 100), store.entries(None, 0, 100));
    assert_eq!(restored.notices(0, 100), store.notices(0, 100));
    let wallets = RecordFilter::of(RecordKind::Wallet);
    assert_eq!(restored.list_records(&wallets, 100), store.list_records(&wallets, 100));
    assert_eq!(restored.list_records(&wallets, 100).unwrap().len(), 1);
    commit(&restored, one_event("after", sample::rated(500))).unwrap();
    drop((store, restored));
    assert_eq!(names(directory.path()), ["backup.db", "restored.db", "tollgate.db"]);
}

#[test]
fn a_backup_takes_nobodys_place() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&filled(&directory)).unwrap();
    let (taken, copy) = (directory.path().join("taken.db"), directory.path().join("copy.db"));
    fs::write(&taken, "notes").unwrap();
    insta::assert_snapshot!(refusal(&directory, store.backup(&taken)),
        @"taken.db is there already: choose another name, or move it away");
    assert_eq!(fs::read_to_string(&taken).unwrap(), "notes");

    fs::write(directory.path().join("copy.db.partial"), "half").unwrap();
    insta::assert_snapshot!(refusal(&directory, store.backup(&copy)),
        @"copy.db.partial is there already: another copy is being made, or one was cut short; if none is, delete it");
    fs::remove_file(directory.path().join("copy.db.partial")).unwrap();

    fs::write(directory.path().join("copy.db-wal"), "somebody's log").unwrap();
    insta::assert_snapshot!(refusal(&directory, store.backup(&copy)),
        @"copy.db-wal is there already: choose another name, or move it away");
    fs::remove_file(directory.path().join("copy.db-wal")).unwrap();

    let nowhere = refusal(&directory, store.backup(&directory.path().join("absent/copy.db")));
    assert!(nowhere.starts_with("absent/copy.db.partial: "), "{nowhere}");
    assert!(!copy.exists());
    store.backup(&copy).unwrap();
}

#[test]
#[cfg(unix)]
fn a_backup_is_read_by_who_reads_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = filled(&directory);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let backup = directory.path().join("backup.db");
    open(&path).unwrap().backup(&backup).unwrap();
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
#[cfg(unix)]
fn what_is_made_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("tollgate.db")).unwrap();
    commit(&store, batch(0)).unwrap();
    let (backup, restored) = (directory.path().join("backup.db"), directory.path().join("restored.db"));
    store.backup(&backup).unwrap();
    fs::set_permissions(&backup, fs::Permissions::from_mode(0o644)).unwrap();
    SqliteStore::restore(&backup, &restored).unwrap();
    fs::set_permissions(&backup, fs::Permissions::from_mode(0o600)).unwrap();
    let names = names(directory.path());
    assert!(names.contains(&"tollgate.db-wal".to_owned()), "{names:?}");
    for name in names {
        let mode = fs::metadata(directory.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_backup_whose_plugin_was_damaged_is_not_restored() {
    let directory = tempfile::tempdir().unwrap();
    let backup = directory.path().join("backup.db");
    open(&filled(&directory)).unwrap().backup(&backup).unwrap();
    let mut bytes = fs::read(&backup).unwrap();
    let at = bytes.windows(4).rposition(|part| part == b"wasm").unwrap();
    bytes[at] ^= 1;
    fs::write(&backup, &bytes).unwrap();
    let refused = refusal(&directory, SqliteStore::restore(&backup, &directory.path().join("restored.db")));
    let digest = tollgate_core::plugin::Digest::of(b"wasm");
    let finding = format!("the component of plugin {digest} is not the one that was kept");
    assert_eq!(refused, format!("backup.db is damaged: {finding}"));
    assert_eq!(names(directory.path()).iter().filter(|name| name.starts_with("restored")).count(), 0);
}

#[test]
fn what_is_no_sound_backup_is_not_restored() {
    let directory = tempfile::tempdir().unwrap();
    let backup = directory.path().join("backup.db");
    let store = open(&filled(&directory)).unwrap();
    store.backup(&backup).unwrap();
    let sound = fs::read(&backup).unwrap();
    let to = directory.path().join("restored.db");
    let restore = |name: &str, bytes: &[u8]| {
        let from = directory.path().join(name);
        fs::write(&from, bytes).unwrap();
        refusal(&directory, SqliteStore::restore(&from, &to))
    };
    insta::assert_snapshot!(restore("empty.db", b""),
        @"empty.db is not a Tollgate database: choose another file, or an empty or absent one to start anew");
    let notes = "no database, but long enough for a header ".repeat(99);
    insta::assert_snapshot!(restore("notes.txt", notes.as_bytes()),
        @"notes.txt is not a Tollgate database: choose another file, or an empty or absent one to start anew");
    let mut newer = sound.clone();
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    insta::assert_snapshot!(restore("newer.db", &newer),
        @"newer.db has schema 99, and this Tollgate knows schemas up to 4: use a newer Tollgate");
    let mut foreign = sound.clone();
    foreign[68..72].copy_from_slice(&7_u32.to_be_bytes());
    insta::assert_snapshot!(restore("foreign.db", &foreign),
        @"foreign.db is not a Tollgate database: choose another file, or an empty or absent one to start anew");

    let cut = restore("cut.db", &sound[..sound.len() / 2]);
    assert!(cut.starts_with("cut.db is damaged: "), "{cut}");
    // Any page but the first, whose header decides what the file is.
    for page in 1..sound.len() / 4096 {
        let mut damaged = sound.clone();
        damaged[page * 4096..][..16].fill(0xee);
        let words = restore("damaged.db", &damaged);
        assert!(words.starts_with("damaged.db is damaged: "), "page {page}: {words}");
    }
    assert!(names(directory.path()).iter().all(|name| !name.starts_with("restored")));
}

#[test]
fn a_restore_takes_nobodys_place_and_wants_a_closed_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(&directory);
    let store = open(&path).unwrap();
    let backup = directory.path().join("backup.db");
    store.backup(&backup).unwrap();
    insta::assert_snapshot!(refusal(&directory, SqliteStore::restore(&backup, &path)),
        @"tollgate.db is there already: choose another name, or move it away");
    assert_eq!(open(&path).unwrap().counts(), store.counts());

    commit(&store, one_event("in the log", sample::rated(500))).unwrap();
    let to = directory.path().join("restored.db");
    insta::assert_snapshot!(refusal(&directory, SqliteStore::restore(&path, &to)),
        @"tollgate.db has a log beside it, so the file is not all of it: make a backup of it first");
    let absent = refusal(&directory, SqliteStore::restore(&directory.path().join("absent.db"), &to));
    assert!(absent.starts_with("absent.db: "), "{absent}");
    drop(store);
    // Closed, the file is all of it.
    SqliteStore::restore(&path, &to).unwrap();
    assert_eq!(open(&to).unwrap().counts(), open(&path).unwrap().counts());
}
