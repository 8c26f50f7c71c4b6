//! A plugin that was admitted: everything that does not change between batches.

use std::sync::Arc;

use tollgate_core::plugin::Descriptor;

use crate::bindings::PricingPre;
use crate::limits::Limits;
use crate::schema::SettingsSchema;
use crate::store::State;

/// A plugin, ready to be instantiated: compiled, linked, described.
pub(crate) struct Plugin {
    /// `name 1.2.3`, for messages.
    pub(crate) label: Arc<str>,
    /// What it may use: the limits of its tier.
    pub(crate) limits: Arc<Limits>,
    /// Imports are resolved and exports looked up once, here, and not for each batch.
    pub(crate) linked: PricingPre<State>,
    /// What it says of itself.
    pub(crate) descriptor: Descriptor,
    /// Its settings schema.
    pub(crate) schema: SettingsSchema,
}
