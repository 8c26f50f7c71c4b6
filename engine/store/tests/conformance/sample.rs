//! Events, charges and commits to keep: small ones to read, and batches as the engine makes them.

use std::sync::Arc;

use rust_decimal::Decimal;
use tollgate_core::charge::{Charge, Line, Refused, Split, UsageRow};
use tollgate_core::event::{Event, EventKey};
use tollgate_core::ledger::{Account, Balance, Entry, EntryKind, Owner, Posting};
use tollgate_core::money::Amount;
use tollgate_core::period::Period;
use tollgate_core::quantity::Quantity;
use tollgate_core::store::{
    Commit, CounterChange, CounterKey, HoldCause, HoldReason, Notice, NoticeKind, Outcome, RecordChange,
    RecordKey, RecordKind, Sequence, StatementKey, StatementTotals, Store, StoreError, Version, Voided,
};
use tollgate_core::wallet::{Draw, Source};

pub const APP: &str = "acme-docs";

pub fn period(text: &str) -> Period {
    text.parse().unwrap()
}

pub fn quantity(text: &str) -> Quantity {
    Quantity::new(Decimal::from_str_exact(text).unwrap()).unwrap()
}

pub fn key(id: &str) -> EventKey {
    EventKey { app: APP.to_owned(), id: id.to_owned() }
}

/// An event of about the size that real ones have.
pub fn event(id: &str, customer: &str) -> Arc<Event> {
    let received = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"{APP}","type":"ai.usage","subject":"{customer}","time":"2023-11-16T18:17:03.979Z","data":{{"feature":"document-review","route":"premium","model":"gpt-4o-mini","measures":{{"input_tokens":4808,"output_tokens":10,"pages":12}},"attributes":{{"conversation":"c00-0","department":"legal"}}}}}}"#
    );
    let mut fingerprint = [7; 16];
    for (byte, letter) in fingerprint.iter_mut().zip(id.bytes().rev()) {
        *byte = letter;
    }
    Arc::new(Event {
        key: key(id),
        customer: customer.to_owned(),
        time: 1_700_158_623_979,
        feature: "document-review".to_owned(),
        route: "premium".to_owned(),
        model: "gpt-4o-mini".to_owned(),
        provider: "openai".to_owned(),
        measures: vec![("input_tokens".to_owned(), quantity("4808"))],
        attributes: vec![("department".to_owned(), "legal".to_owned())],
        reported_cost: None,
        fingerprint,
        received: received.into(),
    })
}

/// A charge in which every field says something.
pub fn charge(total: i64) -> Charge {
    Charge {
        tariff: "docs-2023".into(),
        parent: None,
        period: period("2023-11"),
        late: false,
        total: Amount::from_nano(total),
        split: Split {
            network_cost: Amount::from_nano(100),
            platform_fee: Amount::from_nano(20),
            builder_earnings: Amount::from_nano(total - 120),
        },
        usage: vec![UsageRow {
            unit: "document".into(),
            group: "".into(),
            key: "".into(),
            quantity: quantity("1"),
            before: quantity("41"),
            after: quantity("42"),
        }],
        lines: vec![
            Line { code: "included".into(), quantity: quantity("1"), unit_price: None, amount: Amount::ZERO },
            Line {
                code: "overage".into(),
                quantity: quantity("0.5"),
                unit_price: Some(Decimal::new(20, 3)),
                amount: Amount::from_nano(total),
            },
        ],
        refused: Vec::new(),
        draws: Vec::new(),
    }
}

/// A charge that a wallet covered, from every source that there is.
pub fn drawn_charge() -> Charge {
    let draw = |source, nano| Draw { source, amount: Amount::from_nano(nano) };
    let draws = vec![
        draw(Source::Grant("welcome".into()), 1),
        draw(Source::Grant("018bd7e2-9c4f-7a10-8000-0123456789ab".into()), i64::MAX),
        draw(Source::Paid, i64::MIN),
        draw(Source::Credit, 0),
        draw(Source::Uncovered, -1),
    ];
    Charge { draws, ..charge(500) }
}

