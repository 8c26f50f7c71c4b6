//! Whether payment files are what banks take: by the rules of the schema as far as they are used here, and by
//! the schema itself where there is one.

use std::process::Command;

use super::super::samples::{DUTCH, GERMAN, bank, payout};
use super::*;

/// 2026-12-01T09:00:00Z.
const CREATED: i64 = 1_796_115_600_000;

fn payer(bic: Option<&str>) -> Payer {
    Payer {
        name: "Plattform & Co. AG".into(),
        iban: "CH93 0076 2011 6238 5295 7".into(),
        bic: bic.map(str::to_owned),
    }
}

fn day() -> Date {
    "2026-12-02".parse().unwrap()
}

fn written(payer: &Payer, due: &[Due<'_>]) -> String {
    pain001(payer, due, CREATED, day()).unwrap()
}

/// An element: its name, what its attributes are, its text, and what is in it.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: String,
    text: String,
    children: Vec<Element>,
}

/// Reads what is written here; fails for anything that is not closed in its order.
fn parsed(xml: &str) -> Element {
    let root =
        Element { name: "root".into(), attributes: String::new(), text: String::new(), children: Vec::new() };
    let mut open = vec![root];
    for part in xml.split('<').skip(2) {
        let (tag, text) = part.split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().unwrap();
            assert_eq!(closed.name, name);
            open.last_mut().unwrap().children.push(closed);
        } else {
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            let (name, attributes, text) = (name.into(), attributes.into(), text.trim_end().into());
            open.push(Element { name, attributes, text, children: Vec::new() });
        }
    }
    assert_eq!(open.len(), 1, "all is closed");
    open.pop().unwrap().children.pop().unwrap()
}

/// What the schema says of the elements used: which may stand in which, in this order, and how often.
fn children_of(name: &str, parent: &str) -> &'static [(&'static str, usize, usize)] {
    const MANY: usize = usize::MAX;
    match name {
        "Document" => &[("CstmrCdtTrfInitn", 1, 1)],
        "CstmrCdtTrfInitn" => &[("GrpHdr", 1, 1), ("PmtInf", 1, MANY)],
        "GrpHdr" => {
            &[("MsgId", 1, 1), ("CreDtTm", 1, 1), ("NbOfTxs", 1, 1), ("CtrlSum", 0, 1), ("InitgPty", 1, 1)]
        }
        "PmtInf" => &[
            ("PmtInfId", 1, 1),
            ("PmtMtd", 1, 1),
            ("BtchBookg", 0, 1),
            ("NbOfTxs", 0, 1),
            ("CtrlSum", 0, 1),
            ("PmtTpInf", 0, 1),
            ("ReqdExctnDt", 1, 1),
            ("Dbtr", 1, 1),
            ("DbtrAcct", 1, 1),
            ("DbtrAgt", 1, 1),
            ("ChrgBr", 0, 1),
            ("CdtTrfTxInf", 1, MANY),
        ],
        "CdtTrfTxInf" => &[
            ("PmtId", 1, 1),
            ("Amt", 1, 1),
            ("CdtrAgt", 0, 1),
            ("Cdtr", 0, 1),
            ("CdtrAcct", 0, 1),
            ("RmtInf", 0, 1),
        ],
        "PmtTpInf" => &[("SvcLvl", 0, MANY)],
        "SvcLvl" => &[("Cd", 1, 1)],
        "ReqdExctnDt" => &[("Dt", 1, 1)],
        "InitgPty" | "Dbtr" | "Cdtr" => &[("Nm", 0, 1)],
        "DbtrAcct" | "CdtrAcct" | "Othr" => &[("Id", 1, 1)],
        "Id" if parent.ends_with("Acct") => &[("IBAN", 1, 1)],
        "DbtrAgt" | "CdtrAgt" => &[("FinInstnId", 1, 1)],
        "FinInstnId" => &[("BICFI", 0, 1), ("Othr", 0, 1)],
        "PmtId" => &[("InstrId", 0, 1), ("EndToEndId", 1, 1)],
        "Amt" => &[("InstdAmt", 1, 1)],
        "RmtInf" => &[("Ustrd", 0, MANY)],
        _ => &[],
    }
}

fn is_leaf_right(element: &Element) -> bool {
    let text = element.text.as_str();
    let letters =
        |most: usize| !text.is_empty() && text.len() <= most && plain(text, most).as_deref() == Ok(text);
    let number = |digits: usize, fraction: usize| {
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let all_digits = whole.bytes().chain(rest.bytes()).all(|byte| byte.is_ascii_digit());
        all_digits && !whole.is_empty() && whole.len() + rest.len() <= digits && rest.len() <= fraction
    };
    match element.name.as_str() {
        "MsgId" | "PmtInfId" | "EndToEndId" | "Id" => {
            letters(35) && !text.contains("//") && !text.starts_with('/')
        }
        "CreDtTm" => text.parse::<Timestamp>().is_ok() && text.len() == 20,
        "Dt" => text.parse::<Date>().is_ok(),
        "NbOfTxs" => number(15, 0),
        "CtrlSum" => number(18, 17),
        "InstdAmt" => {
            let currency = element.attributes.strip_prefix("Ccy=\"").and_then(|text| text.strip_suffix('"'));
            number(18, 5)
                && currency
                    .is_some_and(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()))
        }
        "Nm" => letters(70),
        "Ustrd" => letters(140),
        "IBAN" => iban(text).as_deref() == Ok(text),
        "BICFI" => bic(text).as_deref() == Ok(text),
        "PmtMtd" => ["CHK", "TRF", "TRA"].contains(&text),
        "ChrgBr" => ["DEBT", "CRED", "SHAR", "SLEV"].contains(&text),
        "Cd" => text == "SEPA",
        _ => false,
    }
}

