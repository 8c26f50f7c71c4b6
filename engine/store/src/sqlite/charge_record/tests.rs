//! The bytes of a charge.

use super::*;

fn charge(draws: Vec<Draw>) -> Charge {
    Charge {
        tariff: "t".into(),
        parent: None,
        period: "2023-11".parse().unwrap(),
        late: false,
        total: Amount::from_nano(500),
        split: Split::default(),
        usage: Vec::new(),
        lines: Vec::new(),
        refused: Vec::new(),
        draws,
    }
}

fn encoded(charge: &Charge) -> Vec<u8> {
    let mut record = Vec::new();
    encode(charge, &mut record, |word| Ok(i64::try_from(word.len()).unwrap())).unwrap();
    record
}

fn decoded(record: &[u8]) -> Result<Charge, Trouble> {
    decode(record, |number| Ok("t".repeat(usize::try_from(number).unwrap()).into()))
}

#[test]
fn a_charge_without_draws_is_what_it_was_before_there_were_any() {
    // Version, flags, tariff, period, total, three amounts, three empty lists.
    let record = [1, 0, 2, 0x8e, 0xd9, 0x18, 0xe8, 7, 0, 0, 0, 0, 0, 0];
    assert_eq!(encoded(&charge(Vec::new())), record);
    assert_eq!(decoded(&record).unwrap(), charge(Vec::new()));
}

#[test]
fn draws_come_last_and_are_announced() {
    let draw = |source, nano| Draw { source, amount: Amount::from_nano(nano) };
    let sources = [Source::Grant("ttt".into()), Source::Paid, Source::Credit, Source::Uncovered];
    let drawn = charge((0..).zip(sources).map(|(nano, source)| draw(source, -nano)).collect());
    let record = encoded(&drawn);
    let head = [1, 2, 2, 0x8e, 0xd9, 0x18, 0xe8, 7, 0, 0, 0, 0, 0, 0];
    assert_eq!(record, [&head[..], &[4, 0, 6, 0, 1, 1, 2, 3, 3, 5]].concat());
    assert_eq!(decoded(&record).unwrap(), drawn);
    for damaged in
        [&record[..record.len() - 1], &[&record[..], &[0]].concat(), &[&[1, 8], &record[2..]].concat()]
    {
        assert!(decoded(damaged).is_err(), "{damaged:?}");
    }
}

#[test]
fn a_parent_is_the_very_last() {
    let mut parented = charge(vec![Draw { source: Source::Paid, amount: Amount::from_nano(1) }]);
    parented.parent = Some("ttt".into());
    let record = encoded(&parented);
    let head = [1, 6, 2, 0x8e, 0xd9, 0x18, 0xe8, 7, 0, 0, 0, 0, 0, 0];
    assert_eq!(record, [&head[..], &[1, 1, 2, 6]].concat());
    assert_eq!(decoded(&record).unwrap(), parented);
}
