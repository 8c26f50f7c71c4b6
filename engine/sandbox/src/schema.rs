//! A plugin's settings schema: compiled within bounds, and applied.
//!
//! The schema comes from the plugin, so it is as hostile as the rest of it. It cannot fetch anything, its
//! patterns run in linear time, it cannot recurse, and written out it has a bounded number of parts; so what
//! it costs to apply is bounded by the size of the settings.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;
use tollgate_core::plugin::Problem;

const SCHEMA_BYTES_MAX: usize = 256 << 10;
/// Parts of a schema in which every reference is replaced by what it refers to.
const PARTS_MAX: usize = 5_000;
/// References inside what other references refer to: each costs the host stack.
const REFERENCE_DEPTH_MAX: usize = 64;
const PATTERN_BYTES_MAX: usize = 1 << 20;
const PROBLEMS_MAX: usize = 20;
const MESSAGE_BYTES_MAX: usize = 400;

/// A settings schema, ready to be applied.
pub(crate) struct SettingsSchema(Validator);

impl SettingsSchema {
    /// Compiles the schema.
    ///
    /// # Errors
    /// A sentence with what is wrong with it.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        if text.len() > SCHEMA_BYTES_MAX {
            let size = text.len();
            return Err(format!(
                "its settings schema has {size} bytes; at most {SCHEMA_BYTES_MAX} are accepted"
            ));
        }
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| format!("its settings schema is not JSON: {error}"))?;
        Extent { root: &schema, parts: 0, open: Vec::new() }
            .measure(&schema)
            .map_err(|fault| format!("its settings schema {fault}"))?;
        let patterns =
            PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(patterns)
            .build(&schema)
            .map_err(|error| {
                format!("its settings schema is not a valid JSON Schema: {}", shortened(&error))
            })?;
        Ok(Self(validator))
    }

    /// What is wrong with these settings.
    pub(crate) fn problems(&self, settings: &Value) -> Vec<Problem> {
        let problem = |error: jsonschema::ValidationError<'_>| Problem {
            pointer: error.instance_path().as_str().to_owned(),
            message: shortened(&error),
        };
        self.0.iter_errors(settings).take(PROBLEMS_MAX).map(problem).collect()
    }
}

fn shortened(message: &impl ToString) -> String {
    let mut message = message.to_string();
    if message.len() > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        message.push('…');
    }
    message
}

/// Counts the parts of a schema written out, and refuses one that would have no end.
struct Extent<'a> {
    root: &'a Value,
    parts: usize,
    /// The references being followed, outermost first.
    open: Vec<&'a str>,
}

impl<'a> Extent<'a> {
    fn measure(&mut self, part: &'a Value) -> Result<(), String> {
        self.parts = self.parts.saturating_add(1);
        if self.parts > PARTS_MAX {
            return Err(format!("has more than {PARTS_MAX} parts with every `$ref` written out"));
        }
        match part {
            Value::Array(items) => items.iter().try_for_each(|item| self.measure(item)),
            Value::Object(members) => {
                members.iter().try_for_each(|(key, value)| match (key.as_str(), value) {
                    ("$ref", Value::String(reference)) => self.follow(reference),
                    ("$ref" | "$dynamicRef" | "$recursiveRef", _) => Err(format!(
                        "uses `{key}` in a way this host does not support; use `$ref`: \"#/$defs/…\""
                    )),
                    ("$id", _) if !std::ptr::eq(part, self.root) => Err("has an `$id` below its root".into()),
                    // Data rather than schemas; and definitions count where they are referred to.
                    ("enum" | "const" | "default" | "examples" | "$defs" | "definitions", _) => Ok(()),
                    _ => self.measure(value),
                })
            }
            _ => Ok(()),
        }
    }

    fn follow(&mut self, reference: &'a str) -> Result<(), String> {
        let outside =
            || format!("refers to `{reference}`; a `$ref` must point into the schema itself, as `#/$defs/…`");
        if self.open.contains(&reference) {
            return Err(format!("is recursive: `{reference}` contains itself"));
        }
        if self.open.len() >= REFERENCE_DEPTH_MAX {
            return Err(format!("nests more than {REFERENCE_DEPTH_MAX} references"));
        }
        let pointer = reference.strip_prefix('#').ok_or_else(outside)?;
        let target = self.root.pointer(pointer).ok_or_else(outside)?;
        self.open.push(reference);
        let measured = self.measure(target);
        self.open.pop();
        measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(schema: &str) -> String {
        SettingsSchema::compile(schema).err().unwrap_or_else(|| panic!("accepted {schema}"))
    }

    #[test]
    fn a_hostile_or_broken_schema_is_refused() {
        let doubling: Vec<String> = (0..30)
            .map(|level| {
                format!(
                    r##""d{level}":{{"allOf":[{{"$ref":"#/$defs/d{0}"}},{{"$ref":"#/$defs/d{0}"}}]}}"##,
                    level + 1
                )
            })
            .collect();
        let links: Vec<String> =
            (0..100).map(|link| format!(r##""d{link}":{{"$ref":"#/$defs/d{}"}}"##, link + 1)).collect();
        let messages = [
            "{",
            r#"{"type":"objekt"}"#,
            r##"{"$ref":"#"}"##,
            r##"{"$defs":{"a":{"properties":{"next":{"$ref":"#/$defs/a"}}}},"$ref":"#/$defs/a"}"##,
            r#"{"$ref":"https://example.com/schema.json"}"#,
            r##"{"$dynamicRef":"#node"}"##,
            r#"{"properties":{"a":{"$id":"https://example.com/"}}}"#,
            r#"{"pattern":"((a{1,1000}){1,1000}){1,1000}"}"#,
            r#"{"pattern":"(?=a)b"}"#,
            &format!(r##"{{"$defs":{{{},"d30":{{}}}},"$ref":"#/$defs/d0"}}"##, doubling.join(",")),
            &format!(r##"{{"$defs":{{{},"d100":{{}}}},"$ref":"#/$defs/d0"}}"##, links.join(",")),
        ]
        .map(refusal);
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn problems_point_at_the_value() {
        let schema = SettingsSchema::compile(
            r##"{"$defs":{"money":{"type":"string","pattern":"^[0-9.]+$"}},"type":"object",
                "properties":{"price":{"$ref":"#/$defs/money"},"tiers":{"items":{"$ref":"#/$defs/money"}}},
                "required":["price"],"additionalProperties":false}"##,
        )
        .unwrap();
        let problems = |settings: &str| {
            let problems = schema.problems(&serde_json::from_str(settings).unwrap());
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(problems(r#"{"price":"1"}"#), "");
        insta::assert_snapshot!(problems(r#"{"tiers":["1",2,"x"],"prise":1}"#));
    }
}
