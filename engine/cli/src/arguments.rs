//! The command line: every flag, with the words that `--help` shows.

mod money;
mod payout;
mod plugin;
mod publish;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rust_decimal::Decimal;
use tollgate_core::money::Amount;
use tollgate_core::period::Period;

pub use money::*;
pub use payout::*;
pub use plugin::*;
pub use publish::*;

/// Prices AI usage: your pricing is code, the money core is not.
///
/// A metered event goes in; a WebAssembly plugin says what it is worth; an exact charge comes out, in a
/// ledger that balances. Start with `tollgate demo`.
#[derive(Parser)]
#[command(version, after_help = crate::exit::TABLE)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a sample month of three Builders: usage, prepaid customers, payouts, the ledger's proof
    Demo(Demo),
    /// Rate events without a database
    Rate(Rate),
    /// Rate events and keep them: durable, and never charged twice
    Record(Record),
    /// Define Builders, apps, customers, wallets, price books and tariffs in a database
    Define(Define),
    /// Show what a customer used and owes in a period
    Statement(Statement),
    /// List held events, or rate them again
    Held(Held),
    /// Close a period of an app: charge what is due at its end and freeze its statements
    Close(Close),
    /// Show what a customer has, grant credit, agree on limits
    #[command(subcommand)]
    Wallet(Wallet),
    /// Take bank transfers of customers in
    #[command(subcommand)]
    Payment(Payment),
    /// Give back what an event was charged, in whole or in part
    Refund(Refund),
    /// Pay Builders what closed periods earned them
    #[command(subcommand)]
    Payout(Payout),
    /// Show and settle what is owed to who ran the inference
    #[command(subcommand)]
    Providers(Providers),
    /// Compare the ledger with what a payment provider booked, and name every difference
    Reconcile(Reconcile),
    /// Make a database ready to be served, and print its first platform key, once
    Init(Init),
    /// Serve the host API over HTTP
    Serve(Serve),
    /// Copy a database to a file while it is in use
    Backup(Backup),
    /// Put a copy made by `backup` in the place of a database
    Restore(Restore),
    /// Prove the ledger
    #[command(subcommand)]
    Ledger(Ledger),
    /// Write pricing plugins: new, build, check, run, test, plot, bench, dev, publish
    #[command(subcommand)]
    Plugin(Plugin),
    /// Compile a component from standard input (what this program starts as a child that can be killed)
    #[command(hide = true)]
    CompileComponent { output: PathBuf },
}

#[derive(Args)]
pub struct Demo {
    /// Keep the database in this directory (created if absent) instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Args)]
pub struct Rate {
    /// The plugin: a component file, or the name of a bundled one (cost-plus, included-overage, tiered,
    /// conversation)
    #[arg(long, value_name = "FILE.wasm|NAME")]
    pub plugin: String,
    /// The plugin's settings, a JSON object
    #[arg(long, value_name = "FILE.json")]
    pub settings: PathBuf,
    /// What models cost the network
    #[arg(long, value_name = "FILE.json")]
    pub prices: PathBuf,
    #[command(flatten)]
    pub agreed: Agreement,
    #[command(flatten)]
    pub events: Events,
}

#[derive(Args)]
pub struct Record {
    #[command(flatten)]
    pub data: Data,
    /// The plugin, for the apps of these events; without it, the tariffs that are defined
    #[arg(long, value_name = "FILE.wasm|NAME", requires = "settings", requires = "prices")]
    pub plugin: Option<String>,
    /// The plugin's settings, a JSON object
    #[arg(long, value_name = "FILE.json", requires = "plugin")]
    pub settings: Option<PathBuf>,
    /// What models cost the network
    #[arg(long, value_name = "FILE.json", requires = "plugin")]
    pub prices: Option<PathBuf>,
    #[command(flatten)]
    pub agreed: Agreement,
    /// After each batch that is durable, write `durable N` to standard error: the first N events that were
    /// read are answered for good
    #[arg(long)]
    pub acknowledge: bool,
    #[command(flatten)]
    pub events: Events,
}

/// What an app agrees with the platform, for apps that the events name.
#[derive(Args, Clone)]
pub struct Agreement {
    /// The platform's share of what exceeds the network cost, 0 to 1
    #[arg(long, value_name = "SHARE", default_value = "0")]
    pub platform_share: Decimal,
    /// Periods are calendar months in this time zone
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub time_zone: String,
    /// The most an event may cost above its network cost; beyond it the event is held
    #[arg(long, value_name = "AMOUNT", default_value = "10000")]
    pub surcharge_max: Amount,
}

#[derive(Args)]
pub struct Events {
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// How many events are rated and committed together; charges do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch: u32,
    /// Exit with 4 when an event was held, invalid or in conflict
    #[arg(long)]
    pub strict: bool,
    /// `CloudEvents`, one JSON object a line; `-` is standard input
    #[arg(required = true, value_name = "EVENTS.jsonl")]
    pub files: Vec<PathBuf>,
}

#[derive(Args)]
pub struct Data {
    /// The directory of the database (created if absent)
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

#[derive(Args)]
pub struct Define {
    #[command(flatten)]
    pub data: Data,
    /// Definitions, as in `examples/month/definitions.json`; plugin and price-book files are named relative
    /// to it
    #[arg(value_name = "FILE.json")]
    pub file: PathBuf,
}

#[derive(Args)]
pub struct Statement {
    #[command(flatten)]
    pub data: Data,
    /// The customer: the events' `subject`
    #[arg(long)]
    pub customer: String,
    /// The period, as in 2023-11
    #[arg(long)]
    pub period: Period,
    /// The app, where several have a customer of that name
    #[arg(long)]
    pub app: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args)]
pub struct Held {
    #[command(flatten)]
    pub data: Data,
    /// Rate them again, now that what stood in the way may be gone
    #[arg(long)]
    pub retry: bool,
}

#[derive(Args)]
pub struct Close {
    #[command(flatten)]
    pub data: Data,
    /// The app: the events' `source`
    #[arg(long)]
    pub app: String,
    /// The period, as in 2023-11
    #[arg(long)]
    pub period: Period,
}

#[derive(Args)]
pub struct Init {
    #[command(flatten)]
    pub data: Data,
    /// Make one more platform key, where there is one already
    #[arg(long)]
    pub new_key: bool,
}

#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    pub data: Data,
    /// Make the database ready first, as `init` does, and print its first platform key
    #[arg(long)]
    pub dev: bool,
    /// Settings in TOML. A setting in the environment (`TOLLGATE_LISTEN`, …) comes before the file's, and a
    /// flag before both
    #[arg(long, value_name = "FILE.toml", env = "TOLLGATE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address and port to listen on (default: 127.0.0.1:8080; port 0 takes a free one)
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Any setting, as in the file: `--set rate_per_second=500`; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Print the settings in effect, with all defaults, and stop
    #[arg(long)]
    pub print_config: bool,
}

#[derive(Args)]
pub struct Backup {
    #[command(flatten)]
    pub data: Data,
    /// The copy; it must not be there yet
    #[arg(value_name = "FILE.db")]
    pub to: PathBuf,
}

#[derive(Args)]
pub struct Restore {
    #[command(flatten)]
    pub data: Data,
    /// A copy made by `backup`
    #[arg(value_name = "FILE.db")]
    pub from: PathBuf,
}

#[derive(Subcommand)]
pub enum Ledger {
    /// Go through everything, compute it again, and list each invariant with what was counted
    Verify(Data),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs: one JSON object
    Json,
}
