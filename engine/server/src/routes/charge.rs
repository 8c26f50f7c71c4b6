//! How what became of an event is written down, wherever it is answered: its charge, its hold, its void.
//!
//! It adds nothing up: every figure is the core's, as a decimal string.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use tollgate_core::access::Scope;
use tollgate_core::charge;
use tollgate_core::engine::Rulebook;
use tollgate_core::money::Amount;
use tollgate_core::quantity::Quantity;
use tollgate_core::rating::counters::GROUP_SEPARATOR;
use tollgate_core::store::{self, HoldReason, Outcome};
use tollgate_core::wallet::{Draw, Source};
use utoipa::ToSchema;

/// What an event cost, whom, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Charge {
    /// The tariff that priced it.
    #[schema(value_type = String, example = "acme-docs-2026")]
    pub tariff: Arc<str>,
    /// The period it is counted in: a month in the app's time zone.
    #[schema(value_type = String, example = "2026-11")]
    pub period: String,
    /// Its own period was closed already, so it went to the next open one.
    #[schema(example = false)]
    pub late: bool,
    /// ISO 4217 code of every amount.
    #[schema(example = "USD")]
    pub currency: String,
    /// What the customer is charged.
    #[schema(value_type = String, example = "0.42")]
    pub total: Amount,
    /// Who gets what of the total. Not told to a customer's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// What was charged for. The amounts add up to the total.
    pub lines: Vec<ChargeLine>,
    /// What the event was worth in the units that the customer knows, with the counters around it.
    pub usage: Vec<UsageStep>,
    /// Why it should not have run, if the plugin said so.
    pub refused: Vec<Refusal>,
    /// Where the money came from, for a customer with a wallet. The amounts add up to the total.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub paid_from: Vec<PaidFrom>,
}

/// A part of a charge and where its money came from: negative is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct PaidFrom {
    /// Where from.
    pub source: MoneySource,
    /// Which grant, when it is granted credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "welcome")]
    pub grant: Option<Arc<str>>,
    /// How much.
    #[schema(value_type = String, example = "0.42")]
    pub amount: Amount,
}

/// Where a charge's money comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MoneySource {
    /// Credit granted to the customer.
    Granted,
    /// The customer's own money.
    Paid,
    /// Owed within the credit limit.
    Credit,
    /// Owed beyond it: the event ran without an authorisation.
    Uncovered,
}

impl PaidFrom {
    pub fn of(draw: &Draw) -> Self {
        let (source, grant) = match &draw.source {
            Source::Grant(id) => (MoneySource::Granted, Some(Arc::clone(id))),
            Source::Paid => (MoneySource::Paid, None),
            Source::Credit => (MoneySource::Credit, None),
            Source::Uncovered => (MoneySource::Uncovered, None),
        };
        Self { source, grant, amount: draw.amount }
    }
}

/// Who gets what of a charge. The three add up to its total.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Split {
    /// Owed to the provider who ran the inference.
    #[schema(value_type = String, example = "0.12")]
    pub network_cost: Amount,
    /// Kept by the platform.
    #[schema(value_type = String, example = "0.06")]
    pub platform_fee: Amount,
    /// Earned by the Builder; negative when the Builder absorbed the cost.
    #[schema(value_type = String, example = "0.24")]
    pub builder_earnings: Amount,
}

/// One line of a charge.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChargeLine {
    /// A stable word for programs.
    #[schema(value_type = String, example = "documents")]
    pub code: Arc<str>,
    /// What the customer reads.
    #[schema(example = "Documents reviewed")]
    pub title: String,
    /// What the quantity counts.
    #[schema(example = "document")]
    pub unit: String,
    /// How many.
    #[schema(value_type = String, example = "3")]
    pub quantity: Quantity,
    /// The price of one; null where there is no single one.
    #[schema(example = "0.14")]
    pub unit_price: Option<String>,
    /// What is charged.
    #[schema(value_type = String, example = "0.42")]
    pub amount: Amount,
}

