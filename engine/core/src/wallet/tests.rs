//! What a wallet does, case by case: the worked examples of the README are here, with their numbers.

use std::sync::Arc;

use super::*;

/// Dollars and cents.
fn usd(text: &str) -> Amount {
    text.parse().unwrap()
}

fn grant(id: &str, amount: &str, priority: u32, effective_at: i64, expires_at: Option<i64>) -> Grant {
    Grant::new(GrantTerms {
        id: Arc::from(id),
        amount: usd(amount),
        funder: Funder::Platform,
        priority,
        effective_at,
        expires_at,
        reason: String::new(),
    })
}

fn wallet(paid: &str, limit: Option<&str>, grants: Vec<Grant>) -> Wallet {
    let terms = WalletTerms { credit_limit: limit.map(usd), ..WalletTerms::default() };
    let mut wallet = Wallet { terms, ..Wallet::default() };
    wallet.paid.amount = usd(paid);
    for grant in grants {
        wallet.add_grant(grant);
    }
    wallet
}

/// `grant:id` or the source's name, with the amount.
fn told(draws: &[Draw]) -> Vec<(String, String)> {
    let name = |source: &Source| match source {
        Source::Grant(id) => id.to_string(),
        Source::Paid => "paid".to_owned(),
        Source::Credit => "credit".to_owned(),
        Source::Uncovered => "uncovered".to_owned(),
    };
    draws.iter().map(|draw| (name(&draw.source), draw.amount.to_string())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(source, amount)| ((*source).to_owned(), (*amount).to_owned())).collect()
}

/// "Burn order" of the README.
#[test]
fn grants_burn_by_priority_then_expiry_then_age_and_money_after_them() {
    let grants = vec![
        grant("welcome", "5", 1, 0, Some(900)),
        grant("march", "4", 0, 20, Some(500)),
        grant("april", "3", 0, 10, Some(800)),
        grant("older", "2", 0, 5, Some(800)),
        grant("later", "9", 0, 400, None),
    ];
    let mut wallet = wallet("6", Some("10"), grants);
    assert_eq!(wallet.available_at(100), Some(usd("30")));
    let draws = wallet.draw(usd("22"), 100).unwrap();
    let expected =
        [("march", "4"), ("older", "2"), ("april", "3"), ("welcome", "5"), ("paid", "6"), ("credit", "2")];
    assert_eq!(told(&draws), pairs(&expected));
    assert_eq!(wallet.available_at(100), Some(usd("8")));
    // What nothing covers happened all the same, and is owed beyond the limit.
    let draws = wallet.draw(usd("10"), 100).unwrap();
    assert_eq!(told(&draws), pairs(&[("credit", "8"), ("uncovered", "2")]));
    assert_eq!((wallet.owed(), wallet.available_at(100)), (usd("12"), Some(Amount::ZERO)));
    // The one grant that was not in force yet is there when it is.
    assert_eq!(wallet.available_at(400), Some(usd("9")));
}

#[test]
fn money_that_comes_in_pays_what_is_owed_first() {
    let mut wallet = wallet("0", Some("10"), Vec::new());
    wallet.draw(usd("12"), 0).unwrap();
    let went = wallet.pay_in(usd("20")).unwrap();
    assert_eq!(told(&went), pairs(&[("uncovered", "-2"), ("credit", "-10"), ("paid", "-8")]));
    assert_eq!((wallet.owed(), wallet.paid_free()), (Amount::ZERO, usd("8")));
}

/// "A hold that straddles an expiry" of the README.
#[test]
fn a_hold_keeps_what_it_reserved_when_a_grant_expires_under_it() {
    let mut wallet = wallet("6", Some("0"), vec![grant("promotion", "4", 0, 0, Some(1_000))]);
    let reserved = wallet.reserve(usd("7"), 900).unwrap();
    assert_eq!(told(&reserved), pairs(&[("promotion", "4"), ("paid", "3")]));
    assert_eq!(wallet.reserve(usd("3.01"), 900), Err(Shortfall { available: usd("3") }));
    // The grant expires: nothing of it is free, so nothing goes back to its funder yet.
    assert_eq!(wallet.expire(1_000), Some(Vec::new()));
    // The event costs less than was reserved, and is covered from the grant first.
    let draws = wallet.capture(&reserved, usd("3.50"), 1_100).unwrap();
    assert_eq!(told(&draws), pairs(&[("promotion", "3.5")]));
    assert_eq!(wallet.paid_free(), usd("6"));
    // What the hold did not need of the grant goes back now.
    let expired = wallet.expire(1_100).unwrap();
    assert_eq!(
        expired.iter().map(|(terms, left)| (&*terms.id, *left)).collect::<Vec<_>>(),
        [("promotion", usd("0.50"))]
    );
    assert_eq!(wallet.grants, []);
}

