//! The vectors in `tests/contract/decimals.json`: how a decimal is written in two words, and what exact arithmetic
//! answers. They are the Rust SDK's, and every other SDK's own tests read them.

use serde::{Deserialize, Serialize};
use tollgate_sdk::Decimal;
use tollgate_tests::tollgate::committed;

use crate::vectors;

const FILE: &str = "tests/contract/decimals.json";

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Decimals {
    forms: Vec<Form>,
    /// Texts that are no decimals.
    refused: Vec<String>,
    arithmetic: Vec<Arithmetic>,
    rounded_to_nano: Vec<Rounded>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Form {
    text: String,
    /// The two words, in hexadecimal: no JSON number holds them everywhere.
    #[serde(default)]
    words: [String; 2],
}

/// Results in their shortest form; null where a decimal cannot hold the result exactly.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Arithmetic {
    left: String,
    right: String,
    plus: Option<String>,
    minus: Option<String>,
    times: Option<String>,
    /// Less, equal or greater: -1, 0 or 1.
    #[serde(default)]
    compared: i8,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Rounded {
    value: String,
    #[serde(default)]
    rounded: String,
}

/// The file says what the SDK answers.
pub fn hold() {
    assert_eq!(read(), answered(read()));
    for text in read().refused {
        assert!(Decimal::parse(&text).is_err(), "`{text}` is read as a decimal");
    }
}

pub fn bless() {
    vectors::write(FILE, &answered(read()));
}

fn read() -> Decimals {
    serde_json::from_str(&committed(FILE)).unwrap()
}

fn answered(mut vectors: Decimals) -> Decimals {
    for form in &mut vectors.forms {
        form.words = decimal(&form.text).to_words().map(|word| format!("{word:016x}"));
    }
    for case in &mut vectors.arithmetic {
        let (left, right) = (decimal(&case.left), decimal(&case.right));
        let shown = |result: Result<Decimal, _>| result.ok().map(|it| it.shortest().to_string());
        case.plus = shown(left.plus(right));
        case.minus = shown(left.minus(right));
        case.times = shown(left.times(right));
        case.compared = left.cmp(&right) as i8;
    }
    for case in &mut vectors.rounded_to_nano {
        case.rounded = decimal(&case.value).rounded_to_nano().shortest().to_string();
    }
    vectors
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}
