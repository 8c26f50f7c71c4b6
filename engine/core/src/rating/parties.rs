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
    parties: Vec<Party>,
    apps: FxHashMap<String, FxHashMap<Arc<str>, PartyId>>,
}

impl Parties {
    /// The party of a customer; `None` when the app is not defined.
    pub fn intern(&mut self, catalog: &Catalog, app: &str, customer: &str) -> Option<PartyId> {
        if let Some(id) = self.apps.get(app).and_then(|customers| customers.get(customer)) {
            return Some(*id);
        }
        // Inserted before its parent is looked at, so that a circle of parents ends.
        let id = self.insert(Arc::clone(catalog.app(app)?), customer)?;
        let parent = catalog.customer(app, customer).and_then(|defined| defined.parent.as_deref());
        if let Some(parent) = parent.filter(|parent| *parent != customer) {
            let parent = self.intern(catalog, app, parent);
            if let Some(party) = self.parties.get_mut(id as usize) {
                party.parent = parent;
            }
        }
        Some(id)
    }

    fn insert(&mut self, app: Arc<App>, customer: &str) -> Option<PartyId> {
        let id = PartyId::try_from(self.parties.len()).ok()?;
        let customer: Arc<str> = customer.into();
        let app_id = self.parties.iter().find(|party| party.app.id == app.id);
        let app_id = app_id.map_or_else(|| Arc::from(app.id.as_str()), |party| Arc::clone(&party.app_id));
        self.apps.entry(app.id.clone()).or_default().insert(Arc::clone(&customer), id);
        self.parties.push(Party { app, app_id, customer, parent: None });
        Some(id)
    }

    /// The party of this number. Numbers come from [`Self::intern`] of the same value only.
    #[allow(clippy::indexing_slicing)] // by the contract above
    pub fn get(&self, id: PartyId) -> &Party {
        &self.parties[id as usize]
    }

    /// For whom a unit is counted.
    pub fn owner(&self, id: PartyId, pooled: bool) -> PartyId {
        if pooled { self.get(id).parent.unwrap_or(id) } else { id }
    }

    /// The name of a party's parent; empty when it has none.
    pub fn parent_name(&self, id: PartyId) -> &str {
        self.get(id).parent.map_or("", |parent| &self.get(parent).customer)
    }
}
