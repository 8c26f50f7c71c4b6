//! The answer to a request's events: what the recorder said, put to where each event stood.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tollgate_core::engine::{Engine, Receipt as Answer, Rulebook};
use tollgate_core::event::EventKey;
use tollgate_core::store::StoredEvent;
use utoipa::ToSchema;

use super::intake::Given;
use super::receipt::{EventTotals, Recorded, receipt, status_of};
use crate::backend::Backend;
use crate::problem::Problem;

/// The most problems that a summary tells.
const PROBLEMS_MAX: usize = 100;

/// Up to so many receipts are written on the spot, the more where blocking is allowed.
const FEW: usize = 200;

/// How much is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReceiptForm {
    /// A receipt for every event.
    #[default]
    Full,
    /// The counts, and receipts only for events that were held, in conflict or invalid: at most 100.
    Summary,
}

/// What stood at each position, with what the recorder answered for it.
pub(super) type Answered = Vec<(Given, Option<Answer>)>;

/// Puts the recorder's answers to where their events stood.
pub(super) fn by_position(given: Vec<Given>, answers: Vec<Answer>) -> Answered {
    let mut answers = answers.into_iter();
    given
        .into_iter()
        .map(|given| {
            let answer = given.event().and_then(|_| answers.next());
            (given, answer)
        })
        .collect()
}

/// The answer to a request.
///
/// # Errors
/// When the store cannot be asked for the first receipts.
pub(super) async fn respond(
    backend: &Backend,
    answered: Answered,
    form: ReceiptForm,
) -> Result<Response, Problem> {
    let is_known = |(_, answer): &(Given, Option<Answer>)| matches!(answer, Some(Answer::Duplicate { .. }));
    let asks_store = form == ReceiptForm::Full && answered.iter().any(is_known);
    let body = if asks_store {
        backend
            .call(move |engine| written(&answered, form, &firsts(engine, &answered)?, &engine.rules()))
            .await?
    } else if answered.len() <= FEW {
        written(&answered, form, &HashMap::new(), &backend.rules())?
    } else {
        backend.call(move |engine| written(&answered, form, &HashMap::new(), &engine.rules())).await?
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// What the store has of the events that were known already.
pub(super) type Firsts = HashMap<EventKey, StoredEvent>;

fn firsts(engine: &Engine, answered: &Answered) -> Result<Firsts, Problem> {
    let known = answered.iter().filter_map(|(given, answer)| match answer {
        Some(Answer::Duplicate { .. }) => given.event().map(|event| &event.key),
        _ => None,
    });
    let keys: Vec<&EventKey> = known.collect();
    let stored = engine.store().stored(&keys)?;
    Ok(stored.into_iter().flatten().map(|stored| (stored.key.clone(), stored)).collect())
}

fn written(
    answered: &Answered,
    form: ReceiptForm,
    firsts: &Firsts,
    rules: &Arc<Rulebook>,
) -> Result<Bytes, Problem> {
    let recorded = recorded(answered, form, firsts, rules);
    serde_json::to_vec(&recorded).map(Bytes::from).map_err(|_| Problem::internal())
}

fn recorded(answered: &Answered, form: ReceiptForm, firsts: &Firsts, rules: &Rulebook) -> Recorded {
    let mut events = EventTotals { read: answered.len(), ..EventTotals::default() };
    let mut told = Vec::new();
    for (index, (given, answer)) in answered.iter().enumerate() {
        let status = status_of(answer.as_ref());
        events.count(status);
        let is_wanted = match form {
            ReceiptForm::Full => true,
            ReceiptForm::Summary => told.len() < PROBLEMS_MAX && status.is_problem(),
        };
        if is_wanted {
            told.push(receipt(index, status, given, answer.as_ref(), firsts, rules));
        }
    }
    match form {
        ReceiptForm::Full => Recorded { events, receipts: Some(told), problems: None },
        ReceiptForm::Summary => Recorded { events, receipts: None, problems: Some(told) },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use tollgate_core::door;
    use tollgate_core::store::{HoldCause, HoldReason, Outcome};

    use super::super::intake::Invalid;
    use super::*;
    use crate::problem::Fault;

    fn event(id: usize) -> Given {
        let text = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"a","type":"t","subject":"s",
                "time":"2026-11-03T09:00:00Z","data":{{}}}}"#
        );
        Given::Event(Arc::new(door::parse(text.as_bytes()).unwrap()))
    }

    fn held() -> Answer {
        let message = "no tariff".to_owned();
        Answer::Accepted(Arc::new(Outcome::Held(HoldReason { cause: HoldCause::NoTariff, message })))
    }

    #[test]
    fn answers_come_to_where_their_events_stood() {
        let wrong = || Given::Invalid(Invalid { id: None, errors: vec![Fault::at("/id", "is missing")] });
        let given = vec![wrong(), event(1), wrong(), event(3), event(4)];
        let answers = vec![held(), Answer::Duplicate { conflict: true }, Answer::Undefined];
        let answered = by_position(given, answers);
        let recorded = recorded(&answered, ReceiptForm::Full, &HashMap::new(), &Rulebook::default());
        let told = serde_json::to_value(&recorded).unwrap();
        let statuses: Vec<_> =
            told["receipts"].as_array().unwrap().iter().map(|told| &told["status"]).collect();
        assert_eq!(statuses, ["invalid", "held", "invalid", "conflict", "invalid"]);
        assert_eq!(told["receipts"][1]["held"]["cause"], "no_tariff");
        assert_eq!(told["receipts"][3]["id"], "3");
        assert_eq!(told["receipts"][4]["errors"][0]["pointer"], "/source");
        let counts = EventTotals { read: 5, rated: 0, held: 1, duplicate: 0, conflict: 1, invalid: 3 };
        assert_eq!(recorded.events, counts);
    }

    #[test]
    fn a_summary_counts_all_and_tells_a_hundred_problems() {
        let given = (0..250).map(event).collect();
        let duplicates = (0..50).map(|_| Answer::Duplicate { conflict: false });
        let answers = duplicates.chain((0..200).map(|_| held())).collect();
        let answered = by_position(given, answers);
        let told = recorded(&answered, ReceiptForm::Summary, &HashMap::new(), &Rulebook::default());
        assert_eq!((told.events.duplicate, told.events.held), (50, 200));
        let problems = told.problems.unwrap();
        assert_eq!((problems.len(), problems[0].index), (PROBLEMS_MAX, 50));
        assert!(told.receipts.is_none());
    }
}