/// A charge with the values that are hardest to keep.
pub fn extreme_charge() -> Charge {
    let most = quantity("9999999999999999.999999999999");
    Charge {
        tariff: "tariff \u{1f9fe} with \"quotes\"".into(),
        parent: Some("a parent, \u{e9}".into()),
        period: period("0001-01"),
        late: true,
        total: Amount::from_nano(i64::MIN),
        split: Split {
            network_cost: Amount::from_nano(i64::MAX),
            platform_fee: Amount::from_nano(-1),
            builder_earnings: Amount::from_nano(i64::MIN),
        },
        usage: vec![UsageRow {
            unit: "".into(),
            group: "department=legal".into(),
            key: "conversation-\u{0}-9".into(),
            quantity: quantity("-0.000000000001"),
            before: most,
            after: quantity("-9999999999999999.999999999999"),
        }],
        lines: vec![Line {
            code: "\u{e9}".into(),
            quantity: most,
            unit_price: Some(Decimal::MAX),
            amount: Amount::from_nano(-1),
        }],
        refused: vec![
            Refused { code: "spent".into(), detail: "the quota\nis spent".to_owned() },
            Refused { code: "spent".into(), detail: String::new() },
        ],
        draws: Vec::new(),
    }
}

/// What takes a charge back: everything with the other sign, and the counter's step the other way.
pub fn reversal(charge: &Charge) -> Charge {
    let less = |amount: Amount| Amount::from_nano(-amount.nano());
    let fewer = |quantity: Quantity| Quantity::new(-quantity.decimal()).unwrap();
    let Split { network_cost, platform_fee, builder_earnings } = charge.split;
    let back = |row: &UsageRow| UsageRow {
        quantity: fewer(row.quantity),
        before: row.after,
        after: row.before,
        ..row.clone()
    };
    Charge {
        total: less(charge.total),
        split: Split {
            network_cost: less(network_cost),
            platform_fee: less(platform_fee),
            builder_earnings: less(builder_earnings),
        },
        usage: charge.usage.iter().map(back).collect(),
        lines: charge
            .lines
            .iter()
            .map(|line| Line { quantity: fewer(line.quantity), amount: less(line.amount), ..line.clone() })
            .collect(),
        ..charge.clone()
    }
}

/// How an event charged so is taken back.
pub fn voided(charge: &Charge) -> Voided {
    let reason = "the answer was empty \u{1f9fe}".to_owned();
    Voided { reversal: Some(reversal(charge)), reason, at: 1_700_200_000_123, replacement: None }
}

/// How an event charged so is taken back once its period is closed: by a reversal of another month.
pub fn voided_late(charge: &Charge, month: &str) -> Voided {
    let reversal = Charge { period: period(month), late: true, ..reversal(charge) };
    Voided { reversal: Some(reversal), ..voided(charge) }
}

/// How a held event is taken back.
pub fn voided_hold() -> Voided {
    Voided { reversal: None, reason: "sent by mistake".to_owned(), at: -1, replacement: None }
}

/// Takes one event back.
pub fn one_void(sequence: Sequence, voided: Voided) -> Commit {
    Commit { voids: vec![(sequence, voided)], ..Commit::default() }
}

pub fn rated(total: i64) -> Arc<Outcome> {
    Arc::new(Outcome::Rated(charge(total)))
}

pub fn held(message: &str) -> Arc<Outcome> {
    Arc::new(Outcome::Held(HoldReason { cause: HoldCause::NoPrice, message: message.to_owned() }))
}

pub fn counter(owner: &str, unit: &str, month: &str) -> CounterKey {
    CounterKey {
        app: APP.into(),
        owner: owner.into(),
        unit: unit.into(),
        group: "".into(),
        period: period(month),
    }
}

pub fn step(key: CounterKey, before: &str, after: &str) -> CounterChange {
    CounterChange { key, before: quantity(before), after: quantity(after) }
}

pub fn statement(app: &str, customer: &str, month: &str) -> StatementKey {
    StatementKey { app: app.into(), customer: customer.into(), period: period(month) }
}

