//! `define`, `held` and `close`: what runs a database besides recording.

use std::path::Path;

use anyhow::Context as _;
use tollgate_core::money::format_nano;
use tollgate_core::store::Outcome;

use crate::arguments::{Close, Define, Held};
use crate::exit::Refused;
use crate::{definitions, session, table};

/// How many held events are read at a time.
const PAGE: usize = 1_000;

/// Defines what a file says.
pub fn define(arguments: &Define) -> anyhow::Result<u8> {
    let name = arguments.file.display().to_string();
    let text = std::fs::read_to_string(&arguments.file).with_context(|| name.clone()).context(Refused)?;
    let engine = session::create(&arguments.data.data)?;
    let directory = arguments.file.parent().unwrap_or(Path::new(""));
    definitions::define(&engine, &name, &text, directory, super::now())?;
    let rules = engine.rules();
    let catalog = rules.catalog();
    super::print(&format!(
        "Defined: {} Builders, {} apps, {} tariffs\n",
        catalog.builders().count(),
        catalog.apps().count(),
        catalog.tariffs().count()
    ))?;
    Ok(0)
}

/// Lists held events, or rates them again.
pub fn held(arguments: &Held) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.data.data)?;
    if arguments.retry {
        let (mut rated, mut held, mut next) = (0_u64, 0_u64, Some(0));
        while let Some(after) = next {
            let retried = engine.retry_held(None, after, PAGE)?;
            rated = rated.saturating_add(retried.rated);
            held = held.saturating_add(retried.held);
            next = retried.next;
        }
        super::print(&format!("{rated} events rated now, {held} still held\n"))?;
        return Ok(0);
    }
    let mut after = 0;
    let mut rows = Vec::new();
    loop {
        let page = engine.store().held(None, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.sequence;
        for stored in page {
            if let Outcome::Held(reason) = stored.outcome {
                rows.push(vec![
                    stored.key.app,
                    stored.key.id,
                    reason.cause.code().to_owned(),
                    reason.message,
                ]);
            }
        }
    }
    super::print(&match rows.len() {
        0 => "No event is held.\n".to_owned(),
        _ => table::table(&["app", "id", "cause", "reason"], 4, rows),
    })?;
    Ok(0)
}

/// Closes a period of an app.
pub fn close(arguments: &Close) -> anyhow::Result<u8> {
    let engine = session::open(&arguments.data.data)?;
    let closed = engine.close(&arguments.app, arguments.period)?;
    let charged = closed.charges.iter().map(|closing| i128::from(closing.charge.total.nano())).sum();
    super::print(&format!(
        "Period {} of {} is closed: {} customers, {} of them charged {} at the close\n",
        arguments.period,
        arguments.app,
        closed.customers,
        closed.charges.len(),
        format_nano(charged)
    ))?;
    Ok(0)
}
