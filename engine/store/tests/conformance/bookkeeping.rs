//! Sums are right, and lists are in order.

use tollgate_core::charge::Charge;
use tollgate_core::ledger::{Account, Balance, Owner};
use tollgate_core::quantity::{Quantity, QuantitySum};
use tollgate_core::store::{
    Closing, ClosingCharge, Commit, CounterKey, EventCounts, StatementFilter, StatementTotals, Store,
    StoreError,
};

use crate::Fixture;
use crate::sample::{self, APP, account, commit, counter, period, quantity, statement, step};

/// Keeps statements of two apps, out of order; gives back their keys in order.
fn keep_statements(store: &dyn Store) -> Vec<(&'static str, &'static str, &'static str)> {
    let sorted = vec![
        ("b-app", "Zoe", "2023-11"),
        (APP, "adam", "2023-11"),
        ("b-app", "adam", "2023-11"),
        (APP, "adam", "2023-12"),
        (APP, "zoe", "2022-01"),
    ];
    for (app, customer, month) in [sorted[3], sorted[1], sorted[4], sorted[0], sorted[2]] {
        let statements = vec![(statement(app, customer, month), sample::totals(&[500]))];
        commit(store, Commit { statements, ..Commit::default() }).unwrap();
    }
    sorted
}

fn keys(store: &dyn Store, filter: &StatementFilter) -> Vec<(String, String, String)> {
    let statements = store.statements(filter).unwrap();
    statements
        .iter()
        .map(|(key, _)| (key.app.to_string(), key.customer.to_string(), key.period.to_string()))
        .collect()
}

fn owned(keys: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    keys.iter().map(|(app, customer, month)| ((*app).into(), (*customer).into(), (*month).into())).collect()
}

pub fn statements_add_up_and_are_sorted(fixture: &Fixture) {
    let sorted = keep_statements(&*fixture.store);
    let more = StatementTotals {
        events: 3,
        lines: vec![
            ("credit".into(), QuantitySum::from_pico(-1), -1),
            ("overage".into(), QuantitySum::from_pico(10_i128.pow(30)), i128::from(i64::MAX) * 4),
        ],
        network_cost: i128::from(i64::MAX) * 4,
        platform_fee: 0,
        builder_earnings: -1,
        from_granted: i128::from(i64::MAX) * 4,
        from_paid: -1,
    };
    let statements = vec![(statement(APP, "adam", "2023-11"), more.clone())];
    commit(&*fixture.other, Commit { statements, ..Commit::default() }).unwrap();
    assert_eq!(keys(&*fixture.store, &StatementFilter::default()), owned(&sorted));
    let mut sum = sample::totals(&[500]);
    sum.add(&more).unwrap();
    assert_eq!(fixture.store.statements(&StatementFilter::default()).unwrap()[1].1, sum);
}

