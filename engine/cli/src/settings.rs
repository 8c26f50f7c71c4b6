//! The server's settings from everywhere, by one rule: a flag comes before the environment, the environment
//! before the file, the file before the default.

use anyhow::{Context as _, bail};
use tollgate_server::config::Config;
use toml::{Table, Value};

use crate::arguments::Serve;

/// What a setting is called in the environment: `TOLLGATE_` and its name in capitals.
const PREFIX: &str = "TOLLGATE_";

/// The settings that a command line, the environment and a file make together.
pub fn read(arguments: &Serve) -> anyhow::Result<Config> {
    let mut settings = match &arguments.config {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            text.parse::<Table>().with_context(|| path.display().to_string())?
        }
        None => Table::new(),
    };
    let names = Table::try_from(Config::default()).context("the defaults")?;
    let optional = ["tls_certificate", "tls_key", "otlp_endpoint"].map(str::to_owned);
    for name in names.keys().chain(&optional) {
        let variable = format!("{PREFIX}{}", name.to_uppercase());
        if let Some(value) = std::env::var_os(&variable) {
            let value = value.into_string().ok().with_context(|| format!("{variable} is not UTF-8"))?;
            settings.insert(name.clone(), of_text(&value));
        }
    }
    for setting in &arguments.set {
        let Some((name, value)) = setting.split_once('=') else {
            bail!("--set {setting}: write NAME=VALUE, as in --set rate_per_second=500");
        };
        settings.insert(name.to_owned(), of_text(value));
    }
    if let Some(listen) = &arguments.listen {
        settings.insert("listen".to_owned(), Value::String(listen.clone()));
    }
    settings.try_into().context("the server's settings")
}

/// A whole number, or a text: settings are nothing else.
fn of_text(text: &str) -> Value {
    match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        _ => text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Integer),
    }
}
