//! Everything that is decided before an event arrives, as one moment of it that can be shared.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::EngineError;
use crate::catalog::{Catalog, CatalogError, Definition, Tariff};
use crate::plugin::{Descriptor, Digest};
use crate::rating::terms::Terms;
use crate::store::{HoldCause, HoldReason};

/// Definitions in force, with each tariff made ready to price. A batch is rated by one rulebook.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    catalog: Catalog,
    /// How long the history of definitions is that it knows.
    defined: u64,
    plugins: FxHashMap<Digest, Arc<Descriptor>>,
    /// By tariff id; or why the tariff cannot be used.
    terms: FxHashMap<String, Result<Arc<Terms>, String>>,
}

impl Rulebook {
    /// What is defined.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// How many definitions it knows of all that were ever made.
    pub(super) fn defined(&self) -> u64 {
        self.defined
    }

    /// What a plugin says of itself, if it has been loaded.
    pub fn descriptor(&self, plugin: &Digest) -> Option<&Arc<Descriptor>> {
        self.plugins.get(plugin)
    }

    /// The terms of a tariff, if it can be used.
    pub fn terms(&self, tariff: &str) -> Option<&Arc<Terms>> {
        self.terms.get(tariff)?.as_ref().ok()
    }

    /// The tariffs that cannot be used, and why: their events are held.
    pub fn unusable(&self) -> impl Iterator<Item = (&str, &str)> {
        let unusable = self.terms.iter().filter_map(|(id, terms)| Some((id, terms.as_ref().err()?)));
        unusable.map(|(id, reason)| (id.as_str(), reason.as_str()))
    }

    /// The terms of a tariff, or why its events are held.
    pub(super) fn usable(&self, tariff: &Tariff) -> Result<&Arc<Terms>, HoldReason> {
        let hold = |message| HoldReason { cause: HoldCause::Plugin, message };
        match self.terms.get(&tariff.id) {
            Some(Ok(terms)) => Ok(terms),
            Some(Err(message)) => Err(hold(message.clone())),
            None => Err(hold(format!("tariff {}: its plugin {} is not loaded", tariff.id, tariff.plugin))),
        }
    }

    /// Takes the next definition of the history in.
    pub(super) fn define(&mut self, definition: &Definition) -> Result<(), CatalogError> {
        self.catalog.define(definition)?;
        self.defined = self.defined.saturating_add(1);
        Ok(())
    }

    /// Remembers what a plugin says of itself.
    pub(super) fn load(&mut self, plugin: Digest, descriptor: Arc<Descriptor>) {
        self.plugins.insert(plugin, descriptor);
    }

    /// Makes a tariff ready, given its plugin or why that does not load. One that cannot be used is kept
    /// with the reason: its events are held, and everybody else's go on.
    pub(super) fn use_tariff(
        &mut self,
        tariff: &Arc<Tariff>,
        descriptor: Result<Arc<Descriptor>, String>,
    ) -> Result<(), EngineError> {
        let app = self.catalog.app(&tariff.app).map(Arc::clone);
        let app = app.ok_or_else(|| EngineError::UndefinedApp(tariff.app.clone()))?;
        let terms = descriptor.and_then(|descriptor| {
            self.plugins.insert(tariff.plugin, Arc::clone(&descriptor));
            Terms::new(&app, tariff, &descriptor).map(Arc::new).map_err(|error| error.to_string())
        });
        self.terms.insert(tariff.id.clone(), terms);
        Ok(())
    }
}
