//! Decimals as text: in settings, in tests, in messages and in the schema.

use super::{COEFFICIENT_BITS, Decimal, SCALE_MAX};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr};

/// A decimal that is written in the source, checked when it is compiled: `decimal!("0.05")`.
#[macro_export]
macro_rules! decimal {
    ($text:literal) => {
        const { $crate::Decimal::literal($text) }
    };
}

/// Why a text is not a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDecimal {
    /// Something else than digits, one point and a leading minus.
    Malformed,
    /// More than 28 digits after the point, or a coefficient of more than 96 bits.
    TooLong,
}

impl Decimal {
    /// A decimal that is written in the source; see [`decimal!`](crate::decimal).
    ///
    /// # Panics
    /// When the text is not a decimal: while compiling, as it is meant to be used.
    pub const fn literal(text: &str) -> Self {
        match Self::parse(text) {
            Ok(decimal) => decimal,
            Err(_) => panic!("not a decimal: digits, perhaps a point, perhaps a leading minus"),
        }
    }

    /// Reads `-12.50`: digits, at most one point with digits on both sides, and a leading minus if negative.
    ///
    /// # Errors
    /// When the text is anything else (an exponent, a plus, a space), or too long to hold exactly.
    pub const fn parse(text: &str) -> Result<Self, NotDecimal> {
        let (negative, mut rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (mut coefficient, mut scale) = (0_i128, 0_u32);
        let (mut pointed, mut digit_before) = (false, false);
        while let [byte, following @ ..] = rest {
            match *byte {
                digit @ b'0'..=b'9' => {
                    coefficient = coefficient * 10 + (digit - b'0') as i128;
                    scale += pointed as u32;
                    digit_before = true;
                    if coefficient >> COEFFICIENT_BITS != 0 || scale > SCALE_MAX {
                        return Err(NotDecimal::TooLong);
                    }
                }
                b'.' if digit_before && !pointed => {
                    pointed = true;
                    digit_before = false;
                }
                _ => return Err(NotDecimal::Malformed),
            }
            rest = following;
        }
        if !digit_before {
            return Err(NotDecimal::Malformed);
        }
        Ok(Self { coefficient: if negative { -coefficient } else { coefficient }, scale })
    }
}

impl fmt::Display for NotDecimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "a decimal is written as digits with at most one point: \"12.50\"",
            Self::TooLong => "a decimal has at most 28 digits after the point and about 28 in all",
        })
    }
}

impl std::error::Error for NotDecimal {}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        Self::parse(text)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.scale as usize;
        let digits = format!("{:0width$}", self.coefficient.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.is_negative() { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        formatter.pad(&format!("{sign}{whole}{point}{fraction}"))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DecimalText)
    }
}

struct DecimalText;

impl de::Visitor<'_> for DecimalText {
    type Value = Decimal;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a decimal in quotation marks, like \"12.50\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
        Decimal::parse(text).map_err(|error| E::custom(format_args!("`{text}` is not a decimal: {error}")))
    }
}

impl JsonSchema for Decimal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^-?[0-9]{1,29}(\.[0-9]{1,28})?$" })
    }
}
