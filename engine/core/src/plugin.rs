//! What a plugin says of itself, and the digest that identifies it.

use std::fmt;
use std::str::FromStr;

use hex::FromHex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The sha256 of a plugin's component: its identity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

/// A text that is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a digest: sha256 and 64 hexadecimal digits, as in \"sha256:9f86…\"")]
pub struct NotADigest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sha256:")?;
        out.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        FromHex::from_hex(digits).map(Self).map_err(|_| NotADigest(text.to_owned()))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        text.parse()
    }
}

/// How a unit's quantities become one counter for each customer and period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregation {
    /// Grows by each quantity.
    Sum,
    /// The largest quantity seen.
    Max,
    /// Grows by the quantity of a key that is new in the period.
    Distinct,
}

/// Which sign the amounts of a line may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// Zero or more.
    Charge,
    /// Zero or less.
    Credit,
    /// Either.
    Adjustment,
}

/// A unit a plugin counts. A `name` or `group_by` column that begins with `/` is a JSON pointer to a
/// string in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitDeclaration {
    /// What the customer sees, in the singular, or a pointer to it.
    pub name: String,
    /// How it is counted.
    pub aggregation: Aggregation,
    /// Counted for the customer's parent instead of the customer.
    pub pooled: bool,
    /// Text columns whose values have a counter each.
    pub group_by: Vec<String>,
}

/// A kind of row on a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDeclaration {
    /// A stable word for programs.
    pub code: String,
    /// What the customer reads.
    pub title: String,
    /// The name of the unit its quantity counts, or a pointer to it.
    pub unit: String,
    /// Its sign.
    pub kind: LineKind,
}

/// A reason why an event should not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalDeclaration {
    /// A stable word for programs.
    pub code: String,
    /// What the customer reads.
    pub title: String,
}

/// What a plugin is: the answer of its `describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// A stable name.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// The units it counts.
    pub units: Vec<UnitDeclaration>,
    /// The lines it may charge.
    pub lines: Vec<LineDeclaration>,
    /// The refusals it may give.
    pub refusals: Vec<RefusalDeclaration>,
    /// A JSON Schema of its settings, as JSON text.
    pub settings_schema: String,
}

/// What is wrong with one value of a tariff's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer to the value; empty for the whole.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "(whole)" } else { &self.pointer };
        write!(out, "{place}: {}", self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_digits_and_nothing_else() {
        let digest = Digest::of(b"");
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(text["sha256:".len()..].parse(), Ok(digest));
        for wrong in ["", "sha256:", &text[..70], &format!("{text}0"), &text.replace("e3", "+3")] {
            assert_eq!(wrong.parse::<Digest>(), Err(NotADigest(wrong.to_owned())));
        }
    }
}