/// What charges of these totals add to a statement.
pub fn totals(amounts: &[i64]) -> StatementTotals {
    let mut totals = StatementTotals::default();
    for amount in amounts {
        let charge = charge(*amount);
        totals.add_charge(1, &charge).unwrap();
    }
    totals
}

pub fn account(owner: Owner) -> Account {
    Account { owner, currency: "USD".to_owned() }
}

/// The balances that `events` charges of this total add, for one customer.
pub fn balances(customer: &str, total: i64, events: i64) -> Vec<(Account, Balance)> {
    let posted = |nano: i64| Balance::default().with(Amount::from_nano(nano * events)).unwrap();
    vec![
        (account(Owner::Customer { app: APP.to_owned(), customer: customer.to_owned() }), posted(-total)),
        (account(Owner::Provider("openai".to_owned())), posted(100)),
        (account(Owner::Platform), posted(20)),
        (account(Owner::Builder("acme".to_owned())), posted(total - 120)),
    ]
}

/// A payment of a customer, with its two postings.
pub fn payment(id: &str, customer: &str, nano: i64) -> Entry {
    let posting = |owner, nano| Posting { account: account(owner), amount: Amount::from_nano(nano) };
    Entry {
        id: id.to_owned(),
        kind: EntryKind::Payment,
        at: 1_700_158_623_979,
        postings: vec![
            posting(Owner::Clearing("bank".to_owned()), -nano),
            posting(Owner::paid(APP, customer), nano),
        ],
        reverses: None,
        request: serde_json::json!({"amount": "0.5", "reference": "invoice \u{1f9fe} 7"}),
    }
}

/// What posting an entry changes.
pub fn posted(entry: Entry) -> Commit {
    Commit { balances: entry.balances().unwrap(), entries: vec![entry], ..Commit::default() }
}

pub fn wallet(customer: &str) -> RecordKey {
    RecordKey::new(RecordKind::Wallet, APP, customer)
}

/// Makes a record at a version say something, and never want to be looked at.
pub fn change(key: RecordKey, before: Version, body: &str) -> RecordChange {
    RecordChange { key, before, due: None, body: body.to_owned() }
}

pub fn notice(at: i64) -> Notice {
    let data = serde_json::json!({"app": APP, "customer": "c1", "balance": "-0.000000001"});
    Notice { builder: "acme".to_owned(), kind: NoticeKind::WalletLow, at, data }
}

/// Submits a commit and waits for it.
pub fn commit(store: &dyn Store, commit: Commit) -> Result<(), StoreError> {
    store.submit(commit)?.wait()
}

/// A commit of one event alone.
pub fn one_event(id: &str, outcome: Arc<Outcome>) -> Commit {
    Commit { events: vec![(event(id, "c1"), outcome)], ..Commit::default() }
}

/// What the engine makes of a batch: charged events, and 40 counters, statements and balances around them.
/// The counters go from `batch` to `batch + 1`.
pub fn batch(ids: &[String], batch: u32) -> Commit {
    let mut made = Commit::default();
    let customers: Vec<String> = (0..40).map(|number| format!("workspace-{number:02}")).collect();
    for (id, customer) in ids.iter().zip(customers.iter().cycle()) {
        made.events.push((event(id, customer), rated(20_000_000)));
    }
    let mut sums = std::collections::BTreeMap::new();
    for (position, customer) in customers.iter().enumerate().take(ids.len()) {
        let events = (ids.len() - position).div_ceil(40);
        let (before, after) = (batch.to_string(), (batch + 1).to_string());
        made.counters.push(step(counter(customer, "document", "2023-11"), &before, &after));
        let key = statement(APP, customer, "2023-11");
        made.statements.push((key, totals(&vec![20_000_000; events])));
        for (account, added) in balances(customer, 20_000_000, i64::try_from(events).unwrap()) {
            let sum: &mut Balance = sums.entry(account).or_default();
            *sum = sum.plus(added).unwrap();
        }
    }
    made.balances = sums.into_iter().collect();
    made
}
