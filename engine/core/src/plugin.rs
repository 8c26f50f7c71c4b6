//! What a plugin says of itself, and the digest that identifies it.

use std::fmt;
use std::str::FromStr;

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
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
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
        let refuse = || NotADigest(text.to_owned());
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        if hex.len() != 64 || !hex.is_ascii() {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        for (position, byte) in bytes.iter_mut().enumerate() {
            let start = position.saturating_mul(2);
            let pair = hex.get(start..start.saturating_add(2)).ok_or_else(refuse)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refuse())?;
        }
        Ok(Self(bytes))
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
