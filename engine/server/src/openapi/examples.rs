//! An example for every body that says none itself, put together from those of its parts.

use serde_json::{Map, Value, json};

/// Schemas within schemas are followed so far: a statement holds lines, and none holds itself.
const DEPTH_MAX: usize = 12;

/// Adds what is missing to a whole `OpenAPI` document.
pub(super) fn complete(document: &mut Value) {
    let Some(schemas) = document.pointer("/components/schemas").cloned() else { return };
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    for operation in operations {
        let body = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        if let Some(content) = body {
            complete_content(content, &schemas);
        }
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            let Some(Value::Object(content)) = response.get_mut("content") else { continue };
            complete_content(content, &schemas);
            // What is refused is refused with this status.
            for example in content.values_mut().filter_map(|media| media.pointer_mut("/example/status")) {
                *example = status.parse::<u16>().map_or(Value::Null, Value::from);
            }
        }
    }
}

fn complete_content(content: &mut Map<String, Value>, schemas: &Value) {
    for media in content.values_mut().filter_map(Value::as_object_mut) {
        if media.contains_key("example") || media.contains_key("examples") {
            continue;
        }
        let Some(schema) = media.get("schema").cloned() else { continue };
        media.insert("example".to_owned(), example(&schema, schemas, 0));
    }
}

/// A value that the schema allows.
fn example(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let follow = |schema: &Value| example(schema, schemas, depth.saturating_add(1));
    if let Some(example) = schema.get("example").or_else(|| schema.pointer("/examples/0")) {
        return example.clone();
    }
    if let Some(value) = schema.get("const").or_else(|| schema.pointer("/enum/0")) {
        return value.clone();
    }
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return schemas.get(name).map_or(Value::Null, follow);
    }
    if let Some(Value::Array(parts)) = schema.get("allOf") {
        let parts = parts.iter().map(follow).chain([of_type(schema, &follow)]);
        let parts = parts.filter_map(|part| if let Value::Object(part) = part { Some(part) } else { None });
        return parts.flatten().collect::<Map<_, _>>().into();
    }
    for choice in ["oneOf", "anyOf"] {
        let Some(Value::Array(choices)) = schema.get(choice) else { continue };
        let something = choices.iter().find(|choice| choice.get("type") != Some(&json!("null")));
        return something.map_or(Value::Null, follow);
    }
    of_type(schema, &follow)
}

fn of_type(schema: &Value, follow: &dyn Fn(&Value) -> Value) -> Value {
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("object") => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let properties = properties.into_iter().flatten();
            properties.map(|(name, property)| (name.clone(), follow(property))).collect::<Map<_, _>>().into()
        }
        Some("array") => schema.get("items").map_or_else(|| json!([]), |item| json!([follow(item)])),
        Some("boolean") => json!(false),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(0)),
        Some("string") if schema.get("format") == Some(&json!("date-time")) => json!("2026-11-24T19:22:39Z"),
        Some("string") => json!(""),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_put_together_from_its_parts() {
        let schemas = json!({
            "Price": {"type": "string", "example": "0.05"},
            "Line": {"type": "object", "properties": {
                "price": {"$ref": "#/components/schemas/Price"},
                "note": {"type": ["string", "null"], "example": "first"},
                "kind": {"oneOf": [{"type": "null"}, {"enum": ["charge", "credit"]}]},
            }},
        });
        let schema = json!({"allOf": [
            {"type": "object", "properties": {"lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}}}},
            {"type": "object", "properties": {"closed": {"type": "boolean"}, "count": {"type": "integer", "minimum": 1}}},
        ]});
        let lines = json!([{"price": "0.05", "note": "first", "kind": "charge"}]);
        assert_eq!(example(&schema, &schemas, 0), json!({"lines": lines, "closed": false, "count": 1}));
    }
}
