//! What is told of one event: its charge, and whether it comes out the same when executed again.

use std::sync::Arc;

use super::{Engine, EngineError};
use crate::charge::{Charge, Split, UsageRow};
use crate::event::{Event, EventKey};
use crate::rating::Candidate;
use crate::rating::counters::GROUP_SEPARATOR;
use crate::rating::parties::Parties;
use crate::rating::replay;
use crate::rating::terms::Terms;
use crate::store::{Outcome, StoredEvent};
use crate::wallet::{Draw, Source};

/// An event with what became of it and under which terms.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The event.
    pub event: Arc<Event>,
    /// What became of it.
    pub stored: StoredEvent,
    /// The terms of its charge, if it has one and its tariff can still be used.
    pub terms: Option<Arc<Terms>>,
    /// Its charge, executed again just now.
    pub reproduced: Option<Reproduced>,
}

/// A charge executed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reproduced {
    /// How it comes out differently; `None` when it is identical.
    pub difference: Option<String>,
    /// What running the event alone burns.
    pub fuel: u64,
}

impl Explained {
    /// The whole story, as sentences that a customer can read; with who gets what of the total, if told.
    pub fn sentences(&self, with_margins: bool) -> Vec<String> {
        let Event { key, customer, time, .. } = &*self.event;
        let moment =
            jiff::Timestamp::from_millisecond(*time).map_or_else(|_| time.to_string(), |t| t.to_string());
        let mut told = vec![format!("Event {} of {} is usage by {customer} at {moment}.", key.id, key.app)];
        match &self.stored.outcome {
            Outcome::Held(reason) => told.push(format!("It is held: {}.", reason.message)),
            Outcome::Rated(charge) => self.tell_charge(charge, with_margins, &mut told),
        }
        if let Some(voided) = &self.stored.voided {
            let total = voided.reversal.as_ref().map(|reversal| reversal.total.to_string());
            let effect = total
                .map_or_else(|| "nothing had been charged".into(), |total| format!("{total} was posted"));
            told.push(format!("It was voided ({}): {effect}.", voided.reason));
        }
        told
    }

    fn tell_charge(&self, charge: &Charge, with_margins: bool, told: &mut Vec<String>) {
        let terms = self.terms.as_deref();
        let plugin = terms.map_or("a plugin that does not load any more", |terms| &terms.plugin);
        let currency = terms.map_or("", |terms| &terms.app.currency);
        told.push(format!("Tariff {} priced it, by {plugin}.", charge.tariff));
        let late = if charge.late { ", late, since its own period was closed" } else { "" };
        told.push(format!("It counts in {}{late}.", charge.period));
        told.extend(charge.usage.iter().map(usage_in_words));
        told.extend(charge.lines.iter().map(|line| {
            let declared = terms.and_then(|terms| terms.lines.iter().find(|terms| terms.code == line.code));
            let title = declared.map_or(&*line.code, |declared| &declared.title);
            let price = line.unit_price.map_or_else(String::new, |price| format!(" at {price} {currency}"));
            format!("{title}: {}{price} makes {} {currency}.", line.quantity, line.amount)
        }));
        told.push(if with_margins {
            let Split { network_cost, platform_fee, builder_earnings } = charge.split;
            format!(
                "The total of {} {currency} is {network_cost} network cost, {platform_fee} platform fee and \
                 {builder_earnings} for the Builder.",
                charge.total
            )
        } else {
            format!("The total is {} {currency}.", charge.total)
        });
        told.extend(charge.draws.iter().map(|draw| draw_in_words(draw, currency)));
        let refused = charge.refused.iter();
        told.extend(refused.map(|refused| format!("It should not have run: {}.", refused.detail)));
        told.extend(self.reproduced.as_ref().map(|reproduced| match &reproduced.difference {
            None => {
                format!("Executed again just now, it came out identical, for {} of fuel.", reproduced.fuel)
            }
            Some(difference) => format!("Executed again just now, it came out differently: {difference}."),
        }));
    }
}

fn draw_in_words(draw: &Draw, currency: &str) -> String {
    let source = match &draw.source {
        Source::Grant(id) => format!("came from the granted credit {id:?}"),
        Source::Paid => "came from the customer's paid balance".to_owned(),
        Source::Credit => "is owed within the credit limit".to_owned(),
        Source::Uncovered => "is owed, and nothing covered it".to_owned(),
    };
    format!("{} {currency} of it {source}.", draw.amount)
}

fn usage_in_words(row: &UsageRow) -> String {
    let group = match &*row.group {
        "" => String::new(),
        label => format!(" ({})", label.replace(GROUP_SEPARATOR, ", ")),
    };
    let UsageRow { unit, quantity, before, after, .. } = row;
    format!("It is worth {quantity} {unit}{group}, from {before} to {after} in the period.")
}

impl Engine {
    /// Looks an event up and executes its charge again; `None` when there is no such event.
    ///
    /// # Errors
    /// When the store fails.
    pub fn explain(&self, key: &EventKey) -> Result<Option<Explained>, EngineError> {
        let Some(stored) = self.store.stored_one(key)? else { return Ok(None) };
        let event = Arc::new(stored.event()?);
        let rules = self.rules();
        let Outcome::Rated(charge) = &stored.outcome else {
            return Ok(Some(Explained { event, stored, terms: None, reproduced: None }));
        };
        let terms = rules.terms(&charge.tariff).map(Arc::clone);
        let mut parties = Parties::default();
        let candidate = Candidate::charged(Arc::clone(&event), charge, rules.catalog(), &mut parties);
        let reproduced = terms.as_ref().zip(candidate).map(|(terms, candidate)| {
            let rows = [(&candidate, &*charge.usage)];
            match replay::execute(&*self.pricer, terms, &parties, &rows) {
                Ok((executed, fuel)) => {
                    let difference = executed.first().and_then(|executed| executed.difference(charge));
                    Reproduced { difference, fuel }
                }
                Err(reason) => Reproduced { difference: Some(reason), fuel: 0 },
            }
        });
        Ok(Some(Explained { event, stored, terms, reproduced }))
    }
}
