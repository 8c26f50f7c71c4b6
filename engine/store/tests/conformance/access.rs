//! Keys and answers come back as the words of `AccessStore` say.

use tollgate_core::access::{KeptAnswer, Key, RequestKey, Scope};
use tollgate_core::store::StoreError;

use crate::Fixture;

pub fn key(id: &str, created_at: i64) -> Key {
    Key {
        id: id.to_owned(),
        name: format!("the key {id}"),
        scope: Scope::CustomerRead { app: "acme-docs".into(), customer: "\u{e9} \"c1\"".into() },
        digest: [id.bytes().next().unwrap(); 32],
        created_at,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

pub fn request(key: &str, idempotency_key: &str) -> RequestKey {
    RequestKey { key: key.to_owned(), idempotency_key: idempotency_key.to_owned() }
}

pub fn answered(answered_at: i64) -> KeptAnswer {
    KeptAnswer { request: [3; 32], status: 422, body: vec![0, 255, b'{', b'}'], answered_at }
}

pub fn keys_come_back_oldest_first(fixture: &Fixture) {
    assert_eq!(fixture.access.keys(), Ok(Vec::new()));
    let scopes = [
        Scope::Platform,
        Scope::Builder { builder: "acme".into() },
        Scope::AppIngest { app: "acme-docs".into() },
        Scope::CustomerRead { app: "acme-docs".into(), customer: "c1".into() },
    ];
    let mut expected: Vec<Key> = (1..)
        .zip(scopes)
        .map(|(number, scope)| Key { scope, ..key(&format!("k{number}"), number) })
        .collect();
    expected[2].expires_at = Some(i64::MAX);
    expected[3].revoked_at = Some(0);
    expected[3].last_used_at = Some(-5);
    expected.push(key("same moment", 4));
    for position in [1, 3, 4, 0, 2] {
        fixture.access.add_key(&expected[position]).unwrap();
    }
    assert_eq!(fixture.other_access.keys(), Ok(expected));
}

pub fn a_key_is_added_once(fixture: &Fixture) {
    fixture.access.add_key(&key("k", 1)).unwrap();
    let again = fixture.other_access.add_key(&Key { name: "another".to_owned(), ..key("k", 2) });
    assert_eq!(again, Err(StoreError::Failed("a key \"k\" is there already".to_owned())));
    assert_eq!(fixture.access.keys(), Ok(vec![key("k", 1)]));
    fixture.other_access.add_key(&key("K", 2)).unwrap();
}

pub fn a_key_stays_revoked_from_the_first_moment(fixture: &Fixture) {
    fixture.access.add_key(&key("a", 1)).unwrap();
    fixture.access.add_key(&key("b", 2)).unwrap();
    for moment in [20, 10, 30] {
        fixture.other_access.revoke_key("a", moment).unwrap();
    }
    fixture.access.revoke_key("absent", 5).unwrap();
    let revoked = Key { revoked_at: Some(20), ..key("a", 1) };
    assert_eq!(fixture.access.keys(), Ok(vec![revoked, key("b", 2)]));
}

pub fn uses_only_move_on(fixture: &Fixture) {
    fixture.access.add_key(&key("a", 1)).unwrap();
    fixture.access.add_key(&key("b", 2)).unwrap();
    let uses = |uses: &[(&str, i64)]| uses.iter().map(|(id, at)| ((*id).to_owned(), *at)).collect::<Vec<_>>();
    fixture.access.keys_used(&uses(&[("a", -3), ("absent", 9)])).unwrap();
    assert_eq!(fixture.other_access.keys().unwrap()[0].last_used_at, Some(-3));
    fixture.other_access.keys_used(&uses(&[("a", 50), ("b", 7), ("a", 40)])).unwrap();
    fixture.access.keys_used(&uses(&[("a", 49)])).unwrap();
    fixture.access.keys_used(&[]).unwrap();
    let moments: Vec<_> = fixture.access.keys().unwrap().iter().map(|key| key.last_used_at).collect();
    assert_eq!(moments, [Some(50), Some(7)]);
}

pub fn answers_come_back(fixture: &Fixture) {
    let asked = request("k1", "r1");
    assert_eq!(fixture.access.answer(&asked), Ok(None));
    let empty = KeptAnswer { status: u16::MAX, body: Vec::new(), ..answered(i64::MAX) };
    fixture.access.keep_answer(&asked, &answered(10), 0).unwrap();
    fixture.access.keep_answer(&request("k1", "r2"), &empty, 0).unwrap();
    assert_eq!(fixture.other_access.answer(&asked), Ok(Some(answered(10))));
    assert_eq!(fixture.other_access.answer(&request("k1", "r2")), Ok(Some(empty)));
    for other in [request("k2", "r1"), request("k1", "R1"), request("r1", "k1"), request("k1", "")] {
        assert_eq!(fixture.access.answer(&other), Ok(None), "{other:?}");
    }
}

pub fn the_first_answer_stays(fixture: &Fixture) {
    let asked = request("k1", "r1");
    fixture.access.keep_answer(&asked, &answered(10), 0).unwrap();
    let second = KeptAnswer { request: [4; 32], status: 200, ..answered(11) };
    fixture.other_access.keep_answer(&asked, &second, 10).unwrap();
    assert_eq!(fixture.access.answer(&asked), Ok(Some(answered(10))));
    // Once the first one is forgotten, the request is answered anew.
    fixture.other_access.keep_answer(&asked, &second, 11).unwrap();
    assert_eq!(fixture.access.answer(&asked), Ok(Some(second)));
}

pub fn old_answers_are_forgotten(fixture: &Fixture) {
    for (number, moment) in [(1, 100), (2, 200), (3, 300)] {
        fixture.access.keep_answer(&request("k1", &format!("r{number}")), &answered(moment), 0).unwrap();
    }
    fixture.other_access.keep_answer(&request("k2", "new"), &answered(400), 200).unwrap();
    let kept = ["r1", "r2", "r3"].map(|number| fixture.access.answer(&request("k1", number)).unwrap());
    assert_eq!(kept.map(|answer| answer.map(|answer| answer.answered_at)), [None, Some(200), Some(300)]);
}
