//! One plugin instance, for one batch: limits set before each call, and gone after the first trap.

use std::sync::Arc;

use tollgate_core::frame::{Counted, Frame, Metered, Rated, Totals};
use tollgate_core::plugin::{Descriptor, Problem};
use tollgate_core::pricer::{PricerError, Pricing};
use wasmtime::{Engine, Result as Called, Store};

use crate::answers::{self, Rows};
use crate::bindings::exports::tollgate::pricing::plugin::Guest;
use crate::bindings::{Pricing as Instance, PricingPre};
use crate::call::{Call, CallSink};
use crate::engine::call_ticks;
use crate::frames::{self, FrameViews};
use crate::limits::Limits;
use crate::log::LogSink;
use crate::store::{State, store};
use crate::trap::{Cause, explain};

/// What every run shares.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) sink: Option<LogSink>,
    pub(crate) on_call: Option<CallSink>,
}

/// An instance at work.
pub(crate) struct Run<'a> {
    host: &'a Host,
    /// Those of the plugin's tier.
    limits: Arc<Limits>,
    label: Arc<str>,
    settings: &'a str,
    /// Present until the first failure.
    live: Option<(Store<State>, Instance)>,
    fuel_spent: u64,
}

impl<'a> Run<'a> {
    /// Starts an instance within the limits of starting.
    pub(crate) fn start(
        host: &'a Host,
        limits: Arc<Limits>,
        label: Arc<str>,
        linked: &PricingPre<State>,
        settings: &'a str,
    ) -> Result<Self, PricerError> {
        let mut store = store(&host.engine, &limits, Arc::clone(&label), host.sink.clone());
        let fuel = limits.start_fuel;
        prepare(&mut store, &limits, fuel, 0)
            .map_err(|error| PricerError::Infrastructure(error.to_string()))?;
        match linked.instantiate(&mut store) {
            Ok(instance) => {
                Ok(Self { host, limits, label, settings, live: Some((store, instance)), fuel_spent: 0 })
            }
            Err(error) => Err(failure(&limits, &label, "its start", fuel, 0, &error, &store)),
        }
    }

    pub(crate) fn describe(&mut self) -> Result<Descriptor, PricerError> {
        self.call("`describe`", 0, |plugin, store| plugin.call_describe(store)).map(answers::descriptor)
    }

    pub(crate) fn check(&mut self) -> Result<Vec<Problem>, PricerError> {
        let settings = self.settings;
        let problems = self.call("`check`", 0, |plugin, store| plugin.call_check(store, settings))?;
        Ok(problems.into_iter().map(answers::problem).collect())
    }

    /// Calls one export; the instance is dropped unless it answers.
    fn call<T: Rows>(
        &mut self,
        function: &str,
        events: usize,
        call: impl FnOnce(&Guest, &mut Store<State>) -> Called<T>,
    ) -> Result<T, PricerError> {
        let Some((mut store, instance)) = self.live.take() else {
            return Err(PricerError::Infrastructure(format!(
                "{}: this instance has failed before",
                self.label
            )));
        };
        let limits = &self.limits;
        let fuel = limits.fuel_budget(events);
        prepare(&mut store, limits, fuel, events)
            .map_err(|error| PricerError::Infrastructure(error.to_string()))?;
        let called = call(instance.tollgate_pricing_plugin(), &mut store);
        let burnt = spent(&store, fuel);
        self.fuel_spent = self.fuel_spent.saturating_add(burnt);
        if let Some(tell) = &self.host.on_call {
            tell(&Call {
                function: function.trim_matches('`').to_owned(),
                events,
                fuel: burnt,
                fuel_max: fuel,
                memory_bytes: store.data().memory_bytes(),
            });
        }
        let answer = called
            .map_err(|error| failure(&self.limits, &self.label, function, fuel, events, &error, &store))?;
        let (rows, rows_max) = (answer.rows(), limits.answer_rows_max(events));
        if rows > rows_max {
            let label = &self.label;
            let reason =
                format!("{label}: {function} returned {rows} rows; {events} events may have {rows_max}");
            return Err(PricerError::Failed { reason });
        }
        self.live = Some((store, instance));
        Ok(answer)
    }
}

impl Pricing for Run<'_> {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        let (settings, views) = (self.settings, FrameViews::of(frame));
        let answer = self.call("`meter`", rows(frame), |plugin, store| {
            plugin.call_meter(store, settings, views.parameter())
        })?;
        Ok(answers::metered(answer))
    }

    fn rate(&mut self, frame: &Frame, counted: &Counted) -> Result<Rated, PricerError> {
        let (settings, views) = (self.settings, FrameViews::of(frame));
        let answer = self.call("`rate`", rows(frame), |plugin, store| {
            plugin.call_rate(store, settings, views.parameter(), frames::counted(counted))
        })?;
        Ok(answers::rated(answer))
    }

    fn close(&mut self, frame: &Frame, totals: &Totals) -> Result<Rated, PricerError> {
        let (settings, views) = (self.settings, FrameViews::of(frame));
        let answer = self.call("`close`", rows(frame), |plugin, store| {
            plugin.call_close(store, settings, views.parameter(), frames::totals(totals))
        })?;
        Ok(answers::rated(answer))
    }

    fn fuel_spent(&self) -> u64 {
        self.fuel_spent
    }
}

fn rows(frame: &Frame) -> usize {
    usize::try_from(frame.rows).unwrap_or(usize::MAX)
}

/// Sets what the next call may use.
fn prepare(store: &mut Store<State>, limits: &Limits, fuel: u64, events: usize) -> Called<()> {
    store.set_fuel(fuel)?;
    store.set_epoch_deadline(call_ticks(limits));
    store.set_hostcall_fuel(limits.answer_bytes_max(events));
    Ok(())
}

fn spent(store: &Store<State>, fuel: u64) -> u64 {
    fuel.saturating_sub(store.get_fuel().unwrap_or(0))
}

fn failure(
    limits: &Limits,
    label: &str,
    function: &str,
    fuel: u64,
    events: usize,
    error: &wasmtime::Error,
    store: &Store<State>,
) -> PricerError {
    let bytes = limits.answer_bytes_max(events);
    match explain(error, store.data(), limits, fuel, bytes) {
        Cause::Plugin(what) => PricerError::Failed { reason: format!("{label}: {function} {what}") },
        Cause::Host(what) => PricerError::Infrastructure(format!("{label}: {function} {what}")),
    }
}
