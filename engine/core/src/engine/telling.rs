//! What a batch has to tell: events that wait, and tariffs whose plugins fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::{Engine, Rulebook, lock};
use crate::event::Event;
use crate::store::{HoldCause, Notice, NoticeKind, Outcome};

/// Of so many held events the ids are told; of the others only how many there are.
const IDS_MAX: usize = 10;

/// Events of one app that are held for the same cause.
#[derive(Default)]
struct Waiting<'a> {
    ids: Vec<&'a str>,
    count: u64,
    message: &'a str,
    at: i64,
}

impl Engine {
    /// One notice for each app and cause of held events, whatever their number, and one for each tariff that
    /// has just been suspended.
    pub(super) fn troubles(
        &self,
        rules: &Rulebook,
        events: &[Arc<Event>],
        outcomes: &[Outcome],
    ) -> Vec<Notice> {
        let mut waiting: BTreeMap<(&str, HoldCause), Waiting<'_>> = BTreeMap::new();
        for (event, outcome) in events.iter().zip(outcomes) {
            let Outcome::Held(reason) = outcome else { continue };
            let held = waiting.entry((&event.key.app, reason.cause)).or_default();
            if held.ids.len() < IDS_MAX {
                held.ids.push(&event.key.id);
            }
            held.count = held.count.saturating_add(1);
            (held.message, held.at) = (&reason.message, event.time);
        }
        if waiting.is_empty() {
            return Vec::new();
        }
        let builder = |app: &str| rules.catalog().app(app).map(|app| app.builder.clone()).unwrap_or_default();
        let mut notices = Vec::new();
        let last = waiting.values().map(|held| held.at).max().unwrap_or_default();
        for ((app, cause), Waiting { ids, count, message, at }) in waiting {
            let data = json!({
                "app": app, "reason": cause.code(), "detail": message, "events": count, "ids": ids,
            });
            notices.push(Notice { builder: builder(app), kind: NoticeKind::EventHeld, at, data });
        }
        for (tariff, reason) in lock(&self.breakers).newly_suspended() {
            let app = rules.catalog().tariff(&tariff).map(|tariff| tariff.app.clone()).unwrap_or_default();
            let data = json!({ "app": app, "tariff": tariff, "detail": reason });
            notices.push(Notice { builder: builder(&app), kind: NoticeKind::TariffFailing, at: last, data });
        }
        notices
    }
}