pub fn statements_are_filtered(fixture: &Fixture) {
    let sorted = keep_statements(&*fixture.store);
    let filter = |app: Option<&str>, customer: Option<&str>, month: Option<&str>| StatementFilter {
        app: app.map(str::to_owned),
        customer: customer.map(str::to_owned),
        period: month.map(period),
    };
    let cases = [
        (filter(Some(APP), None, None), vec![sorted[1], sorted[3], sorted[4]]),
        (filter(None, Some("adam"), None), vec![sorted[1], sorted[2], sorted[3]]),
        (filter(None, None, Some("2023-11")), vec![sorted[0], sorted[1], sorted[2]]),
        (filter(Some(APP), Some("adam"), Some("2023-12")), vec![sorted[3]]),
        (filter(None, Some("nobody"), None), vec![]),
        (filter(Some(APP), None, Some("1999-01")), vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(keys(&*fixture.store, &filter), owned(&expected), "{filter:?}");
    }
}

pub fn balances_add_up_and_are_sorted(fixture: &Fixture) {
    for (store, customer) in [(&fixture.store, "zoe"), (&fixture.other, "adam"), (&fixture.store, "zoe")] {
        let balances = sample::balances(customer, 500, 1);
        commit(&**store, Commit { balances, ..Commit::default() }).unwrap();
    }
    let euros = Account { owner: Owner::Platform, currency: "EUR".to_owned() };
    let large = Balance {
        debits_posted: i128::MAX,
        credits_posted: i128::MAX - 1,
        debits_pending: i128::MAX - 2,
        credits_pending: i128::MAX - 3,
    };
    commit(&*fixture.store, Commit { balances: vec![(euros.clone(), large)], ..Commit::default() }).unwrap();
    let customer = |name: &str| account(Owner::Customer { app: APP.into(), customer: name.into() });
    let balance =
        |debits_posted, credits_posted| Balance { debits_posted, credits_posted, ..Balance::default() };
    let expected = vec![
        (customer("adam"), balance(500, 0)),
        (customer("zoe"), balance(1000, 0)),
        (account(Owner::Provider("openai".into())), balance(0, 300)),
        (euros, large),
        (account(Owner::Platform), balance(0, 60)),
        (account(Owner::Builder("acme".into())), balance(0, 1140)),
    ];
    for (account, balance) in &expected {
        assert_eq!(fixture.store.balance(account), Ok(*balance), "{account}");
    }
    assert_eq!(fixture.store.balance(&customer("nobody")), Ok(Balance::default()));
    assert_eq!(fixture.store.balance(&account(Owner::Reserve("acme".into()))), Ok(Balance::default()));
    assert_eq!(fixture.other.balances(), Ok(expected));
}

pub fn usage_is_sorted_and_filtered(fixture: &Fixture) {
    let grouped = CounterKey { group: "legal".into(), ..counter("adam", "page", "2023-11") };
    let sorted = [
        counter("Zoe", "page", "2023-11"),
        counter("adam", "document", "2023-11"),
        counter("adam", "page", "2023-11"),
        counter("adam", "page", "2023-12"),
        grouped,
    ];
    let stranger = CounterKey { app: "b-app".into(), ..counter("adam", "page", "2023-11") };
    let keys = sorted.iter().rev().chain([&stranger]);
    let counters = keys.map(|key| step(key.clone(), "0", "2.5")).collect();
    commit(&*fixture.store, Commit { counters, ..Commit::default() }).unwrap();
    let usage = |owner, month: Option<&str>| fixture.other.usage(APP, owner, month.map(period)).unwrap();
    let valued = |keys: &[&CounterKey]| -> Vec<(CounterKey, Quantity)> {
        keys.iter().map(|key| ((*key).clone(), quantity("2.5"))).collect()
    };
    assert_eq!(usage(None, None), valued(&sorted.each_ref()));
    assert_eq!(usage(Some("adam"), None), valued(&sorted.each_ref()[1..]));
    assert_eq!(usage(Some("adam"), Some("2023-12")), valued(&[&sorted[3]]));
    assert_eq!(usage(Some("nobody"), None), valued(&[]));
}

pub fn closing_charges_keep_their_order(fixture: &Fixture) {
    let charge =
        |customer: &str, charge| ClosingCharge { app: APP.into(), customer: customer.into(), charge };
    let november = [
        charge("zoe", sample::charge(1)),
        charge("adam", sample::extreme_charge()),
        charge("eve", sample::drawn_charge()),
    ];
    let october = [charge("adam", sample::charge(2))];
    for (month, charges) in [("2023-11", november.to_vec()), ("2023-10", october.to_vec())] {
        let closes = Some(Closing { app: APP.into(), period: period(month), charges });
        commit(&*fixture.store, Commit { closes, ..Commit::default() }).unwrap();
    }
    assert_eq!(fixture.other.closing_charges(None, None), Ok([&november[..], &october].concat()));
}

pub fn closing_charges_are_filtered(fixture: &Fixture) {
    let places = [(APP, "2023-11"), ("b-app", "2023-11"), (APP, "2023-10"), ("b-app", "2023-12")];
    for (number, (app, month)) in (1..).zip(places) {
        let due = |customer: &str| ClosingCharge {
            app: app.into(),
            customer: customer.into(),
            charge: Charge { period: period(month), ..sample::charge(number) },
        };
        let charges = vec![due("zoe"), due("adam")];
        let closes = Some(Closing { app: app.into(), period: period(month), charges });
        commit(&*fixture.store, Commit { closes, ..Commit::default() }).unwrap();
    }
    let totals = |app: Option<&str>, month: Option<&str>| -> Vec<i64> {
        let charges = fixture.other.closing_charges(app, month.map(period)).unwrap();
        assert!(charges.chunks(2).all(|pair| pair[0].customer == "zoe" && pair[1].customer == "adam"));
        charges.iter().step_by(2).map(|closing| closing.charge.total.nano()).collect()
    };
    assert_eq!(totals(None, None), [1, 2, 3, 4]);
    assert_eq!(totals(Some(APP), None), [1, 3]);
    assert_eq!(totals(Some("b-app"), None), [2, 4]);
    assert_eq!(totals(Some(APP), Some("2023-10")), [3]);
    assert_eq!(totals(None, Some("2023-11")), [1, 2]);
    assert_eq!(totals(Some(APP), Some("2023-12")), [0; 0]);
    assert_eq!(totals(Some("unknown"), Some("2023-11")), [0; 0]);
}

pub fn sums_that_do_not_fit_fail(fixture: &Fixture) {
    let most = Balance { debits_posted: i128::MAX, ..Balance::default() };
    let one = Balance { debits_posted: 1, ..Balance::default() };
    let add = |id: &str, balance| Commit {
        balances: vec![(account(Owner::Platform), balance)],
        ..sample::one_event(id, sample::rated(500))
    };
    commit(&*fixture.store, add("fits", most)).unwrap();
    let reason = "the balance of platform (USD) does not fit".to_owned();
    assert_eq!(commit(&*fixture.store, add("does not", one)), Err(StoreError::Failed(reason)));
    assert_eq!(fixture.store.counts(), Ok(EventCounts { rated: 1, held: 0, voided: 0 }));
    commit(&*fixture.store, sample::one_event("after", sample::rated(500))).unwrap();
}

/// What an account has pending: debits, then credits.
fn pending(owner: Owner, debits_pending: i128, credits_pending: i128) -> (Account, Balance) {
    (account(owner), Balance { debits_pending, credits_pending, ..Balance::default() })
}

pub fn pending_sums_go_up_and_down(fixture: &Fixture) {
    let paid = || Owner::paid(APP, "c1");
    let add = |added: (Account, Balance)| Commit { balances: vec![added], ..Commit::default() };
    commit(&*fixture.store, add(pending(paid(), 700, 30))).unwrap();
    commit(&*fixture.other, add(pending(paid(), -200, 5))).unwrap();
    assert_eq!(fixture.store.balance(&account(paid())), Ok(pending(paid(), 500, 35).1));
    let reason = "less than nothing would be pending for paid balance of c1 of acme-docs (USD)".to_owned();
    for (debits, credits) in [(-501, 0), (0, -36), (-501, 500)] {
        let too_much = Commit {
            balances: vec![pending(Owner::Platform, 1, 1), pending(paid(), debits, credits)],
            ..sample::one_event("whole", sample::rated(500))
        };
        assert_eq!(commit(&*fixture.store, too_much), Err(StoreError::Failed(reason.clone())));
    }
    assert_eq!(fixture.other.balance(&account(Owner::Platform)), Ok(Balance::default()));
    assert_eq!(fixture.other.counts(), Ok(EventCounts::default()));
    // A hold is captured: what was pending is posted.
    let captured = Balance { debits_posted: 480, debits_pending: -500, ..Balance::default() };
    commit(&*fixture.store, add((account(paid()), captured))).unwrap();
    let left = Balance { debits_posted: 480, credits_pending: 35, ..Balance::default() };
    assert_eq!(fixture.other.balance(&account(paid())), Ok(left));
}

pub fn every_owner_has_accounts_of_its_own(fixture: &Fixture) {
    let (app, name) = ("x".to_owned(), "x".to_owned());
    let owners = vec![
        Owner::customer(&app, &name),
        Owner::Provider(name.clone()),
        Owner::Platform,
        Owner::Builder(name.clone()),
        Owner::paid(&app, &name),
        Owner::granted(&app, &name),
        Owner::Clearing(name.clone()),
        Owner::Transit(name.clone()),
        Owner::Reserve(name.clone()),
    ];
    let balances: Vec<_> = (1..).zip(owners).map(|(nano, owner)| pending(owner, nano, nano)).collect();
    let reversed = balances.iter().rev().cloned().collect();
    commit(&*fixture.store, Commit { balances: reversed, ..Commit::default() }).unwrap();
    for (account, balance) in &balances {
        assert_eq!(fixture.other.balance(account), Ok(*balance), "{account}");
        let euros = Account { currency: "EUR".to_owned(), ..account.clone() };
        assert_eq!(fixture.other.balance(&euros), Ok(Balance::default()));
    }
    assert_eq!(fixture.other.balances(), Ok(balances));
}

pub fn an_empty_commit_changes_nothing(fixture: &Fixture) {
    commit(&*fixture.store, Commit::default()).unwrap();
    assert_eq!(fixture.store.counts(), Ok(EventCounts::default()));
    assert_eq!(fixture.store.balances(), Ok(Vec::new()));
}
