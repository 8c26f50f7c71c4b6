//! The sandbox behind the engine's trait, with a choice of which of several calls answers.
//!
//! A plugin is a pure function, so it must not matter. The laws see to it that it does not.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use tollgate_core::{
    frame::{Counted, Frame, Metered, Rated, Totals},
    plugin::{Descriptor, Digest, Problem},
    pricer::{Pricer, PricerError, Pricing},
};
use tollgate_sandbox::Sandbox;

use super::Heard;

/// Which call answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// The first one, as when customers are charged.
    First,
    /// The second of two same calls of one instance.
    Second,
    /// One of an instance that was never called before, not even for the same batch.
    Fresh,
}

/// One admitted plugin.
pub(super) struct Tried {
    sandbox: Timed,
    digest: Digest,
    descriptor: Descriptor,
    answers: Answers,
}

impl Tried {
    pub(super) fn new(sandbox: Timed, digest: Digest, descriptor: Descriptor, answers: Answers) -> Self {
        Self { sandbox, digest, descriptor, answers }
    }
}

impl Pricer for Tried {
    /// There is one plugin here, and it has been admitted.
    fn admit(&self, _: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        Ok((self.digest, self.descriptor.clone()))
    }

    /// The settings were checked when the trial was set up.
    fn check(&self, _: &Digest, _: &str) -> Result<Vec<Problem>, PricerError> {
        Ok(Vec::new())
    }

    fn open<'a>(&'a self, plugin: &Digest, settings: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        Ok(match self.answers {
            Answers::First => self.sandbox.open(plugin, settings)?,
            Answers::Second => Box::new(Twice(self.sandbox.open(plugin, settings)?)),
            Answers::Fresh => {
                let (sandbox, plugin) = (&self.sandbox, *plugin);
                Box::new(Anew { sandbox, plugin, settings, fuel_spent: 0 })
            }
        })
    }

    fn fuel_budget(&self, rows: usize) -> u64 {
        self.sandbox.sandbox.fuel_budget(rows)
    }
}

/// The sandbox, with an eye on the clock.
pub(super) struct Timed {
    sandbox: Arc<Sandbox>,
    heard: Arc<Heard>,
}

impl Timed {
    pub(super) fn new(sandbox: Arc<Sandbox>, heard: Arc<Heard>) -> Self {
        Self { sandbox, heard }
    }

    fn open<'a>(&'a self, plugin: &Digest, settings: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        let instance = timed(&self.heard, || self.sandbox.open(plugin, settings))?;
        Ok(Box::new(TimedCalls { instance, heard: &self.heard }))
    }
}

struct TimedCalls<'a> {
    instance: Box<dyn Pricing + 'a>,
    heard: &'a Heard,
}

impl Pricing for TimedCalls<'_> {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        timed(self.heard, || self.instance.meter(frame))
    }

    fn rate(&mut self, frame: &Frame, counted: &Counted) -> Result<Rated, PricerError> {
        timed(self.heard, || self.instance.rate(frame, counted))
    }

    fn close(&mut self, frame: &Frame, totals: &Totals) -> Result<Rated, PricerError> {
        timed(self.heard, || self.instance.close(frame, totals))
    }

    fn fuel_spent(&self) -> u64 {
        self.instance.fuel_spent()
    }
}

fn timed<T>(heard: &Heard, call: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let answer = call();
    let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    heard.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    answer
}

/// Calls everything twice.
struct Twice<'a>(Box<dyn Pricing + 'a>);

impl Pricing for Twice<'_> {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        self.0.meter(frame)?;
        self.0.meter(frame)
    }

    fn rate(&mut self, frame: &Frame, counted: &Counted) -> Result<Rated, PricerError> {
        self.0.rate(frame, counted)?;
        self.0.rate(frame, counted)
    }

    fn close(&mut self, frame: &Frame, totals: &Totals) -> Result<Rated, PricerError> {
        self.0.close(frame, totals)?;
        self.0.close(frame, totals)
    }

    fn fuel_spent(&self) -> u64 {
        self.0.fuel_spent()
    }
}

/// Makes an instance for each call.
struct Anew<'a> {
    sandbox: &'a Timed,
    plugin: Digest,
    settings: &'a str,
    fuel_spent: u64,
}

impl Anew<'_> {
    fn call<T>(
        &mut self,
        call: impl FnOnce(&mut dyn Pricing) -> Result<T, PricerError>,
    ) -> Result<T, PricerError> {
        let mut instance = self.sandbox.open(&self.plugin, self.settings)?;
        let answer = call(&mut *instance);
        self.fuel_spent = self.fuel_spent.saturating_add(instance.fuel_spent());
        answer
    }
}

impl Pricing for Anew<'_> {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        self.call(|instance| instance.meter(frame))
    }

    fn rate(&mut self, frame: &Frame, counted: &Counted) -> Result<Rated, PricerError> {
        self.call(|instance| instance.rate(frame, counted))
    }

    fn close(&mut self, frame: &Frame, totals: &Totals) -> Result<Rated, PricerError> {
        self.call(|instance| instance.close(frame, totals))
    }

    fn fuel_spent(&self) -> u64 {
        self.fuel_spent
    }
}
