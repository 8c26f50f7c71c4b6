//! Taking plugins in: by whom they may be published, and what they say of themselves.

use std::sync::Arc;

use super::{Engine, EngineError};
use crate::catalog::{Definition, PluginOwnership};
use crate::plugin::{Descriptor, Digest};
use crate::publisher::Signature;

impl Engine {
    /// As [`Self::publish_plugin`], without a signature.
    ///
    /// # Errors
    /// As [`Self::publish_plugin`].
    pub fn add_plugin(
        &self,
        component: &[u8],
        builder: Option<&str>,
    ) -> Result<(Digest, Arc<Descriptor>), EngineError> {
        self.publish_plugin(component, builder, None)
    }

    /// Takes a plugin in and keeps it: any charge it makes can be executed again. It belongs to a Builder,
    /// or to the platform. Where the Builder has publishers, one of them must have signed it; that is looked
    /// at before a byte of it is compiled.
    ///
    /// # Errors
    /// When nobody who may publish has signed it, the component is no pricing plugin, the Builder is not
    /// defined, or the store fails.
    pub fn publish_plugin(
        &self,
        component: &[u8],
        builder: Option<&str>,
        signature: Option<&Signature>,
    ) -> Result<(Digest, Arc<Descriptor>), EngineError> {
        self.rules().catalog().published(&Digest::of(component), builder, signature)?;
        let (digest, descriptor) = self.pricer.admit(component)?;
        let published = self.rules().catalog().published(&digest, builder, signature)?;
        self.store.keep_plugin(&digest, component)?;
        self.define(&Definition::Plugin(PluginOwnership {
            digest,
            builder: builder.map(str::to_owned),
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            published,
        }))?;
        let descriptor = Arc::new(descriptor);
        self.change_rules(|rules| rules.load(digest, Arc::clone(&descriptor)));
        Ok((digest, descriptor))
    }
}
