//! Providers' usage objects, normalised to disjoint measures.
//!
//! The same words mean different things: OpenAI's input includes what was read from a cache, Anthropic's
//! does not. Each provider's reading stands in a file of its own; this one tells them apart by the shape of
//! the object. A body whose parts exceed the whole is refused, never clamped: counting cached tokens twice
//! is the classic bug of this field.

mod anthropic;
mod bedrock;
mod google;
mod inclusive;
mod openai;
mod opentelemetry;
mod section;

use std::fmt;

use crate::json::Fields;
use crate::quantity::Quantity;
pub(crate) use opentelemetry::PREFIX as OPEN_TELEMETRY_PREFIX;
use section::Section;

/// The most keys of a usage object.
const FIELDS_MAX: usize = 128;

/// Whose usage object it is.
#[derive(Clone, Copy)]
enum Dialect {
    /// OpenAI's chat completions and what speaks like them (`OpenRouter`, Groq, Mistral, `DeepSeek`, ...).
    OpenAiChat,
    /// OpenAI's responses, realtime and image interfaces.
    OpenAiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `usageMetadata`.
    Google,
    /// Amazon Bedrock's converse.
    Bedrock,
    /// OpenTelemetry's `gen_ai.usage.*`.
    OpenTelemetry,
}

/// Disjoint counts by measure, none of them zero, in no particular order.
pub type Counts = Vec<(&'static str, Quantity)>;

/// Why a usage object cannot be normalised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UsageFault {
    /// The field at fault, dotted, within the usage object; empty for the whole.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What would be right.
    pub remedy: &'static str,
}

impl fmt::Display for UsageFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.field.is_empty() { "usage" } else { &self.field };
        write!(out, "{place} {}; {}", self.problem, self.remedy)
    }
}

/// Normalises a usage object, given as JSON text.
///
/// # Errors
/// When it is no object, of no known shape, has a count that is not a whole number from zero up, or parts
/// that exceed the whole they belong to.
pub fn normalise(usage: &str) -> Result<Counts, UsageFault> {
    let fields = Fields::read(usage, FIELDS_MAX).map_err(|fault| UsageFault {
        field: String::new(),
        problem: fault.to_string(),
        remedy: fault.remedy("give the provider's usage object as it was received"),
    })?;
    normalise_fields(fields)
}

/// Normalises the fields of a usage object.
pub(crate) fn normalise_fields(fields: Fields<'_>) -> Result<Counts, UsageFault> {
    let usage = Section::whole(fields);
    match recognise(&usage)? {
        Dialect::OpenAiChat => openai::chat(&usage),
        Dialect::OpenAiResponses => openai::responses(&usage),
        Dialect::Anthropic => anthropic::messages(&usage),
        Dialect::Google => google::usage_metadata(&usage),
        Dialect::Bedrock => bedrock::converse(&usage),
        Dialect::OpenTelemetry => opentelemetry::attributes(&usage),
    }
}

/// Whose usage object this is, by the names of its fields.
fn recognise(usage: &Section<'_>) -> Result<Dialect, UsageFault> {
    let has_any = |names: &[&str]| names.iter().any(|name| usage.has(name));
    if usage.any(opentelemetry::is_ours) {
        Ok(Dialect::OpenTelemetry)
    } else if has_any(&google::OWN_FIELDS) {
        Ok(Dialect::Google)
    } else if has_any(&["inputTokens", "outputTokens"]) {
        Ok(Dialect::Bedrock)
    } else if has_any(&["prompt_tokens", "completion_tokens"]) {
        Ok(Dialect::OpenAiChat)
    } else if has_any(&["input_tokens", "output_tokens"]) {
        Ok(if has_any(&anthropic::OWN_FIELDS) { Dialect::Anthropic } else { Dialect::OpenAiResponses })
    } else {
        Err(UsageFault {
            field: String::new(),
            problem: "is no usage object of a known shape".to_owned(),
            remedy: "known are OpenAI's (prompt_tokens or input_tokens), Anthropic's (input_tokens), Google's \
                     (promptTokenCount), Bedrock's (inputTokens) and gen_ai.usage.*; anything else belongs in measures",
        })
    }
}

#[cfg(test)]
mod tests;
