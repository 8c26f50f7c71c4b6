//! Watches plugins at work: how long they take, what they burn, how often they fail.
//!
//! [`Observed`] stands between the engine and whatever runs the plugins, and changes no answer. It measures
//! whole runs, one for each batch and tariff: an event costs nothing extra.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tollgate_core::frame::{Counted, Frame, Metered, Rated, Totals};
use tollgate_core::plugin::{Descriptor, Digest, Problem};
use tollgate_core::pricer::{Pricer, PricerError, Pricing};

use crate::telemetry::{PluginFigures, RunFigures};

/// Plugins with figures of their own; all further ones share theirs. Anybody who may upload plugins makes
/// these grow.
const PLUGINS_MAX: usize = 256;

/// A pricer that is watched.
pub struct Observed {
    inner: Arc<dyn Pricer>,
    figures: PluginFigures,
    plugins: RwLock<HashMap<Digest, Plugin>>,
    used: AtomicUsize,
    others: Arc<RunFigures>,
}

/// A plugin that was admitted; it has figures from its first run on.
struct Plugin {
    label: String,
    figures: OnceLock<Arc<RunFigures>>,
}

impl fmt::Debug for Observed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Observed")
    }
}

impl Observed {
    /// Watches `inner`. The figures are shown by a server that is told of them.
    pub fn new(inner: Arc<dyn Pricer>, figures: &PluginFigures) -> Self {
        let others = Arc::new(figures.of("other", String::new()));
        let (plugins, used) = Default::default();
        Self { inner, figures: figures.clone(), plugins, used, others }
    }

    fn figures_of(&self, digest: &Digest) -> Arc<RunFigures> {
        let plugins = self.plugins.read().unwrap_or_else(PoisonError::into_inner);
        let Some(plugin) = plugins.get(digest) else { return Arc::clone(&self.others) };
        Arc::clone(plugin.figures.get_or_init(|| {
            if self.used.fetch_add(1, Ordering::Relaxed) < PLUGINS_MAX {
                Arc::new(self.figures.of(&plugin.label, short(digest)))
            } else {
                Arc::clone(&self.others)
            }
        }))
    }
}

/// Enough of a digest to tell two builds of one version apart.
fn short(digest: &Digest) -> String {
    const DIGITS: usize = 8;
    digest.to_string().trim_start_matches("sha256:").chars().take(DIGITS).collect()
}

impl Pricer for Observed {
    fn admit(&self, component: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        let (digest, descriptor) = self.inner.admit(component)?;
        let label = format!("{}@{}", descriptor.name, descriptor.version);
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        plugins.entry(digest).or_insert_with(|| Plugin { label, figures: OnceLock::new() });
        Ok((digest, descriptor))
    }

    fn check(&self, plugin: &Digest, settings: &str) -> Result<Vec<Problem>, PricerError> {
        self.inner.check(plugin, settings)
    }

    fn open<'a>(&'a self, plugin: &Digest, settings: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        let figures = self.figures_of(plugin);
        match self.inner.open(plugin, settings) {
            Ok(inner) => Ok(Box::new(Run { inner, figures, took: Duration::ZERO })),
            Err(error) => {
                figures.failed(&error);
                Err(error)
            }
        }
    }

    fn fuel_budget(&self, rows: usize) -> u64 {
        self.inner.fuel_budget(rows)
    }
}

/// One plugin instance under watch; its figures count when it is dropped.
struct Run<'a> {
    inner: Box<dyn Pricing + 'a>,
    figures: Arc<RunFigures>,
    took: Duration,
}

impl<'a> Run<'a> {
    fn watch<T>(
        &mut self,
        call: impl FnOnce(&mut (dyn Pricing + 'a)) -> Result<T, PricerError>,
    ) -> Result<T, PricerError> {
        let started = Instant::now();
        let answer = call(&mut *self.inner);
        self.took += started.elapsed();
        if let Err(error) = &answer {
            self.figures.failed(error);
        }
        answer
    }
}

impl Pricing for Run<'_> {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        self.figures.events(frame.rows);
        self.watch(|inner| inner.meter(frame))
    }

    fn rate(&mut self, frame: &Frame, counted: &Counted) -> Result<Rated, PricerError> {
        self.watch(|inner| inner.rate(frame, counted))
    }

    fn close(&mut self, frame: &Frame, totals: &Totals) -> Result<Rated, PricerError> {
        self.watch(|inner| inner.close(frame, totals))
    }

    fn fuel_spent(&self) -> u64 {
        self.inner.fuel_spent()
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.figures.ran(self.took, self.inner.fuel_spent());
    }
}

#[cfg(test)]
mod tests;
