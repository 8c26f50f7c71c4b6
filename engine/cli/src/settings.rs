//! Settings from everywhere, by one rule: a flag comes before the environment, the environment before the file,
//! the file before the default.
//!
//! One file has them all: the server's, `[payer]`, whose account pays Builders, and `[payments.stripe]`. Secrets
//! are never printed.

mod environment;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tollgate_core::payment::PaymentProvider;
use tollgate_payments::payout_file::Payer;
use tollgate_payments::{Manual, Stripe, StripeConfig};
use tollgate_server::config::Config;
use toml::{Table, Value};

use crate::arguments::{Payer as PayerFlags, Serve};
use crate::exit::Refused;

/// The variable that is the log level where nothing else says it, as with other programs.
const RUST_LOG: &str = "RUST_LOG";
const LOG_LEVEL: &str = "log_level";

/// What is shown for a secret.
const SECRET: &str = "(set)";

/// The settings of `[payer]` and `[payments.stripe]`.
const PAYER: [&str; 3] = ["payer.name", "payer.iban", "payer.bic"];
const STRIPE: [&str; 3] =
    ["payments.stripe.secret_key", "payments.stripe.webhook_secret", "payments.stripe.base_url"];

/// All settings of a server.
pub struct Settings {
    pub server: Config,
    payer: PayerSettings,
    stripe: StripeSettings,
}

/// Whose account pays Builders.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct PayerSettings {
    name: Option<String>,
    iban: Option<String>,
    bic: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct StripeSettings {
    secret_key: Option<String>,
    webhook_secret: Option<String>,
    base_url: Option<String>,
}

/// What moves money.
pub type Providers = Vec<Arc<dyn PaymentProvider>>;

/// The settings that a command line, the environment and a file make together.
pub fn read(arguments: &Serve) -> anyhow::Result<Settings> {
    let mut settings = file(arguments.config.as_deref())?;
    // As JSON, which has a place for settings without a default.
    let defaults = serde_json::to_value(Config::default()).context("the defaults")?;
    let defaults: Vec<_> = defaults.as_object().into_iter().flatten().collect();
    let own = defaults.iter().map(|(name, _)| name.as_str());
    let names: Vec<&str> = own.chain(PAYER).chain(STRIPE).collect();
    for name in &names {
        from_environment(&mut settings, name)?;
    }
    environment::refuse_unknown(&names)?;
    for setting in &arguments.set {
        let Some((name, value)) = setting.split_once('=') else {
            bail!("--set {setting}: write NAME=VALUE, as in --set rate_per_second=500");
        };
        set(&mut settings, name, of_text(value))?;
    }
    if let Some(listen) = &arguments.listen {
        settings.insert("listen".to_owned(), Value::String(listen.clone()));
    }
    let (payer, stripe) = (take_payer(&mut settings)?, take_stripe(&mut settings)?);
    let may_be_absent = |name: &str| defaults.iter().any(|(other, value)| *other == name && value.is_null());
    settings.retain(|name, value| !(may_be_absent(name) && is_empty(value)));
    if !settings.contains_key(LOG_LEVEL)
        && let Some(level) = environment::read(RUST_LOG)?
    {
        settings.insert(LOG_LEVEL.to_owned(), Value::String(level));
    }
    Ok(Settings { server: settings.try_into().context("the server's settings")?, payer, stripe })
}

/// The payment providers, without the server's settings.
pub fn providers(config: Option<&Path>) -> anyhow::Result<Providers> {
    let mut settings = file(config)?;
    for name in STRIPE {
        from_environment(&mut settings, name)?;
    }
    take_stripe(&mut settings)?.providers()
}

/// Whose account pays. An IBAN that nobody gave is empty: only a payment file needs one.
pub fn payer(flags: &PayerFlags) -> anyhow::Result<Payer> {
    let mut settings = file(flags.config.config.as_deref())?;
    for (name, flag) in PAYER.iter().zip([&flags.name, &flags.iban, &flags.bic]) {
        from_environment(&mut settings, name)?;
        if let Some(flag) = flag {
            set(&mut settings, name, Value::String(flag.clone()))?;
        }
    }
    let PayerSettings { name, iban, bic } = take_payer(&mut settings)?;
    Ok(Payer { name: name.unwrap_or_default(), iban: iban.unwrap_or_default(), bic })
}

impl Settings {
    /// What moves money: people and their banks, and Stripe where it is set up.
    pub fn providers(&self) -> anyhow::Result<Providers> {
        self.stripe.providers()
    }

