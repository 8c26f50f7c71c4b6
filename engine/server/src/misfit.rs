//! What does not fit where it stands, in the words of the interface: of JSON, of a query, of a path. What reads them
//! speaks of the program's own types, which nobody outside knows.

/// What is wrong with a value, and what would be right.
pub(crate) fn told(said: &str) -> String {
    let quoted = |text: &str| text.strip_suffix('`').map(|name| format!("{name:?}"));
    if let Some((given, expected)) = said
        .strip_prefix("invalid type: ")
        .or_else(|| said.strip_prefix("invalid value: "))
        .or_else(|| said.strip_prefix("invalid length "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    {
        return format!("must be {}, not {}", wanted(expected), found(given));
    }
    if let Some((name, rest)) = said.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, ")) {
        return match rest.split_once(' ') {
            Some(("expected", known)) => format!("{name:?} is unknown here; known: {}", listed(known)),
            _ => format!("{name:?} is unknown here; nothing is known"),
        };
    }
    if let Some((name, rest)) = said.strip_prefix("unknown variant `").and_then(|rest| rest.split_once("`, "))
    {
        return format!("must be {}, not {name:?}", rest.trim_start_matches("expected ").replace('`', "\""));
    }
    if let Some(name) = said.strip_prefix("duplicate field `").and_then(quoted) {
        return format!("{name} is given twice");
    }
    match said {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            format!("must be {}", wanted("u64"))
        }
        "number too large to fit in target type" => "is too large".to_owned(),
        "provided string was not `true` or `false`" => "must be true or false".to_owned(),
        said => said.to_owned(),
    }
}

/// What should stand there, as a type of the program is called.
pub(crate) fn wanted(expected: &str) -> &str {
    let is_object = |expected: &str| {
        expected.starts_with("struct ") || expected.contains("tagged enum ") || expected == "a map"
    };
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "bool" | "a boolean" => "true or false",
        "a sequence" => "a list",
        "str" | "a borrowed string" | "variant identifier" | "string or map" => "a string",
        object if is_object(object) => "an object",
        other => other,
    }
}

/// What stands there instead.
fn found(given: &str) -> String {
    let inner = |kind: &str| given.strip_prefix(kind).and_then(|rest| rest.strip_suffix('`'));
    match given {
        "sequence" => "a list".to_owned(),
        "map" => "an object".to_owned(),
        "unit value" | "Option value" => "null".to_owned(),
        given => {
            match inner("integer `").or_else(|| inner("floating point `")).or_else(|| inner("boolean `")) {
                Some(value) => value.to_owned(),
                None => given.strip_prefix("string ").unwrap_or(given).to_owned(),
            }
        }
    }
}

/// The names that are there, of ``one of `a`, `b` `` or of `` `a` or `b` ``.
fn listed(known: &str) -> String {
    known.trim_start_matches("one of ").replace(" or ", ", ").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_program_is_told() {
        for (said, expected) in [
            ("invalid type: sequence, expected a map", "must be an object, not a list"),
            (
                "invalid type: string \"a, expected b\", expected u32",
                "must be a whole number from 0 to 4294967295, not \"a, expected b\"",
            ),
            ("invalid type: integer `5`, expected a string", "must be a string, not 5"),
            ("invalid value: integer `-1`, expected u64", "must be a whole number, 0 or more, not -1"),
            ("invalid type: floating point `0.5`, expected a string", "must be a string, not 0.5"),
            ("invalid type: null, expected struct NewApp", "must be an object, not null"),
            (
                "invalid type: boolean `true`, expected internally tagged enum KeyScope",
                "must be an object, not true",
            ),
            ("invalid type: map, expected variant identifier", "must be a string, not an object"),
            ("unknown field `x`, expected one of `a`, `b`, `c`", "\"x\" is unknown here; known: a, b, c"),
            ("unknown field `x`, expected `a` or `b`", "\"x\" is unknown here; known: a, b"),
            ("unknown field `x`, there are no fields", "\"x\" is unknown here; nothing is known"),
            ("unknown variant `x`, expected one of `a`, `b`", "must be one of \"a\", \"b\", not \"x\""),
            ("duplicate field `a`", "\"a\" is given twice"),
            ("is too long", "is too long"),
        ] {
            assert_eq!(told(said), expected);
        }
    }
}
