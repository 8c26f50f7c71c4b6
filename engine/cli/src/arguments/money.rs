//! The flags of what else moves money: wallets, payments, refunds, settlements, reconciliation.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use tollgate_core::money::Amount;
use tollgate_core::period::Period;

use super::{ConfigFile, Data, Format};

#[derive(Subcommand)]
pub enum Wallet {
    /// Show what a customer has, may owe, and has reserved
    Show(WalletShow),
    /// Grant credit to a customer; the same again changes nothing
    #[command(after_help = "Example:\n  \
        tollgate wallet grant --data DIR --app docs --customer legal --id welcome --amount 20 \\\n      \
        --funder builder --expires-at 2027-01-01T00:00:00Z --reason promotion")]
    Grant(WalletGrant),
    /// Agree on a customer's terms: how much may be owed, and when somebody is told
    #[command(after_help = "Example, prepaid and told below 10:\n  \
        tollgate wallet set --data DIR --app docs --customer legal --credit-limit 0 --low-below 10")]
    Set(WalletSet),
}

/// Names one customer.
#[derive(Args)]
pub struct OneCustomer {
    #[command(flatten)]
    pub data: Data,
    /// The app: the events' `source`
    #[arg(long)]
    pub app: String,
    /// The customer: the events' `subject`
    #[arg(long)]
    pub customer: String,
}

#[derive(Args)]
pub struct WalletShow {
    #[command(flatten)]
    pub customer: OneCustomer,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args)]
pub struct WalletGrant {
    #[command(flatten)]
    pub customer: OneCustomer,
    /// Unique among the customer's grants
    #[arg(long)]
    pub id: String,
    /// How much, in the app's currency
    #[arg(long)]
    pub amount: Amount,
    /// Who pays for it
    #[arg(long, value_enum)]
    pub funder: Funder,
    /// The smallest number is used first
    #[arg(long, default_value_t = 0)]
    pub priority: u32,
    /// From which event time on it covers charges (default: now)
    #[arg(long, value_name = "TIME")]
    pub effective_at: Option<Timestamp>,
    /// From when on it does not (default: never)
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<Timestamp>,
    /// Why, in your words
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// Who pays for what is granted or given back.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Funder {
    /// Who runs Tollgate
    Platform,
    /// The app's Builder, out of what they earn
    Builder,
}

impl From<Funder> for tollgate_core::wallet::Funder {
    fn from(funder: Funder) -> Self {
        match funder {
            Funder::Platform => Self::Platform,
            Funder::Builder => Self::Builder,
        }
    }
}

#[derive(Args)]
#[group(id = "terms", required = true, multiple = true)]
pub struct WalletTerms {
    /// The most that may be owed: 0 is prepaid, `none` is any amount
    #[arg(long, value_name = "AMOUNT|none", value_parser = limit)]
    pub credit_limit: Option<Limit>,
    /// Tell the Builder when the balance falls below this (`wallet.low`); `none` takes that back
    #[arg(long, value_name = "AMOUNT|none", value_parser = limit)]
    pub low_below: Option<Limit>,
}

/// An amount, or none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Amount>);

fn limit(text: &str) -> Result<Limit, String> {
    if text == "none" {
        return Ok(Limit(None));
    }
    text.parse().map(|amount| Limit(Some(amount))).map_err(|error| format!("{error}, or none"))
}

#[derive(Args)]
pub struct WalletSet {
    #[command(flatten)]
    pub customer: OneCustomer,
    #[command(flatten)]
    pub terms: WalletTerms,
}

#[derive(Subcommand)]
pub enum Payment {
    /// List payments into wallets, and how far they have come
    List(PaymentList),
    /// Expect a bank transfer from a customer, and print the reference to write on it
    #[command(after_help = "Example:\n  \
        tollgate payment request --data DIR --app docs --customer legal --id top-up-1 --amount 50")]
    Request(PaymentRequest),
    /// Book a bank transfer that arrived
    #[command(after_help = "Example:\n  \
        tollgate payment received --data DIR --app docs --id top-up-1 --reference 'statement 231, line 4'")]
    Received(PaymentReceived),
}