/// How an event moved one usage counter.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UsageStep {
    /// The unit.
    #[schema(value_type = String, example = "document")]
    pub unit: Arc<str>,
    /// The values by which the unit is grouped; empty when it is not.
    #[schema(example = json!(["legal"]))]
    pub group: Vec<String>,
    /// What is counted once in a period; left out for units of other kinds.
    #[serde(skip_serializing_if = "str::is_empty")]
    #[schema(value_type = String, required = false)]
    pub key: Arc<str>,
    /// How many.
    #[schema(value_type = String, example = "3")]
    pub quantity: Quantity,
    /// The counter just before.
    #[schema(value_type = String, example = "997")]
    pub before: Quantity,
    /// The counter just after.
    #[schema(value_type = String, example = "1000")]
    pub after: Quantity,
}

/// A reason why an event should not have run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Refusal {
    /// A stable word for programs.
    #[schema(value_type = String, example = "trial_over")]
    pub code: Arc<str>,
    /// What the customer reads.
    #[schema(example = "the trial ended on 1 November")]
    pub detail: String,
}

/// Why an event waits instead of being charged.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Hold {
    /// A stable word for what stands in the way.
    #[schema(value_type = HoldCause)]
    pub cause: &'static str,
    /// The whole story.
    #[schema(example = "no tariff of app acme-docs is in force at 2026-11-01T00:00:00Z")]
    pub message: String,
}

/// What stands in the way of rating an event.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it documents the words of the core's causes")]
pub(super) enum HoldCause {
    /// No price for what it used.
    NoPrice,
    /// No tariff was in force.
    NoTariff,
    /// The plugin says that it cannot price this event.
    Fault,
    /// The plugin failed on it.
    Plugin,
    /// The plugin failed on so many events in a row that it is not run for now.
    Suspended,
    /// An amount or counter does not fit.
    OutOfRange,
    /// The host could not run the plugin.
    Infrastructure,
}

/// How an event was taken back. The event and its charge stay; this stands beside them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Voided {
    /// Why, in somebody's words.
    #[schema(example = "sent twice under two ids")]
    pub reason: String,
    /// When.
    #[schema(format = DateTime, example = "2026-11-03T09:00:00Z")]
    pub at: String,
    /// The opposite entry; null when the event was held and nothing had been charged.
    pub reversal: Option<Charge>,
    /// The id of the event that corrects it; null when none does.
    #[schema(example = "req-0001-corrected")]
    pub replacement: Option<String>,
}

/// Whether an event is charged or waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// It is charged.
    Rated,
    /// It is kept and waits.
    Held,
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Standing {
    /// Whether it is charged or waits.
    pub status: Status,
    /// Its charge, when it is rated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<Charge>,
    /// Why it waits, when it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// How it was taken back, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voided: Option<Voided>,
}

impl Charge {
    pub fn of(charge: &charge::Charge, rules: &Rulebook) -> Self {
        let tariff = rules.catalog().tariff(&charge.tariff);
        let app = tariff.and_then(|tariff| rules.catalog().app(&tariff.app));
        let split = &charge.split;
        Self {
            tariff: Arc::clone(&charge.tariff),
            period: charge.period.to_string(),
            late: charge.late,
            currency: app.map_or_else(String::new, |app| app.currency.clone()),
            total: charge.total,
            split: Some(Split {
                network_cost: split.network_cost,
                platform_fee: split.platform_fee,
                builder_earnings: split.builder_earnings,
            }),
            lines: lines(charge, rules),
            usage: charge.usage.iter().map(UsageStep::of).collect(),
            refused: charge.refused.iter().map(Refusal::of).collect(),
            paid_from: charge.draws.iter().map(PaidFrom::of).collect(),
        }
    }

    /// The entry that takes a charge back. Like the amounts, its quantities are opposite, so that whoever adds up
    /// what was used comes to what was used.
    fn of_reversal(reversal: &charge::Charge, rules: &Rulebook) -> Self {
        let mut shown = Self::of(reversal, rules);
        for step in &mut shown.usage {
            step.quantity = step.quantity.opposite();
        }
        shown
    }
}

