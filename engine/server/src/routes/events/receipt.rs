//! Receipts: what is said of each event of a request.

use serde::Serialize;
use tollgate_core::engine::{Receipt as Answer, Rulebook};
use tollgate_core::store::Outcome;
use utoipa::ToSchema;

use super::answer::Firsts;
use super::intake::{Given, Invalid, no_app};
use crate::problem::Fault;
use crate::routes::charge::{Charge, Hold, Standing};

/// What became of the events of a request. All that is said to be rated or held is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct Recorded {
    /// How many of them became what.
    pub events: EventTotals,
    /// A receipt for each event, by position; left out of a summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipts: Option<Vec<Receipt>>,
    /// Only in a summary: the first 100 receipts of events that were held, in conflict or invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<Vec<Receipt>>,
}

/// How many events of a request became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::routes) struct EventTotals {
    /// All of them.
    #[schema(example = 3)]
    pub read: usize,
    /// Charged now.
    #[schema(example = 1)]
    pub rated: usize,
    /// Kept now, waiting to be charged.
    #[schema(example = 1)]
    pub held: usize,
    /// Known already; the first one stands.
    #[schema(example = 0)]
    pub duplicate: usize,
    /// Known already, saying something else; the first one stands.
    #[schema(example = 0)]
    pub conflict: usize,
    /// Not accepted.
    #[schema(example = 1)]
    pub invalid: usize,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct Receipt {
    /// Its position in the request, from 0. Blank lines are not counted.
    #[schema(example = 0)]
    pub index: usize,
    /// Its id; null where none could be read.
    #[schema(example = "req-0001")]
    pub id: Option<String>,
    /// What became of it.
    pub status: ReceiptStatus,
    /// Its charge, when it is rated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<Charge>,
    /// Why it waits, when it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// What became of the first event of this source and id, when this one is a duplicate or in conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Standing>,
    /// What it contradicts, when it is in conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What is wrong with it, when it is invalid: pointers into the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<Fault>>,
}

/// What became of one event of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::routes) enum ReceiptStatus {
    /// Charged now.
    Rated,
    /// Kept now, and waits.
    Held,
    /// Known already; the first one stands.
    Duplicate,
    /// Known already, saying something else; the first one stands.
    Conflict,
    /// Not accepted.
    Invalid,
}

impl Receipt {
    fn new(index: usize, id: Option<String>, status: ReceiptStatus) -> Self {
        Self { index, id, status, charge: None, held: None, first: None, detail: None, errors: None }
    }
}

impl ReceiptStatus {
    /// Whether somebody should look at it.
    pub fn is_problem(self) -> bool {
        matches!(self, Self::Held | Self::Conflict | Self::Invalid)
    }
}

pub(super) fn status_of(answer: Option<&Answer>) -> ReceiptStatus {
    match answer {
        Some(Answer::Accepted(outcome)) => match **outcome {
            Outcome::Rated(_) => ReceiptStatus::Rated,
            Outcome::Held(_) => ReceiptStatus::Held,
        },
        Some(Answer::Duplicate { conflict: false }) => ReceiptStatus::Duplicate,
        Some(Answer::Duplicate { conflict: true }) => ReceiptStatus::Conflict,
        Some(Answer::Undefined) | None => ReceiptStatus::Invalid,
    }
}

/// The receipt for what stood at one position.
pub(super) fn receipt(
    index: usize,
    status: ReceiptStatus,
    given: &Given,
    answer: Option<&Answer>,
    firsts: &Firsts,
    rules: &Rulebook,
) -> Receipt {
    let event = match given {
        Given::Event(event) => event,
        Given::Invalid(Invalid { id, errors }) => {
            return Receipt { errors: Some(errors.clone()), ..Receipt::new(index, id.clone(), status) };
        }
    };
    let receipt = Receipt::new(index, Some(event.key.id.clone()), status);
    match answer {
        Some(Answer::Accepted(outcome)) => match &**outcome {
            Outcome::Rated(charge) => Receipt { charge: Some(Charge::of(charge, rules)), ..receipt },
            Outcome::Held(reason) => Receipt { held: Some(Hold::of(reason)), ..receipt },
        },
        Some(Answer::Duplicate { conflict }) => {
            let first = firsts.get(&event.key);
            let first = first.map(|first| Standing::of(&first.outcome, first.voided.as_ref(), rules));
            let detail = conflict.then(|| {
                format!(
                    "event {:?} of {:?} was accepted before and says something else: the first one stands; \
                     give another event an id of its own",
                    event.key.id, event.key.app
                )
            });
            Receipt { first, detail, ..receipt }
        }
        Some(Answer::Undefined) | None => Receipt { errors: Some(no_app(event).errors), ..receipt },
    }
}

impl EventTotals {
    pub fn count(&mut self, status: ReceiptStatus) {
        let counter = match status {
            ReceiptStatus::Rated => &mut self.rated,
            ReceiptStatus::Held => &mut self.held,
            ReceiptStatus::Duplicate => &mut self.duplicate,
            ReceiptStatus::Conflict => &mut self.conflict,
            ReceiptStatus::Invalid => &mut self.invalid,
        };
        *counter = counter.saturating_add(1);
    }
}
