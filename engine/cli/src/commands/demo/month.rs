//! The month as it goes by: events in the order of their time, and money between them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use tollgate_core::door;
use tollgate_core::engine::{Authorization, Engine, PaymentRequest, RefundRequest};
use tollgate_core::event::{Event, EventKey};
use tollgate_core::money::Amount;
use tollgate_core::payment::{Method, PaymentProvider as _};
use tollgate_core::period::Period;
use tollgate_core::store::NoticeKind;
use tollgate_core::wallet::Funder;
use tollgate_payments::Manual;

use super::at;
use crate::ingest::{Ingest, Ingested};
use crate::table;

/// Files of events, as `examples/` has them.
const EVENTS: [(&str, &str); 5] = [
    ("examples/month/paperwise.jsonl", include_str!("../../../../../examples/month/paperwise.jsonl")),
    ("examples/month/smile-dental.jsonl", include_str!("../../../../../examples/month/smile-dental.jsonl")),
    (
        "examples/month/keystone-realty.jsonl",
        include_str!("../../../../../examples/month/keystone-realty.jsonl"),
    ),
    ("examples/month/apex-motors.jsonl", include_str!("../../../../../examples/month/apex-motors.jsonl")),
    ("examples/month/glimmer-notes.jsonl", include_str!("../../../../../examples/month/glimmer-notes.jsonl")),
];

/// The app whose customers pay before, and are given back.
const APP: &str = "paperwise";

/// For how long money is reserved for an event, in milliseconds.
const HOLD: i64 = 600_000;

/// What happens to money between the events.
enum Act {
    /// A customer's bank transfer arrives.
    Transfer { customer: &'static str, id: &'static str, amount: &'static str },
    /// An event is given back.
    Refund { event: &'static str, id: &'static str, reason: &'static str },
}

/// In the order of their time.
const ACTS: [(&str, Act); 3] = [
    ("2026-09-30T10:00:00Z", Act::Transfer { customer: "harbor-legal", id: "harbor-legal-1", amount: "25" }),
    ("2026-10-23T08:00:00Z", Act::Transfer { customer: "harbor-legal", id: "harbor-legal-2", amount: "30" }),
    (
        "2026-10-31T09:00:00Z",
        Act::Refund { event: "paperwise-0146", id: "cut-off", reason: "the review was cut off" },
    ),
];

/// An event where it was read.
struct Line {
    file: Arc<str>,
    number: u64,
    event: Arc<Event>,
}

/// Lets the month go by; says what was recorded. Once more, it changes nothing.
pub fn run(engine: &Engine, period: Period) -> anyhow::Result<String> {
    let started = Instant::now();
    let mut month = Month {
        engine,
        is_over: engine.store().closed_periods(APP)?.contains(&period),
        denied: denied(engine)?,
        ingest: Ingest::new(engine, None, 1_000),
    };
    let mut lines = lines()?.into_iter().peekable();
    for (moment, act) in ACTS {
        let moment = at(moment)?;
        while let Some(line) = lines.next_if(|line| line.event.time < moment) {
            month.event(&line)?;
        }
        month.ingest.settle()?;
        month.act(&act, moment)?;
    }
    for line in lines {
        month.event(&line)?;
    }
    let denied = month.denied.len();
    let Ingested { counts, problems } = month.ingest.finish()?;
    let ingested = table::ingested(counts, &problems);
    let time = started.elapsed().as_millis();
    Ok(format!(
        "Recorded, durably, in {time} ms:\n{ingested}  {denied} others were not allowed to run: they would have had to be paid before\n\n"
    ))
}

/// All events of the month, in the order of their time.
fn lines() -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (name, events) in EVENTS {
        let file: Arc<str> = name.into();
        for (number, text) in (1..).zip(events.lines()) {
            let event = door::parse(text.as_bytes()).with_context(|| format!("{name}:{number}"))?;
            lines.push(Line { file: Arc::clone(&file), number, event: Arc::new(event) });
        }
    }
    lines.sort_by_key(|line| line.event.time);
    Ok(lines)
}

/// The events that were not allowed to run when the demo ran before.
fn denied(engine: &Engine) -> anyhow::Result<BTreeSet<String>> {
    let notices = engine.store().notices(0, 10_000)?.into_iter().map(|(_, notice)| notice);
    let denied = notices.filter(|notice| notice.kind == NoticeKind::AuthorizationDenied);
    Ok(denied.filter_map(|notice| Some(notice.data.get("event")?.as_str()?.to_owned())).collect())
}

struct Month<'e> {
    engine: &'e Engine,
    /// It has gone by before.
    is_over: bool,
    denied: BTreeSet<String>,
    ingest: Ingest<'e>,
}

impl Month<'_> {
    /// Records an event. Of who pays before, it is asked first whether it may run, and what is denied does not.
    fn event(&mut self, line: &Line) -> anyhow::Result<()> {
        let Line { file, number, event } = line;
        if !self.denied.contains(&event.key.id) && self.may_run(event)? {
            return self.ingest.line(file, *number, event.received.as_bytes());
        }
        self.denied.insert(event.key.id.clone());
        Ok(())
    }

    fn may_run(&mut self, event: &Arc<Event>) -> anyhow::Result<bool> {
        let is_prepaid = match self.engine.wallet(&event.key.app, &event.customer)? {
            Some(wallet) => wallet.terms.credit_limit == Some(Amount::ZERO),
            None => false,
        };
        if self.is_over || !is_prepaid {
            return Ok(true);
        }
        // What ran before has been charged by then.
        self.ingest.settle()?;
        match self.engine.authorize(event, event.time, event.time.saturating_add(HOLD))? {
            Authorization::Denied { .. } => Ok(false),
            Authorization::Allowed { .. } | Authorization::Recorded | Authorization::Resolved(_) => Ok(true),
            other => bail!("{} was answered {other:?}", event.key.id),
        }
    }

    fn act(&self, act: &Act, now: i64) -> anyhow::Result<()> {
        match *act {
            Act::Transfer { customer, id, amount } => {
                let (provider, method) = (Manual.name().to_owned(), Method::Transfer);
                let request = PaymentRequest { id: id.to_owned(), amount: amount.parse()?, provider, method };
                self.engine.request_payment(APP, customer, &request, now)?;
                let payment = self.engine.advance_payment(APP, id, &Manual, now)?;
                self.engine.receive_payment(APP, id, &payment.reference.unwrap_or_default(), now)?;
            }
            Act::Refund { event, id, reason } => {
                let key = EventKey { app: APP.to_owned(), id: event.to_owned() };
                let (id, reason) = (id.to_owned(), reason.to_owned());
                let request = RefundRequest { id, amount: None, borne_by: Funder::Builder, reason };
                self.engine.refund(&key, &request, now)?;
            }
        }
        Ok(())
    }
}