    /// Who pays Builders; empty when nobody says so.
    pub fn payer_name(&self) -> String {
        self.payer.name.clone().unwrap_or_default()
    }

    /// All settings as the file has them. Of secrets it says only that they are set.
    pub fn shown(&self) -> anyhow::Result<String> {
        let mut shown = Table::try_from(&self.server)?;
        let payer = Table::try_from(&self.payer)?;
        if !payer.is_empty() {
            shown.insert("payer".to_owned(), Value::Table(payer));
        }
        let secret = |secret: &Option<String>| secret.as_ref().map(|_| SECRET.to_owned());
        let stripe = Table::try_from(StripeSettings {
            secret_key: secret(&self.stripe.secret_key),
            webhook_secret: secret(&self.stripe.webhook_secret),
            base_url: self.stripe.base_url.clone(),
        })?;
        if !stripe.is_empty() {
            let payments = Table::from_iter([("stripe".to_owned(), Value::Table(stripe))]);
            shown.insert("payments".to_owned(), Value::Table(payments));
        }
        Ok(toml::to_string(&shown)?)
    }
}

impl StripeSettings {
    fn providers(&self) -> anyhow::Result<Providers> {
        let mut providers: Providers = vec![Arc::new(Manual)];
        match (&self.secret_key, &self.webhook_secret) {
            (Some(key), Some(secret)) => {
                let mut config = StripeConfig::new(key, secret);
                if let Some(base_url) = &self.base_url {
                    config.base_url.clone_from(base_url);
                }
                let stripe = Stripe::new(config).context("payments.stripe").context(Refused)?;
                providers.push(Arc::new(stripe));
            }
            (None, None) => {}
            _ => {
                let message = "payments.stripe: give both secret_key and webhook_secret, or neither";
                return Err(anyhow::anyhow!(message).context(Refused));
            }
        }
        Ok(providers)
    }
}

fn file(path: Option<&Path>) -> anyhow::Result<Table> {
    let Some(path) = path else { return Ok(Table::new()) };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    // Not the parser's own words: they quote the line, and a secret may be on it.
    text.parse::<Table>().map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or(1, |before| before.matches('\n').count().saturating_add(1));
        anyhow::anyhow!("{}: line {line}: {}", path.display(), error.message()).context(Refused)
    })
}

fn from_environment(settings: &mut Table, name: &str) -> anyhow::Result<()> {
    let Some(value) = environment::read(&environment::variable(name))? else { return Ok(()) };
    let is_text = name.contains('.');
    set(settings, name, if is_text { Value::String(value) } else { of_text(&value) })
}

/// Sets `payments.stripe.base_url` in the table `stripe` of the table `payments`.
fn set(settings: &mut Table, name: &str, value: Value) -> anyhow::Result<()> {
    match name.split_once('.') {
        None => {
            settings.insert(name.to_owned(), value);
            Ok(())
        }
        Some((table, rest)) => {
            let inner = settings.entry(table).or_insert_with(|| Value::Table(Table::new()));
            set(inner.as_table_mut().with_context(|| format!("{table} is a table"))?, rest, value)
        }
    }
}

fn take_payer(settings: &mut Table) -> anyhow::Result<PayerSettings> {
    section(settings.remove("payer"), "payer")
}

fn take_stripe(settings: &mut Table) -> anyhow::Result<StripeSettings> {
    let Some(payments) = settings.remove("payments") else { return Ok(StripeSettings::default()) };
    let Value::Table(mut payments) = payments else { bail!("payments is a table: [payments.stripe]") };
    let stripe = payments.remove("stripe");
    if let Some(other) = payments.keys().next() {
        bail!("payments.{other} is no payment provider that needs settings: there is payments.stripe");
    }
    section(stripe, "payments.stripe")
}

/// A table of the file. What is wrong is told by the setting's name, never by its value.
fn section<T: DeserializeOwned + Default>(value: Option<Value>, name: &str) -> anyhow::Result<T> {
    let Some(value) = value else { return Ok(T::default()) };
    let Value::Table(mut table) = value else { bail!("{name} is a table: [{name}]") };
    if let Some((setting, _)) = table.iter().find(|(_, value)| !value.is_str()) {
        bail!("{name}.{setting} is a text in quotes");
    }
    table.retain(|_, value| !is_empty(value));
    Value::Table(table).try_into().with_context(|| name.to_owned())
}

/// An empty text says nothing.
fn is_empty(value: &Value) -> bool {
    value.as_str() == Some("")
}

/// A whole number, or a text: settings are nothing else.
fn of_text(text: &str) -> Value {
    match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        _ => text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Integer),
    }
}
