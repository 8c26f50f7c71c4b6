//! The vectors in `tests/contract/included-overage`: reading, writing, answering and comparing them.
//!
//! In the files decimals are text, columns are objects by name, and a fault is only its event's row: its words
//! are the guest's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tollgate_core::plugin::{Descriptor, Digest};
use tollgate_core::pricer::Pricer;
use tollgate_tests::tollgate::{committed, repository};

const FOLDER: &str = "tests/contract/included-overage";

/// All vectors of one plugin.
#[derive(Debug, PartialEq)]
pub struct Vectors {
    describe: DescriptorText,
    check: Vec<CheckCase>,
    pub meter: Vec<MeterCase>,
    pub rate: Vec<RateCase>,
    close: Vec<CloseCase>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct DescriptorText {
    pub units: Vec<Value>,
    pub lines: Vec<Value>,
    pub refusals: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct CheckCase {
    about: String,
    settings: Value,
    /// The pointers of the problems, in alphabetical order.
    #[serde(default)]
    problems: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MeterCase {
    pub about: String,
    pub settings: Value,
    pub frame: FrameText,
    pub metered: Option<MeteredText>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RateCase {
    pub about: String,
    pub settings: Value,
    pub frame: FrameText,
    pub counted: CountedText,
    pub rated: Option<RatedText>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct CloseCase {
    about: String,
    settings: Value,
    frame: FrameText,
    totals: TotalsText,
    rated: Option<RatedText>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FrameText {
    pub rows: u32,
    pub strings: Vec<String>,
    pub times: Vec<i64>,
    pub texts: BTreeMap<String, Vec<u32>>,
    pub numbers: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CountedText {
    pub counts: Vec<u32>,
    pub units: Vec<u32>,
    pub quantities: Vec<String>,
    pub before: Vec<String>,
    pub after: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TotalsText {
    pub counts: Vec<u32>,
    pub units: Vec<u32>,
    pub groups: Vec<u32>,
    pub totals: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct MeteredText {
    pub counts: Vec<u32>,
    pub units: Vec<u32>,
    pub keys: Vec<u32>,
    pub quantities: Vec<String>,
    pub strings: Vec<String>,
    pub faults: Vec<u32>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct RatedText {
    pub counts: Vec<u32>,
    pub lines: Vec<u32>,
    pub quantities: Vec<String>,
    pub unit_prices: Vec<String>,
    pub amounts: Vec<String>,
    pub refusals: Vec<[u32; 2]>,
    pub faults: Vec<u32>,
}

impl Vectors {
    pub fn read() -> Self {
        fn file<T: DeserializeOwned>(name: &str) -> T {
            let path = format!("{FOLDER}/{name}.json");
            serde_json::from_str(&committed(&path)).unwrap_or_else(|error| panic!("{path}: {error}"))
        }
        Self {
            describe: file("describe"),
            check: file("check"),
            meter: file("meter"),
            rate: file("rate"),
            close: file("close"),
        }
    }

    /// Fails with the first case that was answered otherwise.
    pub fn compare(&self, answered: &Self, guest: &str) {
        assert_eq!(self.describe, answered.describe, "{guest}: describe");
        let about = |function: &str, about: &str| format!("{guest}: {function}: {about}");
        for (expected, answered) in self.check.iter().zip(&answered.check) {
            assert_eq!(expected.problems, answered.problems, "{}", about("check", &expected.about));
        }
        for (expected, answered) in self.meter.iter().zip(&answered.meter) {
            assert_eq!(expected.metered, answered.metered, "{}", about("meter", &expected.about));
        }
        for (expected, answered) in self.rate.iter().zip(&answered.rate) {
            assert_eq!(expected.rated, answered.rated, "{}", about("rate", &expected.about));
        }
        for (expected, answered) in self.close.iter().zip(&answered.close) {
            assert_eq!(expected.rated, answered.rated, "{}", about("close", &expected.about));
        }
    }

    /// With another's answers of `check`: natively there is no schema.
    pub fn with_checks_of(self, other: Self) -> Self {
        Self { check: other.check, ..self }
    }

    pub fn write(&self) {
        write(&format!("{FOLDER}/describe.json"), &self.describe);
        write(&format!("{FOLDER}/check.json"), &self.check);
        write(&format!("{FOLDER}/meter.json"), &self.meter);
        write(&format!("{FOLDER}/rate.json"), &self.rate);
        write(&format!("{FOLDER}/close.json"), &self.close);
    }

    /// The same questions with a guest's answers, each by a fresh instance.
    pub fn answered(&self, pricer: &dyn Pricer, (plugin, descriptor): &(Digest, Descriptor)) -> Self {
        let check = self.check.iter().map(|case| {
            let problems = pricer.check(plugin, &case.settings.to_string()).unwrap();
            assert!(problems.iter().all(|problem| !problem.message.is_empty()), "{}", case.about);
            let mut problems: Vec<_> = problems.into_iter().map(|problem| problem.pointer).collect();
            problems.sort_unstable();
            CheckCase { problems, ..case.clone() }
        });
        let meter = self.meter.iter().map(|case| {
            let settings = case.settings.to_string();
            let answer = pricer.open(plugin, &settings).unwrap().meter(&case.frame.to_frame());
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", case.about));
            MeterCase { metered: Some(MeteredText::of(&answer)), ..case.clone() }
        });
        let rate = self.rate.iter().map(|case| {
            let settings = case.settings.to_string();
            let mut run = pricer.open(plugin, &settings).unwrap();
            let answer = run.rate(&case.frame.to_frame(), &case.counted.to_counted());
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", case.about));
            RateCase { rated: Some(RatedText::of(&answer)), ..case.clone() }
        });
        let close = self.close.iter().map(|case| {
            let settings = case.settings.to_string();
            let mut run = pricer.open(plugin, &settings).unwrap();
            let answer = run.close(&case.frame.to_frame(), &case.totals.to_totals());
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", case.about));
            CloseCase { rated: Some(RatedText::of(&answer)), ..case.clone() }
        });
        Self {
            describe: DescriptorText::of(descriptor),
            check: check.collect(),
            meter: meter.collect(),
            rate: rate.collect(),
            close: close.collect(),
        }
    }
}

/// Writes a file of vectors: indented, but each list of plain values on one line.
pub fn write(path: &str, vectors: &impl Serialize) {
    let pretty = serde_json::to_string_pretty(vectors).unwrap();
    let mut text = String::new();
    let mut in_plain_list = false;
    let mut lines = pretty.lines().peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().map_or("", |next| next.trim_start());
        let ends = line.trim_start().starts_with(']');
        text.push_str(if in_plain_list { line.trim_start() } else { line });
        in_plain_list = !ends && (in_plain_list || (line.ends_with('[') && !next.starts_with(['{', '['])));
        text.push_str(match (in_plain_list, line.ends_with(',')) {
            (false, _) => "\n",
            (true, true) if !next.starts_with(']') => " ",
            (true, _) => "",
        });
    }
    std::fs::write(repository().join(path), text).unwrap();
}
