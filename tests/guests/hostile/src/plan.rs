//! What the settings ask for: which crime, at which event, in which function.

use crate::bindings::exports::tollgate::pricing::plugin::Frame;

macro_rules! words {
    ($(#[$about:meta])* $name:ident: $($variant:ident = $word:literal,)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($variant,)* }

        impl $name {
            fn read(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// What to do. The first group never returns; the second returns something that must not be believed.
    Crime:
    Nothing = "none",
    Loop = "loop",
    Allocate = "allocate",
    Recurse = "recurse",
    Panic = "panic",
    Abort = "abort",
    EndlessLog = "endless-log",

    WrongUnit = "wrong-unit-index",
    WrongLine = "wrong-line-index",
    WrongRefusal = "wrong-refusal-index",
    WrongEvent = "wrong-event-index",
    WrongCounts = "wrong-counts",
    ShortColumn = "short-column",
    NotCanonical = "non-canonical-decimal",
    TooManyRows = "too-many-rows",
    NegativeQuantity = "negative-quantity",
    NegativeCharge = "negative-charge",
    HugeCharge = "surcharge-over-cap",
    LongStrings = "long-strings",

    Refuse = "refuse",
    Fault = "fault",
    Problem = "problem",
}

words! {
    /// Where to do it.
    Phase:
    Check = "check",
    Meter = "meter",
    Rate = "rate",
    Close = "close",
}

/// The settings' JSON Schema.
pub const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "crime": {"type": "string"},
    "when": {"type": "string"},
    "phase": {"enum": ["check", "meter", "rate", "close"]}
  },
  "required": ["crime"],
  "additionalProperties": false
}"#;

/// The settings, read.
pub struct Plan {
    pub crime: Crime,
    pub phase: Phase,
    when: String,
}

impl Plan {
    /// Reads settings that have passed the schema: a flat object of strings without escapes.
    pub fn read(settings: &str) -> Self {
        let crime = text(settings, "crime").unwrap_or("none");
        let phase = text(settings, "phase").unwrap_or("rate");
        Self {
            crime: Crime::read(crime).unwrap_or_else(|| panic!("unheard-of crime {crime}")),
            phase: Phase::read(phase).unwrap_or_else(|| panic!("unheard-of phase {phase}")),
            when: text(settings, "when").unwrap_or("always").to_owned(),
        }
    }

    /// Whether the crime is due at this row of this function.
    pub fn strikes(&self, phase: Phase, frame: &Frame, row: usize) -> bool {
        let due =
            || self.when == "always" || self.is_at(frame, "feature", row) || self.is_at(frame, "model", row);
        self.phase == phase && self.crime != Crime::Nothing && due()
    }

    fn is_at(&self, frame: &Frame, column: &str, row: usize) -> bool {
        let column = frame.texts.iter().find(|text| text.name == column);
        let id = column.and_then(|column| column.ids.get(row));
        id.and_then(|id| frame.strings.get(*id as usize)).is_some_and(|word| *word == self.when)
    }
}

fn text<'a>(settings: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = settings.split_once(&format!("\"{key}\""))?;
    let (_, rest) = rest.split_once('"')?;
    Some(rest.split_once('"')?.0)
}
