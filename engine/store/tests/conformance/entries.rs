//! Entries come back as they were posted, each once, in order, to whom they concern.

use tollgate_core::ledger::{Entry, EntryKind, Owner, Posting};
use tollgate_core::money::Amount;
use tollgate_core::store::{Commit, Store, StoreError};

use crate::Fixture;
use crate::sample::{self, APP, account, commit, payment, posted};

const KINDS: [EntryKind; 15] = [
    EntryKind::Grant,
    EntryKind::Expiry,
    EntryKind::Payment,
    EntryKind::PaymentRefund,
    EntryKind::Chargeback,
    EntryKind::ChargebackWon,
    EntryKind::Refund,
    EntryKind::Payout,
    EntryKind::Reserve,
    EntryKind::ReserveRelease,
    EntryKind::PayoutPaid,
    EntryKind::PayoutReturned,
    EntryKind::Settlement,
    EntryKind::Transfer,
    EntryKind::ProviderFee,
];

/// An entry that posts one nano-unit to each of these owners.
fn entry(id: &str, owners: &[Owner]) -> Entry {
    let postings =
        owners.iter().map(|owner| Posting { account: account(owner.clone()), amount: Amount::from_nano(1) });
    Entry { postings: postings.collect(), ..payment(id, "c1", 500) }
}

fn keep(store: &dyn Store, entries: Vec<Entry>) {
    commit(store, Commit { entries, ..Commit::default() }).unwrap();
}

/// The ids of entries, whose numbers must grow.
fn ids(store: &dyn Store, owner: Option<&Owner>, after: u64, limit: usize) -> Vec<String> {
    let entries = store.entries(owner, after, limit).unwrap();
    assert!(entries.iter().all(|(number, _)| *number > after));
    assert!(entries.is_sorted_by(|(a, _), (b, _)| a < b));
    for (number, entry) in &entries {
        assert_eq!(store.entry(&entry.id).unwrap().as_ref(), Some(&(*number, entry.clone())));
    }
    entries.into_iter().map(|(_, entry)| entry.id).collect()
}

pub fn every_kind_of_entry_comes_back(fixture: &Fixture) {
    let mut entries: Vec<Entry> = KINDS
        .into_iter()
        .map(|kind| Entry { kind, ..payment(&format!("{kind} \u{1f9fe}"), "c1", i64::MAX) })
        .collect();
    entries[3].reverses = Some(entries[2].id.clone());
    entries[4].at = i64::MIN;
    entries[5].request = serde_json::json!({"nested": [null, true, -7, {"text": "\u{0}\"\\"}], "empty": {}});
    entries[6] = Entry { kind: EntryKind::Refund, ..entry("", &[Owner::Platform, Owner::Platform]) };
    keep(&*fixture.store, entries.clone());
    let numbered: Vec<(u64, Entry)> = (1..).zip(entries).collect();
    assert_eq!(fixture.other.entries(None, 0, 100).as_ref(), Ok(&numbered));
    for (number, entry) in numbered {
        assert_eq!(fixture.other.entry(&entry.id.clone()), Ok(Some((number, entry))));
    }
    assert_eq!(fixture.other.entry("absent"), Ok(None));
}

pub fn an_entry_is_posted_once(fixture: &Fixture) {
    let stale = || Err(StoreError::Stale("entry \"p1\" is posted already".to_owned()));
    commit(&*fixture.store, posted(payment("p1", "c1", 500))).unwrap();
    let balances = fixture.store.balances();
    let mut again = posted(payment("p2", "c1", 500));
    again.entries.push(payment("p1", "another", 700));
    again.notices.push(sample::notice(7));
    assert_eq!(commit(&*fixture.other, again), stale());
    let mut twice = posted(payment("p0", "c1", 500));
    twice.entries = vec![payment("p0", "c1", 500), payment("p0", "c1", 500)];
    let reason = "entry \"p0\" is posted already".to_owned();
    assert_eq!(commit(&*fixture.store, twice), Err(StoreError::Stale(reason)));
    assert_eq!(commit(&*fixture.store, posted(payment("p1", "c1", 500))), stale());
    assert_eq!(fixture.other.entries(None, 0, 9), Ok(vec![(1, payment("p1", "c1", 500))]));
    assert_eq!(fixture.other.balances(), balances);
    assert_eq!(fixture.other.notices(0, 9), Ok(Vec::new()));
    // What was refused leaves no gap.
    commit(&*fixture.other, posted(payment("p2", "c1", 500))).unwrap();
    assert_eq!(fixture.store.entry("p2"), Ok(Some((2, payment("p2", "c1", 500)))));
}

pub fn entries_go_page_by_page(fixture: &Fixture) {
    for first in [0, 3, 6] {
        keep(
            &*fixture.store,
            (first..first + 3).map(|number| payment(&format!("p{number}"), "c1", 1)).collect(),
        );
    }
    let all: Vec<String> = (0..9).map(|number| format!("p{number}")).collect();
    for (owner, limit) in [None, Some(&Owner::paid(APP, "c1"))]
        .into_iter()
        .flat_map(|owner| (1..10).map(move |limit| (owner, limit)))
    {
        let mut after = 0;
        let mut read = Vec::new();
        loop {
            let page = fixture.other.entries(owner, after, limit).unwrap();
            let Some((last, _)) = page.last() else { break };
            assert!(page.len() <= limit);
            after = *last;
            read.extend(page.into_iter().map(|(_, entry)| entry.id));
        }
        assert_eq!(read, all, "{owner:?} by {limit}");
    }
    assert_eq!(ids(&*fixture.other, None, 0, 0), [""; 0]);
    assert_eq!(ids(&*fixture.other, None, 7, usize::MAX), ["p7", "p8"]);
    assert_eq!(ids(&*fixture.other, None, u64::MAX, 9), [""; 0]);
}

pub fn entries_are_listed_by_owner(fixture: &Fixture) {
    let (app, name) = ("x", || "x".to_owned());
    let owners = [
        Owner::customer(app, "x"),
        Owner::Provider(name()),
        Owner::Platform,
        Owner::Builder(name()),
        Owner::paid(app, "x"),
        Owner::granted(app, "x"),
        Owner::Clearing(name()),
        Owner::Transit(name()),
        Owner::Reserve(name()),
    ];
    let alone = |(number, owner)| entry(&format!("alone {number}"), &[owner]);
    keep(&*fixture.store, owners.iter().cloned().enumerate().map(alone).collect());
    // An entry is listed once, however many accounts of the owner it posts to, and in whatever currency.
    let mut together = entry("together", &[owners.as_slice(), owners.as_slice()].concat());
    "EUR".clone_into(&mut together.postings[0].account.currency);
    keep(&*fixture.store, vec![together, entry("nobody's", &[])]);
    for (number, owner) in owners.iter().enumerate() {
        let theirs = [format!("alone {number}"), "together".to_owned()];
        assert_eq!(ids(&*fixture.other, Some(owner), 0, 9), theirs, "{owner:?}");
        assert_eq!(ids(&*fixture.other, Some(owner), 0, 1), theirs[..1], "{owner:?}");
        assert_eq!(ids(&*fixture.other, Some(owner), 9, 9), theirs[1..], "{owner:?}");
    }
    assert_eq!(ids(&*fixture.other, None, 0, 100).len(), 11);
    for stranger in [Owner::paid("x", "y"), Owner::paid("y", "x"), Owner::Builder("y".into())] {
        assert_eq!(ids(&*fixture.other, Some(&stranger), 0, 9), [""; 0], "{stranger:?}");
    }
}
