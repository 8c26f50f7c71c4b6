//! Defines things, and learns what others define: several engines may share a store.
//!
//! The history of definitions is one, in the order in which they were made. Whoever adds to it says how long it
//! was, and is refused when somebody else came first; so each definition was checked against all before it. What
//! is decided about events says as much: an engine that does not know of the newest tariff charges nobody.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{ATTEMPTS_MAX, Engine, EngineError, Rulebook, lock, outrun};
use crate::catalog::{Catalog, CatalogError, Definition, Tariff};
use crate::plugin::{Descriptor, Digest};
use crate::store::StoreError;

/// What became of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defined<R> {
    /// It is in force now.
    Changed,
    /// The very same was in force.
    AsBefore,
    /// It was refused; nothing changed.
    Refused(R),
}

impl Engine {
    /// Defines something, and says whether that changed anything: defining the same again does not.
    ///
    /// # Errors
    /// When it refers to what is not defined, contradicts a tariff, or has wrong settings.
    pub fn define(&self, definition: &Definition) -> Result<bool, EngineError> {
        let defined = self.define_unless(definition, |_| None::<Infallible>)?;
        Ok(matches!(defined, Defined::Changed))
    }

    /// As [`Self::define`], unless `refuse` has something against it, given what is defined. It is asked only
    /// where the definition would change something, and nobody else defines anything meanwhile.
    ///
    /// # Errors
    /// As [`Self::define`].
    pub fn define_unless<R>(
        &self,
        definition: &Definition,
        refuse: impl Fn(&Catalog) -> Option<R>,
    ) -> Result<Defined<R>, EngineError> {
        let _one_at_a_time = lock(&self.defining);
        for _ in 0..ATTEMPTS_MAX {
            let rules = self.rules();
            let is_there = rules.catalog().has(definition);
            if !is_there && let Some(refusal) = refuse(rules.catalog()) {
                return Ok(Defined::Refused(refusal));
            }
            rules.catalog().check(definition)?;
            if is_there {
                return Ok(Defined::AsBefore);
            }
            if let Definition::Tariff(tariff) = definition {
                self.check_tariff(&rules, tariff)?;
            }
            let known = rules.defined();
            // Said beforehand, so that what is handed over meanwhile is not refused for a definition of our own.
            self.defined.store(known.saturating_add(1), Ordering::Release);
            let kept = self.store.define(known, std::slice::from_ref(definition));
            match kept {
                Ok(()) => return self.take_in(std::slice::from_ref(definition)).map(|()| Defined::Changed),
                Err(StoreError::Stale(_)) => self.learn()?,
                Err(error) => {
                    self.defined.store(known, Ordering::Release);
                    return Err(error.into());
                }
            }
        }
        Err(outrun())
    }

    /// Whether a tariff's plugin is there for its app's Builder, and likes the settings.
    fn check_tariff(&self, rules: &Rulebook, tariff: &Tariff) -> Result<(), EngineError> {
        let app = rules.catalog().app(&tariff.app);
        let app = app.ok_or_else(|| EngineError::UndefinedApp(tariff.app.clone()))?;
        if rules.catalog().plugin(&tariff.plugin, &app.builder).is_none() {
            return Err(CatalogError::Missing { kind: "plugin", id: tariff.plugin.to_string() }.into());
        }
        // It may not have been loaded since this engine was opened.
        self.descriptor(&tariff.plugin)?;
        let problems = self.pricer.check(&tariff.plugin, &tariff.settings)?;
        if problems.is_empty() {
            return Ok(());
        }
        Err(EngineError::Settings { tariff: tariff.id.clone(), problems })
    }

    /// Learns what others have defined since this engine last looked.
    ///
    /// # Errors
    /// When the store cannot be read or its definitions contradict each other.
    pub fn catch_up(&self) -> Result<(), EngineError> {
        let _one_at_a_time = lock(&self.defining);
        self.learn()
    }

    /// The same, for who defines.
    fn learn(&self) -> Result<(), EngineError> {
        let known = self.rules().defined();
        self.take_in(&self.store.definitions(known)?)?;
        self.defined.store(self.rules().defined(), Ordering::Release);
        Ok(())
    }

    /// Puts the next definitions of the history into force, all at once: each tariff that is new, or whose app is
    /// another, is made ready once.
    fn take_in(&self, definitions: &[Definition]) -> Result<(), EngineError> {
        let (mut apps, mut new) = (BTreeSet::new(), Vec::new());
        for definition in definitions {
            match definition {
                Definition::App(app) => drop(apps.insert(app.id.as_str())),
                Definition::Tariff(tariff) => new.push(Arc::new(tariff.clone())),
                _ => {}
            }
        }
        let mut tariffs: Vec<Arc<Tariff>> = Vec::new();
        if !apps.is_empty() {
            let rules = self.rules();
            let there = rules.catalog().tariffs().filter(|tariff| apps.contains(&*tariff.app));
            tariffs.extend(there.map(Arc::clone));
        }
        tariffs.append(&mut new);
        let loaded = tariffs.iter().map(|tariff| self.load_plugin(&tariff.plugin));
        let loaded: Vec<_> = loaded.collect::<Result<_, _>>()?;
        self.change_rules(|rules| {
            definitions.iter().try_for_each(|definition| rules.define(definition))?;
            tariffs.iter().zip(loaded).try_for_each(|(tariff, plugin)| rules.use_tariff(tariff, plugin))
        })
    }

    /// What a plugin says of itself, or why a tariff cannot have it.
    fn load_plugin(&self, digest: &Digest) -> Result<Result<Arc<Descriptor>, String>, StoreError> {
        match self.descriptor(digest) {
            Ok(Some(descriptor)) => Ok(Ok(descriptor)),
            Ok(None) => Ok(Err(format!("plugin {digest} is not in the store"))),
            Err(EngineError::Store(error)) if !matches!(error, StoreError::Corrupt(_)) => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}
