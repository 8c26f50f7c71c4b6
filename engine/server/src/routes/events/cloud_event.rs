//! An event as it is documented, and where in it something is wrong.
//!
//! What an event may be is decided by the core's door. This says the same for people and programs that write
//! events, and turns the door's refusals into JSON pointers.

use tollgate_core::door::Rejected;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, SchemaType};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Fault;

/// One metered AI action: a CloudEvents 1.0 record in JSON. Extension attributes are let through and kept.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"specversion": "1.0", "id": "req-0001", "source": "acme-docs", "type": "ai.usage",
    "subject": "legal", "time": "2026-11-03T09:00:00Z", "data": {"feature": "review", "model": "gpt-4o-mini",
    "measures": {"input_tokens": 480, "output_tokens": 120}}}))]
#[expect(dead_code, reason = "it documents what the door reads")]
pub(in crate::routes) struct CloudEvent {
    /// The version of CloudEvents.
    #[schema(pattern = r"^1\.0$", example = "1.0")]
    specversion: String,
    /// Together with `source` it is what makes two events the same, forever.
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f]*$", example = "req-0001")]
    id: String,
    /// The app.
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f]*$", example = "acme-docs")]
    source: String,
    /// The kind of event, in the sender's words.
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f]*$", example = "ai.usage")]
    r#type: String,
    /// The customer who created the usage and pays.
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f]*$", example = "legal")]
    subject: String,
    /// When it happened: RFC 3339 with an offset.
    #[schema(format = DateTime, example = "2026-11-03T09:00:00Z")]
    time: String,
    /// What ran, and what it used.
    data: CloudEventData,
}

/// What ran, and what it used. All of it may be left out.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it documents what the door reads")]
pub(in crate::routes) struct CloudEventData {
    /// The app's feature.
    #[schema(max_length = 256, example = "review")]
    feature: Option<String>,
    /// How the request was routed.
    #[schema(max_length = 256, example = "default")]
    route: Option<String>,
    /// The model that ran.
    #[schema(max_length = 256, example = "gpt-4o-mini")]
    model: Option<String>,
    /// Who ran the inference.
    #[schema(max_length = 256, example = "openai")]
    provider: Option<String>,
    /// Raw numbers by name, each a number or a decimal string, zero or more; at most 64.
    #[schema(value_type = Option<Object>, example = json!({"input_tokens": 480, "pages": "3.5"}))]
    measures: Option<()>,
    /// The app's own words by name; at most 64.
    #[schema(value_type = Option<Object>, example = json!({"project": "due-diligence"}))]
    attributes: Option<()>,
    /// A provider's own usage object (OpenAI, Anthropic, Google, OpenTelemetry), instead of measures.
    #[schema(value_type = Option<Object>, example = json!({"prompt_tokens": 480, "completion_tokens": 120}))]
    usage: Option<()>,
    /// What the provider says the request cost, as a decimal string in units of the app's currency.
    #[schema(example = "0.00042")]
    network_cost: Option<String>,
}

/// What a place for an event takes: an event, and whatever else somebody sends there. That is answered in its
/// place, as invalid, and rejects none of its neighbours.
#[derive(Clone, Copy, Debug)]
pub(in crate::routes) struct SentEvent;

impl PartialSchema for SentEvent {
    fn schema() -> RefOr<Schema> {
        let anything = ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .description(Some("Anything else is answered as invalid, in its place."));
        AnyOfBuilder::new().item(Ref::from_schema_name("CloudEvent")).item(anything).into()
    }
}

impl ToSchema for SentEvent {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((CloudEvent::name().into_owned(), CloudEvent::schema()));
        CloudEvent::schemas(schemas);
    }
}

/// The fields whose keys are the app's own words: what follows them is one name, whatever it consists of.
const MAPS: [&str; 2] = ["data.measures.", "data.attributes."];

/// The place and remedy of a refusal, where the event stands at `base`.
pub(in crate::routes) fn fault(base: &str, rejected: &Rejected) -> Fault {
    let message = format!("{}; {}", rejected.problem, rejected.remedy);
    Fault::at(format!("{base}{}", pointer(&rejected.field)), message)
}

/// A dotted field as a JSON pointer (RFC 6901); empty for the event as a whole.
fn pointer(field: &str) -> String {
    if field == "event" {
        return String::new();
    }
    let map = MAPS.iter().find_map(|map| Some((*map, field.strip_prefix(map)?)));
    let (path, name) = map.map_or((field, None), |(map, name)| (map.trim_end_matches('.'), Some(name)));
    path.split('.').chain(name).fold(String::new(), |pointer, name| pointer + "/" + &escaped(name))
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tollgate_core::door;

    use super::*;

    #[test]
    fn a_dotted_field_becomes_a_pointer() {
        for (field, expected) in [
            ("event", ""),
            ("id", "/id"),
            ("data", "/data"),
            ("data.measures", "/data/measures"),
            ("data.measures.input_tokens", "/data/measures/input_tokens"),
            ("data.measures.a.b/c~d", "/data/measures/a.b~1c~0d"),
            ("data.attributes.team", "/data/attributes/team"),
            (
                "data.usage.prompt_tokens_details.cached_tokens",
                "/data/usage/prompt_tokens_details/cached_tokens",
            ),
        ] {
            assert_eq!(pointer(field), expected, "{field}");
        }
    }

    #[test]
    fn a_refusal_points_into_the_request_and_says_the_remedy() {
        let event = br#"{"specversion":"1.0","id":"1","source":"a","type":"t","subject":"s",
            "time":"2026-11-03T09:00:00Z","data":{"measures":{"a/b":-1}}}"#;
        let fault = fault("/replacement", &door::parse(event).unwrap_err());
        assert_eq!(fault.pointer.as_deref(), Some("/replacement/data/measures/a~1b"));
        assert!(fault.message.starts_with("is -1, which is negative; a measure is"), "{}", fault.message);
    }
}