#[derive(Args)]
pub struct PaymentList {
    #[command(flatten)]
    pub data: Data,
    /// Only this app's
    #[arg(long)]
    pub app: Option<String>,
    /// Only this customer's
    #[arg(long)]
    pub customer: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args)]
pub struct PaymentRequest {
    #[command(flatten)]
    pub customer: OneCustomer,
    /// Unique among the app's payments
    #[arg(long)]
    pub id: String,
    /// How much, in the app's currency
    #[arg(long)]
    pub amount: Amount,
}

#[derive(Args)]
pub struct PaymentReceived {
    #[command(flatten)]
    pub data: Data,
    /// The app
    #[arg(long)]
    pub app: String,
    /// The payment
    #[arg(long)]
    pub id: String,
    /// What the bank's statement says (default: the reference that was to be written on it)
    #[arg(long)]
    pub reference: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Example:\n  \
    tollgate refund --data DIR --app docs --event req-0001 --id cut-off --borne-by builder --reason 'the answer was cut off'")]
pub struct Refund {
    #[command(flatten)]
    pub data: Data,
    /// The app: the event's `source`
    #[arg(long)]
    pub app: String,
    /// The event's id
    #[arg(long)]
    pub event: String,
    /// Unique among the event's refunds
    #[arg(long)]
    pub id: String,
    /// How much (default: all that is left of the charge)
    #[arg(long)]
    pub amount: Option<Amount>,
    /// Who bears it
    #[arg(long, value_enum)]
    pub borne_by: Funder,
    /// Why, in your words
    #[arg(long)]
    pub reason: String,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tollgate reconcile --data DIR --provider manual --report statement.csv\n  \
    tollgate reconcile --data DIR --provider stripe --from 2026-11-01 --to 2026-12-01\n\n\
    A report is CSV whose first line is: id,kind,reference,amount,fee,currency,at")]
pub struct Reconcile {
    #[command(flatten)]
    pub data: Data,
    /// The payment provider: manual, stripe
    #[arg(long)]
    pub provider: String,
    /// What the provider booked; without it, the provider is asked
    #[arg(long, value_name = "FILE.csv", required_unless_present_all = ["from", "to"])]
    pub report: Option<PathBuf>,
    /// The first day, in UTC (default: the report's first)
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// The day after the last, in UTC (default: after the report's last)
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    #[command(flatten)]
    pub config: ConfigFile,
}

#[derive(Subcommand)]
pub enum Providers {
    /// Show what who ran the inference is owed, by provider and currency
    Owed(ProvidersOwed),
    /// Show what a provider's network cost is made of: apps, customers and models
    Report(ProvidersReport),
    /// Book that a provider was paid, by bank
    #[command(after_help = "Example:\n  \
        tollgate providers settle --data DIR --provider openai --currency USD --amount 120.50 --reference INV-17")]
    Settle(ProvidersSettle),
}

#[derive(Args)]
pub struct ProvidersOwed {
    #[command(flatten)]
    pub data: Data,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args)]
pub struct ProvidersReport {
    #[command(flatten)]
    pub data: Data,
    /// The provider, as events name it; `network` for those that name none
    #[arg(long)]
    pub provider: String,
    /// The period
    #[arg(long)]
    pub period: Period,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args)]
pub struct ProvidersSettle {
    #[command(flatten)]
    pub data: Data,
    /// The provider, as events name it; `network` for those that name none
    #[arg(long)]
    pub provider: String,
    /// ISO 4217 code
    #[arg(long)]
    pub currency: String,
    /// How much (default: all that is owed, in whole minor units)
    #[arg(long)]
    pub amount: Option<Amount>,
    /// The payment's, unique among the provider's: an invoice number, say
    #[arg(long)]
    pub reference: String,
}