/// A charge's lines, in the words of its tariff.
pub(super) fn lines(charge: &charge::Charge, rules: &Rulebook) -> Vec<ChargeLine> {
    let terms = rules.terms(&charge.tariff);
    let words = |code: &str| terms.and_then(|terms| terms.lines.iter().find(|line| &*line.code == code));
    let lines = charge.lines.iter().map(|line| {
        let words = words(&line.code);
        ChargeLine {
            code: Arc::clone(&line.code),
            title: words.map_or_else(|| line.code.to_string(), |words| words.title.clone()),
            unit: words.map_or_else(String::new, |words| words.unit.clone()),
            quantity: line.quantity,
            unit_price: line.unit_price.map(|price| price.to_string()),
            amount: line.amount,
        }
    });
    lines.collect()
}

/// The values of a counter's group.
pub(super) fn group_values(label: &str) -> Vec<String> {
    label.split(GROUP_SEPARATOR).filter(|_| !label.is_empty()).map(str::to_owned).collect()
}

impl UsageStep {
    pub fn of(row: &charge::UsageRow) -> Self {
        Self {
            unit: Arc::clone(&row.unit),
            group: group_values(&row.group),
            key: Arc::clone(&row.key),
            quantity: row.quantity,
            before: row.before,
            after: row.after,
        }
    }
}

impl Refusal {
    fn of(refused: &charge::Refused) -> Self {
        Self { code: Arc::clone(&refused.code), detail: refused.detail.clone() }
    }
}

impl Hold {
    pub fn of(reason: &HoldReason) -> Self {
        Self { cause: reason.cause.code(), message: reason.message.clone() }
    }
}

impl Voided {
    pub fn of(voided: &store::Voided, rules: &Rulebook) -> Self {
        Self {
            reason: voided.reason.clone(),
            at: moment(voided.at),
            reversal: voided.reversal.as_ref().map(|reversal| Charge::of_reversal(reversal, rules)),
            replacement: voided.replacement.clone(),
        }
    }
}

impl Standing {
    pub fn of(outcome: &Outcome, voided: Option<&store::Voided>, rules: &Rulebook) -> Self {
        let voided = voided.map(|voided| Voided::of(voided, rules));
        match outcome {
            Outcome::Rated(charge) => {
                let charge = Some(Charge::of(charge, rules));
                Self { status: Status::Rated, charge, held: None, voided }
            }
            Outcome::Held(reason) => {
                Self { status: Status::Held, charge: None, held: Some(Hold::of(reason)), voided }
            }
        }
    }
}

impl Standing {
    /// The same as far as a key's bearer may know it.
    pub fn for_scope(mut self, scope: &Scope) -> Self {
        if !scope.sees_margins() {
            let reversal = self.voided.as_mut().and_then(|voided| voided.reversal.as_mut());
            for charge in self.charge.as_mut().into_iter().chain(reversal) {
                charge.split = None;
            }
        }
        self
    }
}

/// A moment in milliseconds since 1970, as RFC 3339 in UTC.
pub(super) fn moment(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use tollgate_core::store::HoldCause as Cause;
    use utoipa::PartialSchema as _;

    use super::*;

    #[test]
    fn every_cause_of_a_hold_is_documented() {
        let schema = serde_json::to_string(&HoldCause::schema()).unwrap_or_default();
        for cause in Cause::ALL {
            assert!(schema.contains(&format!("\"{}\"", cause.code())), "{} is not in {schema}", cause.code());
        }
    }

    #[test]
    fn moments_are_written_in_utc_and_groups_by_their_values() {
        assert_eq!(moment(1_762_160_400_123), "2025-11-03T09:00:00.123Z");
        assert_eq!(group_values(""), Vec::<String>::new());
        assert_eq!(group_values("legal\u{1f}\u{1f}paris"), ["legal", "", "paris"]);
    }
}
