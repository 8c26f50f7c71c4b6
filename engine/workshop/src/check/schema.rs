//! What the settings schema says to whoever writes settings, and where it lets mistakes through.

use serde_json::{Map, Value};

use crate::finding::Finding;

/// How deep a schema is followed.
const DEPTH_MAX: usize = 16;

/// Looks at a settings schema. That it is a schema at all has been checked by the sandbox.
pub(super) fn examine(schema: &str) -> Vec<Finding> {
    let Ok(schema) = serde_json::from_str::<Value>(schema) else { return Vec::new() };
    let mut findings = Vec::new();
    let fields = schema.get("properties").and_then(Value::as_object);
    findings.push(Finding::good("schema", format!("{} settings", fields.map_or(0, Map::len))));
    let is_open = schema.get("additionalProperties").is_none_or(|value| value != &Value::Bool(false));
    if is_open {
        findings.push(Finding::advice(
            "schema",
            "a misspelt setting is let through and has no effect",
            "put #[settings] above the struct, or say additionalProperties: false",
        ));
    }
    let mut walk = Walk { root: &schema, findings: Vec::new(), undescribed: Vec::new() };
    walk.schema(&schema, "", 0);
    findings.extend(walk.findings);
    if !walk.undescribed.is_empty() {
        findings.push(Finding::advice(
            "schema",
            format!("no description of {}", walk.undescribed.join(", ")),
            "write a doc comment (///) above each: it is all that the author of a tariff reads",
        ));
    }
    findings
}

struct Walk<'a> {
    root: &'a Value,
    findings: Vec<Finding>,
    undescribed: Vec<String>,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, pointer: &str, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        let schema = self.resolved(schema);
        if may_be_number(schema) {
            let name = if pointer.is_empty() { "the whole" } else { pointer };
            self.findings.push(Finding::wrong(
                "schema",
                format!(
                    "{name} is a JSON number with a fraction, which goes through a float: 0.1 is not 0.1"
                ),
                "make it a Decimal, which is a string in JSON: \"0.10\"",
            ));
        }
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let pointer = format!("{pointer}/{name}");
            if field.get("description").is_none() && self.resolved(field).get("description").is_none() {
                self.undescribed.push(pointer.clone());
            }
            self.schema(field, &pointer, depth + 1);
        }
        for (key, part) in [("items", "/0"), ("additionalProperties", "/*")] {
            if let Some(inner) = schema.get(key).filter(|inner| inner.is_object()) {
                self.schema(inner, &format!("{pointer}{part}"), depth + 1);
            }
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for inner in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.schema(inner, pointer, depth + 1);
            }
        }
    }

    /// What a reference within the schema points to.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        reference.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema)
    }
}

fn may_be_number(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == "number",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "number"),
        _ => false,
    }
}

/// The names of the settings.
pub(super) fn names(schema: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap_or(Value::Null);
    let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, _)| name.clone()).collect()
}

/// Settings that the schema alone suggests: every required field at its example, default, or first value.
pub(crate) fn example(schema: &str) -> Option<String> {
    let schema: Value = serde_json::from_str(schema).ok()?;
    value(&schema, &schema, 0).map(|settings| settings.to_string())
}

fn value(schema: &Value, root: &Value, depth: usize) -> Option<Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    let given = (schema.get("default").or_else(|| schema.get("const")))
        .or_else(|| schema.get("examples").and_then(|examples| examples.get(0)))
        .or_else(|| schema.get("enum").and_then(|values| values.get(0)));
    if let Some(given) = given {
        return Some(given.clone());
    }
    if let Some(pointer) = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'))
    {
        return value(root.pointer(pointer)?, root, depth + 1);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(first) = schema.get(key).and_then(|schemas| schemas.get(0)) {
            return value(first, root, depth + 1);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("object") => object(schema, root, depth),
        Some("array") => {
            let item = schema.get("items").and_then(|items| value(items, root, depth + 1));
            Some(Value::Array(item.into_iter().collect()))
        }
        // A decimal, where a pattern asks for one; else any word.
        Some("string") if schema.get("pattern").is_some() => Some("1".into()),
        Some("string") => Some("example".into()),
        Some("integer" | "number") => Some(1.into()),
        Some("boolean") => Some(false.into()),
        Some("null") => Some(Value::Null),
        _ => None,
    }
}

fn object(schema: &Value, root: &Value, depth: usize) -> Option<Value> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut fields = Map::new();
    for name in required.filter_map(Value::as_str) {
        let field = schema.get("properties").and_then(|fields| fields.get(name))?;
        fields.insert(name.to_owned(), value(field, root, depth + 1)?);
    }
    Some(Value::Object(fields))
}
