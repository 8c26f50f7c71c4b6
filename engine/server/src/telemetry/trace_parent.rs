//! The trace that a request is part of, as its sender says in `traceparent`: W3C Trace Context.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

const HEADER: HeaderName = HeaderName::from_static("traceparent");

/// A trace, and the span in it that sent the request: hexadecimal digits in lower case, and not all zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace: Box<str>,
    #[cfg(feature = "otel")]
    parent: Box<str>,
    /// Whether the sender keeps the trace.
    #[cfg(feature = "otel")]
    is_sampled: bool,
}

impl TraceParent {
    /// What the headers say; `None` where they say nothing that can be understood.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(HEADER).iter().map(HeaderValue::to_str);
        let (Some(Ok(text)), None) = (given.next(), given.next()) else { return None };
        Self::read(text)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_id = |part: &str, length: usize| is_hex(part, length) && part.bytes().any(|byte| byte != b'0');
        // A later version may have more at its end.
        let is_version = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        let is_whole = is_version && is_id(trace, 32) && is_id(parent, 16) && is_hex(flags, 2);
        is_whole.then(|| Self {
            trace: trace.into(),
            #[cfg(feature = "otel")]
            parent: parent.into(),
            #[cfg(feature = "otel")]
            is_sampled: u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1),
        })
    }

    /// The trace's id.
    pub fn trace_id(&self) -> &str {
        &self.trace
    }

    /// As the parent of a span.
    #[cfg(feature = "otel")]
    pub fn context(&self) -> opentelemetry::Context {
        use opentelemetry::trace::{
            SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
        };
        let trace = TraceId::from_hex(&self.trace).unwrap_or(TraceId::INVALID);
        let parent = SpanId::from_hex(&self.parent).unwrap_or(SpanId::INVALID);
        let flags = if self.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        let sender = SpanContext::new(trace, parent, flags, true, TraceState::NONE);
        opentelemetry::Context::new().with_remote_span_context(sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_trace_is_taken_over_when_it_is_one() {
        let read = |text: &str| TraceParent::read(text).map(|parent| parent.trace_id().to_owned());
        let whole = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(read(&whole).as_deref(), Some(TRACE));
        assert_eq!(read(&format!("cc-{TRACE}-00f067aa0ba902b7-01-more")).as_deref(), Some(TRACE));
        for wrong in [
            String::new(),
            whole.to_uppercase(),
            format!("{whole}-more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{TRACE}\"-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(TraceParent::of(&headers), None);
        for _ in 0..2 {
            headers.append(
                HEADER,
                HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            );
        }
        assert_eq!(TraceParent::of(&headers), None, "two say nothing");
    }
}
