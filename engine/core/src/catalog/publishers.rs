//! Whose plugins a Builder takes in: with publishers, only what one of them has signed.

use std::collections::BTreeSet;

use super::check::{invalid, name};
use super::{Catalog, CatalogError, PluginOwnership};
use crate::plugin::Digest;
use crate::publisher::{Published, Publisher, Signature};

/// The most publishers of a Builder.
const PUBLISHERS_MAX: usize = 64;

impl Catalog {
    /// Who vouches for a plugin that is to be a Builder's, or the platform's; nobody has to where the Builder has
    /// no publishers, and for what the Builder has already.
    ///
    /// # Errors
    /// When the signature is not of this plugin, or nobody who may publish has signed it.
    pub fn published(
        &self,
        plugin: &Digest,
        builder: Option<&str>,
        signature: Option<&Signature>,
    ) -> Result<Option<Published>, CatalogError> {
        let refuse = |message: String| Err(CatalogError::NotPublished(message));
        if let Some(signature) = signature.filter(|signature| !signature.is_of(plugin)) {
            let key = signature.key();
            return refuse(format!(
                "the signature of {key} is not of {plugin}: the bytes or the signature were changed on the way; \
                 sign and send it again"
            ));
        }
        let publishers = self.publishers(builder);
        let by = signature
            .and_then(|signature| publishers.iter().find(|publisher| publisher.key == *signature.key()));
        if let (Some(publisher), Some(signature)) = (by, signature) {
            return Ok(Some(Published { by: publisher.name.clone(), signature: *signature }));
        }
        if publishers.is_empty() || self.owner(plugin, builder).is_some() {
            return Ok(None);
        }
        let builder = builder.unwrap_or_default();
        match signature.map(Signature::key) {
            None => refuse(format!(
                "Builder {builder:?} takes in only plugins that one of its publishers has signed, and this one is \
                 not signed: publish it with --sign KEY-FILE"
            )),
            Some(key) => refuse(format!(
                "{key} is not the key of a publisher of Builder {builder:?}: sign with one that is, or have the \
                 platform add it to the Builder's publishers"
            )),
        }
    }

    fn publishers(&self, builder: Option<&str>) -> &[Publisher] {
        builder.and_then(|id| self.builder(id)).map_or(&[], |builder| &builder.publishers)
    }

    /// The entry of exactly this owner.
    pub fn owner(&self, plugin: &Digest, builder: Option<&str>) -> Option<&PluginOwnership> {
        self.plugins.get(plugin)?.iter().find(|owner| owner.builder.as_deref() == builder)
    }

    /// A plugin's owner, in place of what was known of it: who vouches may be new.
    pub(super) fn own(&mut self, plugin: PluginOwnership) {
        let owners = self.plugins.entry(plugin.digest).or_default();
        owners.retain(|owner| owner.builder != plugin.builder);
        owners.push(plugin);
    }

    /// Whether nothing is to be added to a plugin's owner. The first signature stands.
    pub(super) fn has_owner(&self, plugin: &PluginOwnership) -> bool {
        let known = self.owner(&plugin.digest, plugin.builder.as_deref());
        known.is_some_and(|known| known.published.is_some() || plugin.published.is_none())
    }

    /// That nobody has taken a publisher away since the plugin was looked at.
    pub(super) fn check_published(&self, plugin: &PluginOwnership) -> Result<(), CatalogError> {
        let signature = plugin.published.as_ref().map(|published| &published.signature);
        if self.has_owner(plugin) {
            return Ok(());
        }
        self.published(&plugin.digest, plugin.builder.as_deref(), signature).map(|_| ())
    }
}

