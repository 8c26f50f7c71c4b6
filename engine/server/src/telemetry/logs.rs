//! Where log lines and traces go: to standard error, for people or for programs, and to an OpenTelemetry
//! collector if there is one.

use std::fmt;
use std::io::IsTerminal as _;

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;

#[cfg(feature = "otel")]
use super::traces;
use crate::config::Config;

pub(super) type AnyLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person.
    #[default]
    Human,
    /// An object a line, for programs.
    Json,
}

/// Why the log cannot be written as asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// What should be logged makes no sense.
    #[error(
        "log_level (or else RUST_LOG) {text:?} is no log level: write error, warn, info, debug or trace, or one for each part as in \"info,tollgate::access=warn\" ({reason})"
    )]
    Level {
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The program was built without OpenTelemetry.
    #[error(
        "otlp_endpoint is set, but this program cannot send traces: build it with the cargo feature `otel`"
    )]
    NoOpenTelemetry,
    /// Traces cannot be sent there.
    #[error("no traces can be sent to otlp_endpoint {endpoint:?}: {reason}")]
    Endpoint {
        /// The setting.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// This process logs already.
    #[error("the log is set up already")]
    Twice,
}

/// Logging, as long as it is kept; what has not been sent is sent when it is dropped, which blocks.
#[must_use = "traces are sent as long as it is kept"]
pub struct Logs {
    #[cfg(feature = "otel")]
    _export: Option<traces::Export>,
}

impl fmt::Debug for Logs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Logs")
    }
}

/// Lets the whole process log by the settings. Called once, before the async runtime is started.
///
/// # Errors
/// When a setting cannot be used, or the log is set up already.
pub fn install(config: &Config) -> Result<Logs, LogError> {
    let filter = filter(&config.log_level)?;
    let ansi = config.log_format == LogFormat::Human && std::io::stderr().is_terminal();
    let lines = lines(config.log_format, ansi, std::io::stderr).with_filter(filter);
    #[cfg(feature = "otel")]
    let (layers, logs) = {
        let mut layers: Vec<AnyLayer> = vec![Box::new(lines)];
        let export = config.otlp_endpoint.as_deref().map(traces::to).transpose()?;
        let export = export.map(|(layer, export)| {
            layers.push(layer);
            export
        });
        (layers, Logs { _export: export })
    };
    #[cfg(not(feature = "otel"))]
    let (layers, logs) = match config.otlp_endpoint {
        Some(_) => return Err(LogError::NoOpenTelemetry),
        None => (lines, Logs {}),
    };
    tracing_subscriber::registry().with(layers).try_init().map_err(|_| LogError::Twice)?;
    Ok(logs)
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let wrong = |error: tracing_subscriber::filter::ParseError| LogError::Level {
        text: level.to_owned(),
        reason: error.to_string(),
    };
    EnvFilter::builder().parse(level).map_err(wrong)
}

fn lines<W>(format: LogFormat, ansi: bool, writer: W) -> AnyLayer
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(ansi);
    match format {
        LogFormat::Human => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is logged while a request is answered.
    fn logged(format: LogFormat) -> String {
        let written = Arc::new(Mutex::new(Vec::new()));
        let lines = lines(format, false, Arc::new(Shared(Arc::clone(&written))));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let _request = tracing::info_span!("request", id = "job-7", route = "/v1/events").entered();
            tracing::warn!(status = 429_u16, "answered");
        });
        String::from_utf8(written.lock().unwrap().clone()).unwrap()
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for &Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_says_which_request_it_is_about() {
        let line = logged(LogFormat::Human);
        assert!(line.contains(r#"WARN request{id="job-7" route="/v1/events"}:"#), "{line}");
        assert!(line.ends_with("answered status=429\n"), "{line}");
        let object: serde_json::Value = serde_json::from_str(&logged(LogFormat::Json)).unwrap();
        assert_eq!(
            (&object["level"], &object["message"], &object["status"], &object["span"]["id"]),
            (&"WARN".into(), &"answered".into(), &429.into(), &"job-7".into())
        );
    }

    #[test]
    fn settings_that_cannot_be_used_say_what_to_do() {
        let error = filter("info,x=loud").unwrap_err().to_string();
        assert!(
            error.contains(r#"log_level (or else RUST_LOG) "info,x=loud" is no log level: write error"#),
            "{error}"
        );
        assert_eq!(filter("warn").unwrap().to_string(), "warn");
        let somewhere = Some("ftp://collector".to_owned());
        let error = install(&Config { otlp_endpoint: somewhere, ..Config::default() });
        let error = error.unwrap_err().to_string();
        let told = if cfg!(feature = "otel") { "write http://" } else { "the cargo feature `otel`" };
        assert!(error.contains("otlp_endpoint") && error.contains(told), "{error}");
    }
}
