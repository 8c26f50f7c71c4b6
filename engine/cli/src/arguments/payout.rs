//! The flags of `payout`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use tollgate_core::period::Period;

use super::{Data, Format};

#[derive(Subcommand)]
pub enum Payout {
    /// Work out what each Builder is paid of closed periods, and set it apart; running it again changes nothing
    #[command(after_help = "Examples:\n  \
        tollgate payout run --data DIR --period 2026-11 --dry-run\n  \
        tollgate payout run --data DIR --period 2026-11")]
    Run(PayoutRun),
    /// List payouts and how far they have come
    List(PayoutList),
    /// Show one payout: what it is made of, and where it goes
    Show(PayoutShow),
    /// Agree to planned payouts
    #[command(after_help = "Examples:\n  \
        tollgate payout approve --data DIR --period 2026-11\n  \
        tollgate payout approve --data DIR --period 2026-11 --builder acme")]
    Approve(PayoutApprove),
    /// Write a payment file of all approved payouts to bank accounts, and mark them as submitted
    #[command(
        after_help = "A payout is in one file and no other. Each file is kept in the data directory as well, so it can be \
        written again, byte by byte.\n\nExamples:\n  \
        tollgate payout export --data DIR --period 2026-11 --format pain001 --output 2026-11.xml \\\n      \
        --payer-name 'Platform AG' --payer-iban 'DE89 3704 0044 0532 0130 00'\n  \
        tollgate payout export --data DIR --period 2026-11 --again --output copy.xml"
    )]
    Export(PayoutExport),
    /// Book that a payout arrived
    #[command(after_help = "Example:\n  \
        tollgate payout paid --data DIR --period 2026-11 --builder acme")]
    Paid(PayoutPaid),
    /// Book that a payout came back or will not leave: it is payable again, with the next one
    #[command(after_help = "Example:\n  \
        tollgate payout returned --data DIR --period 2026-11 --builder acme --reason 'account closed'")]
    Returned(PayoutReturned),
    /// Write the remittance advice of a payout: apps, customers and lines behind the sum, as HTML
    #[command(after_help = "Example:\n  \
        tollgate payout remittance --data DIR --period 2026-11 --builder acme --output acme.html")]
    Remittance(PayoutRemittance),
}

#[derive(Args)]
pub struct PayoutRun {
    #[command(flatten)]
    pub data: Data,
    /// The period: it and all closed ones before it are paid
    #[arg(long)]
    pub period: Period,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args)]
pub struct PayoutList {
    #[command(flatten)]
    pub data: Data,
    /// Only this period's
    #[arg(long)]
    pub period: Option<Period>,
    /// Only this Builder's
    #[arg(long)]
    pub builder: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Names one payout.
#[derive(Args)]
pub struct OnePayout {
    #[command(flatten)]
    pub data: Data,
    /// The period
    #[arg(long)]
    pub period: Period,
    /// The Builder
    #[arg(long)]
    pub builder: String,
    /// The currency, where the Builder is paid in several
    #[arg(long)]
    pub currency: Option<String>,
}

#[derive(Args)]
pub struct PayoutShow {
    #[command(flatten)]
    pub payout: OnePayout,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args)]
pub struct PayoutApprove {
    #[command(flatten)]
    pub data: Data,
    /// The period
    #[arg(long)]
    pub period: Period,
    /// Only this Builder's; without it, all
    #[arg(long)]
    pub builder: Option<String>,
    /// Only those in this currency
    #[arg(long)]
    pub currency: Option<String>,
}

#[derive(Args)]
pub struct PayoutExport {
    #[command(flatten)]
    pub data: Data,
    /// The period
    #[arg(long)]
    pub period: Period,
    /// What the file is
    #[arg(long, value_enum, default_value_t = FileFormat::Pain001)]
    pub format: FileFormat,
    /// Where to write it; nothing that is there is overwritten
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Write a file once more that was made before: the period's only one, or that of this name
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    pub again: Option<String>,
    /// The day on which the bank is to pay (default: today)
    #[arg(long, value_name = "DATE")]
    pub execute_on: Option<Date>,
    #[command(flatten)]
    pub payer: Payer,
}

/// Whose account pays; what is not given comes from the environment (`TOLLGATE_PAYER_IBAN`) or the file.
#[derive(Args)]
pub struct Payer {
    /// Who pays, as the bank knows them
    #[arg(id = "payer_name", long = "payer-name", value_name = "NAME")]
    pub name: Option<String>,
    /// The account that pays
    #[arg(id = "payer_iban", long = "payer-iban", value_name = "IBAN")]
    pub iban: Option<String>,
    /// Its bank, where the bank wants it
    #[arg(id = "payer_bic", long = "payer-bic", value_name = "BIC")]
    pub bic: Option<String>,
    #[command(flatten)]
    pub config: ConfigFile,
}

/// The settings' file, as `serve` reads it.
#[derive(Args)]
pub struct ConfigFile {
    /// Settings in TOML, as for `serve`: `[payer]` and `[payments.stripe]`
    #[arg(long, value_name = "FILE.toml", env = "TOLLGATE_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What a payment file is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// For a bank: ISO 20022, pain.001.001.09
    Pain001,
    /// For people
    Csv,
}

#[derive(Args)]
pub struct PayoutPaid {
    #[command(flatten)]
    pub payout: OnePayout,
    /// What the bank's statement says (default: the reference in the payment file)
    #[arg(long)]
    pub reference: Option<String>,
}

#[derive(Args)]
pub struct PayoutReturned {
    #[command(flatten)]
    pub payout: OnePayout,
    /// Why, in the bank's words
    #[arg(long)]
    pub reason: String,
}

#[derive(Args)]
pub struct PayoutRemittance {
    #[command(flatten)]
    pub payout: OnePayout,
    /// Where to write it (default: standard output)
    #[arg(long, value_name = "FILE.html")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub payer: Payer,
}