#[test]
fn a_capture_above_the_hold_takes_what_is_free_and_then_is_uncovered() {
    let mut wallet = wallet("5", Some("0"), Vec::new());
    let reserved = wallet.reserve(usd("4"), 0).unwrap();
    let draws = wallet.capture(&reserved, usd("7"), 0).unwrap();
    assert_eq!(told(&draws), pairs(&[("paid", "5"), ("uncovered", "2")]));
    assert_eq!(
        (wallet.paid.amount, wallet.reserved(), wallet.uncovered),
        (Amount::ZERO, Amount::ZERO, usd("2"))
    );
}

#[test]
fn what_is_given_back_goes_where_it_came_from_the_last_first() {
    let terms = grant("promotion", "4", 0, 0, Some(1_000)).terms;
    let mut wallet = wallet("3", Some("10"), vec![Grant::new(terms.clone())]);
    let draws = wallet.draw(usd("9"), 0).unwrap();
    assert_eq!(told(&draws), pairs(&[("promotion", "4"), ("paid", "3"), ("credit", "2")]));
    let went = wallet.give_back(&draws, usd("6"), std::slice::from_ref(&terms)).unwrap();
    assert_eq!(told(&went), pairs(&[("credit", "-2"), ("paid", "-3"), ("promotion", "-1")]));
    assert_eq!((wallet.owed(), wallet.paid_free(), wallet.granted_at(0)), (Amount::ZERO, usd("3"), usd("1")));
}

#[test]
fn a_lower_limit_makes_what_is_owed_beyond_it_uncovered_and_a_higher_one_covers_it_again() {
    let mut wallet = wallet("0", None, Vec::new());
    assert_eq!(wallet.available_at(0), None);
    wallet.draw(usd("30"), 0).unwrap();
    wallet.agree(WalletTerms { credit_limit: Some(usd("10")), ..WalletTerms::default() }).unwrap();
    assert_eq!((wallet.credit.amount, wallet.uncovered), (usd("10"), usd("20")));
    wallet.agree(WalletTerms { credit_limit: Some(usd("25")), ..WalletTerms::default() }).unwrap();
    assert_eq!((wallet.credit.amount, wallet.uncovered), (usd("25"), usd("5")));
}

#[test]
fn alerts_fire_once_for_each_crossing() {
    let low = Alert { id: "low".into(), condition: Condition::BalanceBelow { amount: usd("2") } };
    let monthly = Condition::SpentReaches { amount: usd("5"), per: Span::Period, feature: None };
    let chat = Condition::SpentReaches { amount: usd("3"), per: Span::Ever, feature: Some("chat".into()) };
    let spent = Alert { id: "spent".into(), condition: monthly };
    let of_chat = Alert { id: "chat".into(), condition: chat };
    let mut wallet = wallet("6", Some("0"), Vec::new());
    wallet.terms.alerts = vec![low, spent, of_chat];
    let charge = |wallet: &mut Wallet, amount: &str, period: &str, feature: &str| {
        wallet.draw(usd(amount), 0).unwrap();
        let spending = Spending { feature, period: period.parse().unwrap(), amount: usd(amount) };
        let crossed = wallet.watch(Some(spending), 0).unwrap();
        crossed.into_iter().map(|crossed| (crossed.alert.id, crossed.amount.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(charge(&mut wallet, "4", "2026-09", "search"), []);
    let crossed = charge(&mut wallet, "1", "2026-09", "chat");
    assert_eq!(crossed, pairs(&[("low", "1"), ("spent", "5")]));
    assert_eq!(charge(&mut wallet, "1", "2026-09", "chat"), []);
    // Money comes in: the next time it is low is another crossing. A new month is counted anew.
    wallet.pay_in(usd("10")).unwrap();
    assert_eq!(wallet.watch(None, 0), Some(Vec::new()));
    let crossed = charge(&mut wallet, "9", "2026-10", "chat");
    assert_eq!(crossed, pairs(&[("low", "1"), ("spent", "9"), ("chat", "11")]));
}

#[test]
fn a_wallet_is_written_and_read_back() {
    let mut wallet = wallet("6", Some("10"), vec![grant("promotion", "4", 0, 0, Some(1_000))]);
    wallet.terms.alerts = vec![
        Alert { id: "low".into(), condition: Condition::BalanceBelow { amount: usd("2") } },
        Alert {
            id: "spent".into(),
            condition: Condition::SpentReaches { amount: usd("5"), per: Span::Period, feature: None },
        },
    ];
    wallet.reserve(usd("5"), 0).unwrap();
    let spending = Spending { feature: "", period: "2026-09".parse().unwrap(), amount: usd("5") };
    wallet.watch(Some(spending), 0).unwrap();
    let text = serde_json::to_string(&wallet).unwrap();
    assert_eq!(serde_json::from_str::<Wallet>(&text).unwrap(), wallet, "{text}");
}
