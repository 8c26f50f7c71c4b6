//! The customers of a batch, each interned once: a small number stands for (app, customer).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::catalog::{App, Catalog};

/// Position of a party in [`Parties`].
pub type PartyId = u32;

/// A customer of an app, as a batch sees it.
#[derive(Clone, Debug)]
pub struct Party {
    /// The app.
    pub app: Arc<App>,
    /// The app's id, as keys carry it.
    pub app_id: Arc<str>,
    /// The customer.
    pub customer: Arc<str>,
    /// The customer's parent.
    pub parent: Option<PartyId>,
}

/// All parties of a batch.
#[derive(Debug, Default)]
pub struct Parties {
    interned: Vec<Party>,
    apps: FxHashMap<String, FxHashMap<Arc<str>, PartyId>>,
    /// Customers as they were when they were charged, by app, name and parent.
    charged: FxHashMap<(String, String, Option<Arc<str>>), PartyId>,
}

impl Parties {
    /// The party of a customer; `None` when the app is not defined.
    pub fn intern(&mut self, catalog: &Catalog, app: &str, customer: &str) -> Option<PartyId> {
        if let Some(id) = self.apps.get(app).and_then(|customers| customers.get(customer)) {
            return Some(*id);
        }
        // Inserted before its parent is looked at, so that a circle of parents ends.
        let id = self.insert(Arc::clone(catalog.app(app)?), customer)?;
        let parent = catalog.parent_of(app, customer);
        if let Some(parent) = parent.filter(|parent| *parent != customer) {
            let parent = self.intern(catalog, app, parent);
            if let Some(party) = self.interned.get_mut(id as usize) {
                party.parent = parent;
            }
        }
        Some(id)
    }

    /// The party of a customer with the parent they had when they were charged; `None` when the app is not
    /// defined.
    pub fn charged(
        &mut self,
        catalog: &Catalog,
        app: &str,
        customer: &str,
        parent: Option<&Arc<str>>,
    ) -> Option<PartyId> {
        let now = self.intern(catalog, app, customer)?;
        if self.parent(now) == parent {
            return Some(now);
        }
        let key = (app.to_owned(), customer.to_owned(), parent.cloned());
        if let Some(id) = self.charged.get(&key) {
            return Some(*id);
        }
        let parent = match parent {
            Some(parent) => Some(self.intern(catalog, app, parent)?),
            None => None,
        };
        let id = PartyId::try_from(self.interned.len()).ok()?;
        self.interned.push(Party { parent, ..self.get(now).clone() });
        self.charged.insert(key, id);
        Some(id)
    }

    fn insert(&mut self, app: Arc<App>, customer: &str) -> Option<PartyId> {
        let id = PartyId::try_from(self.interned.len()).ok()?;
        let customer: Arc<str> = customer.into();
        let app_id = self.interned.iter().find(|party| party.app.id == app.id);
        let app_id = app_id.map_or_else(|| Arc::from(app.id.as_str()), |party| Arc::clone(&party.app_id));
        self.apps.entry(app.id.clone()).or_default().insert(Arc::clone(&customer), id);
        self.interned.push(Party { app, app_id, customer, parent: None });
        Some(id)
    }

    /// The party of this number. Numbers come from [`Self::intern`] of the same value only.
    #[allow(clippy::indexing_slicing)] // by the contract above
    pub fn get(&self, id: PartyId) -> &Party {
        &self.interned[id as usize]
    }

    /// For whom a unit is counted.
    pub fn owner(&self, id: PartyId, pooled: bool) -> PartyId {
        if pooled { self.get(id).parent.unwrap_or(id) } else { id }
    }

    /// A party's parent.
    pub fn parent(&self, id: PartyId) -> Option<&Arc<str>> {
        self.get(id).parent.map(|parent| &self.get(parent).customer)
    }
}