/// Publishers have names, and no two the same name or key.
pub(super) fn check_publishers(publishers: &[Publisher]) -> Result<(), CatalogError> {
    if publishers.len() > PUBLISHERS_MAX {
        return invalid("publishers", format!("at most {PUBLISHERS_MAX} are taken"));
    }
    let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for publisher in publishers {
        name("publishers", &publisher.name)?;
        if !names.insert(&publisher.name) {
            return invalid(
                "publishers",
                format!("{:?} is there twice: give each key its own name", publisher.name),
            );
        }
        if !keys.insert(&publisher.key) {
            return invalid("publishers", format!("the key of {:?} is there twice", publisher.name));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may stop where it stands
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;
    use crate::catalog::{Builder, Definition};
    use crate::publisher::{PublicKey, signed_bytes};

    fn key(secret: u8) -> (SigningKey, PublicKey) {
        let key = SigningKey::from_bytes(&[secret; 32]);
        let public = PublicKey::from_bytes(key.verifying_key().to_bytes()).unwrap();
        (key, public)
    }

    fn signature(secret: u8, plugin: &Digest) -> Signature {
        let (key, public) = key(secret);
        Signature::new(public, key.sign(&signed_bytes(plugin)).to_bytes())
    }

    fn builder(secrets: &[u8]) -> Definition {
        let publisher = |secret: &u8| Publisher { name: format!("p{secret}"), key: key(*secret).1 };
        Definition::Builder(Builder {
            id: "acme".into(),
            name: "Acme".into(),
            app_terms: None,
            payouts: crate::payout::PayoutTerms::default(),
            publishers: secrets.iter().map(publisher).collect(),
        })
    }

    fn plugin(digest: Digest, published: Option<Published>) -> Definition {
        let (builder, name, version) = (Some("acme".into()), "p".into(), "1.0.0".into());
        Definition::Plugin(PluginOwnership { digest, builder, name, version, published })
    }

    #[test]
    fn only_what_a_publisher_of_its_time_signed_comes_in_and_stays() {
        let (first, second) = (Digest::of(b"first"), Digest::of(b"second"));
        let mut catalog = Catalog::default();
        catalog.define(&builder(&[])).unwrap();
        assert_eq!(catalog.published(&first, Some("acme"), None), Ok(None));
        catalog.define(&builder(&[1])).unwrap();
        assert!(catalog.published(&first, Some("acme"), None).is_err(), "unsigned");
        assert!(catalog.published(&first, Some("acme"), Some(&signature(2, &first))).is_err(), "another's");
        assert!(catalog.published(&first, Some("acme"), Some(&signature(1, &second))).is_err(), "of another");
        let published = catalog.published(&first, Some("acme"), Some(&signature(1, &first))).unwrap();
        assert_eq!(published.as_ref().map(|published| published.by.as_str()), Some("p1"));
        assert_eq!(catalog.define(&plugin(first, published.clone())), Ok(true));

        // With the key gone, what is there stays, and says whose it is; what is new does not come in.
        catalog.define(&builder(&[2])).unwrap();
        assert_eq!(catalog.owner(&first, Some("acme")).unwrap().published, published);
        assert_eq!(catalog.define(&plugin(first, None)), Ok(false), "the same again");
        let late = Published { by: "p1".into(), signature: signature(1, &second) };
        assert!(catalog.define(&plugin(second, Some(late))).is_err());
        assert!(catalog.define(&plugin(second, None)).is_err());
    }

    #[test]
    fn a_signature_is_added_to_what_came_unsigned() {
        let digest = Digest::of(b"first");
        let mut catalog = Catalog::default();
        catalog.define(&builder(&[])).unwrap();
        catalog.define(&plugin(digest, None)).unwrap();
        catalog.define(&builder(&[1])).unwrap();
        assert_eq!(catalog.published(&digest, Some("acme"), None), Ok(None), "it is there already");
        let published = catalog.published(&digest, Some("acme"), Some(&signature(1, &digest))).unwrap();
        assert_eq!(catalog.define(&plugin(digest, published.clone())), Ok(true));
        assert_eq!(catalog.plugins(None).count(), 1);
        assert_eq!(catalog.owner(&digest, Some("acme")).unwrap().published, published);
    }

    #[test]
    fn publishers_differ_and_what_was_kept_before_them_is_read() {
        let mut catalog = Catalog::default();
        let twice = catalog.define(&builder(&[1, 1])).unwrap_err();
        assert_eq!(twice.to_string(), "publishers: \"p1\" is there twice: give each key its own name");
        let kept = r#"{"builder":{"id":"acme","name":"Acme"}}"#;
        let old: Definition = serde_json::from_str(kept).unwrap();
        assert!(catalog.define(&old).unwrap());
        assert_eq!(serde_json::to_string(&old).unwrap(), kept);
    }
}