fn check(element: &Element, parent: &str) {
    let rules = children_of(&element.name, parent);
    if rules.is_empty() {
        assert!(element.children.is_empty() && is_leaf_right(element), "{parent}: {element:?}");
        return;
    }
    let mut rest = element.children.as_slice();
    for (name, least, most) in rules {
        let count = rest.iter().take_while(|child| child.name == *name).count();
        assert!((*least..=*most).contains(&count), "{} has {count} {name}", element.name);
        rest = &rest[count..];
    }
    assert!(rest.is_empty(), "{} has a {} that does not belong there", element.name, rest[0].name);
    assert!(element.text.is_empty(), "{element:?}");
    element.children.iter().for_each(|child| check(child, &element.name));
}

fn found<'a>(element: &'a Element, name: &str) -> Vec<&'a str> {
    let own = (element.name == name).then_some(element.text.as_str());
    own.into_iter().chain(element.children.iter().flat_map(|child| found(child, name))).collect()
}

#[test]
fn a_file_is_what_the_schema_says_and_its_sums_are_exact() {
    let first = payout("1234.50", "EUR", bank("Müller & Söhne", GERMAN, Some("COBADEFFXXX")));
    let second = payout("0.01", "EUR", bank("Jansen", DUTCH, None));
    let third = payout("300000", "JPY", bank("Łódź Ltd", DUTCH, None));
    let due = [
        Due { builder: "mueller", payout: &first },
        Due { builder: "jansen", payout: &second },
        Due { builder: "lodz", payout: &third },
    ];
    let file = written(&payer(Some("ubswchzh80a")), &due);
    let document = parsed(&file);
    assert_eq!(document.attributes, format!("xmlns=\"{NAMESPACE}\""));
    check(&document, "");
    assert_eq!(found(&document, "NbOfTxs"), ["3", "2", "1"]);
    assert_eq!(found(&document, "CtrlSum"), ["301234.51", "1234.51", "300000"]);
    assert_eq!(found(&document, "InstdAmt"), ["0.01", "1234.50", "300000"]);
    let [one, two, three] = due;
    assert_eq!(written(&payer(Some("UBSWCHZH80A")), &[three, two, one]), file, "the order does not matter");
    check(&parsed(&written(&payer(None), &due)), "");
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("file", file);
    });
}

#[test]
fn another_time_or_amount_is_another_message() {
    let id = |amount: &str, created: i64| {
        let payout = payout(amount, "EUR", bank("A", DUTCH, None));
        let file =
            pain001(&payer(None), &[Due { builder: "acme", payout: &payout }], created, day()).unwrap();
        found(&parsed(&file), "MsgId")[0].to_owned()
    };
    assert_eq!(id("1", CREATED), id("1", CREATED));
    assert_ne!(id("1", CREATED), id("2", CREATED));
    assert_ne!(id("1", CREATED), id("1", CREATED + 1));
}

#[test]
fn what_a_bank_would_refuse_is_refused_first_by_name() {
    let refused = |payer: &Payer, amount: &str, destination| {
        let payout = payout(amount, "EUR", destination);
        pain001(payer, &[Due { builder: "acme", payout: &payout }], CREATED, day()).unwrap_err().to_string()
    };
    let account = Destination::Account { provider: "stripe".into(), account: "acct_1".into() };
    let at = "Builder \"acme\", payout 2026-11/EUR, ";
    for (destination, words) in [
        (bank("山田", DUTCH, None), "destination name: \"山田\" has '山'"),
        (bank("A", "NL92ABNA0417164300", None), "destination iban: "),
        (bank("A", DUTCH, Some("ABNANL2")), "destination bic: "),
        (Some(account), "destination: it is an account with \"stripe\""),
        (None, "destination: there is none"),
    ] {
        let error = refused(&payer(None), "1", destination);
        assert!(error.starts_with(&format!("{at}{words}")), "{error}");
    }
    let error = refused(&payer(None), "1000000000", bank("A", DUTCH, None));
    assert_eq!(error, format!("{at}amount: 1000000000 is more than one SEPA transfer moves"));
    let wrong = Payer { iban: "DE00".into(), ..payer(None) };
    assert!(refused(&wrong, "1", bank("A", DUTCH, None)).starts_with("the payer's iban: "));
    let payout = payout("1", "EUR", bank("A", DUTCH, None));
    let due = Due { builder: "acme", payout: &payout };
    assert_eq!(pain001(&payer(None), &[due], i64::MAX, day()), Err(FileError::Time(i64::MAX)));
}

/// The schema is not ours to pass on. `PAIN001_XSD` says where one is; Python's `xmlschema` reads it.
#[test]
fn the_schema_itself_takes_a_file_where_there_is_one() {
    let Some(schema) = std::env::var_os("PAIN001_XSD") else {
        println!("not checked against the schema: PAIN001_XSD does not say where it is");
        return;
    };
    let payout = payout("1234.50", "EUR", bank("Müller & Söhne", GERMAN, Some("COBADEFFXXX")));
    for payer in [payer(None), payer(Some("UBSWCHZH80A"))] {
        let file = written(&payer, &[Due { builder: "mueller", payout: &payout }]);
        let program = "import sys, xmlschema; xmlschema.XMLSchema(sys.argv[1]).validate(sys.argv[2])";
        let checked = Command::new("python3").args(["-c", program]).arg(&schema).arg(&file).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}
