//! Who may do what: keys, their scopes, and the answers kept for repeated requests.
//!
//! A key's secret is never here: only the SHA-256 of the whole key, which whoever made it computes. This
//! module has no clock and no randomness either; times are given in milliseconds since 1970.

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::store::StoreError;

/// What a key is good for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// Everything: for who runs Tollgate.
    Platform,
    /// Everything of one Builder: its apps, customers, plugins, tariffs, events and earnings.
    Builder {
        /// The Builder.
        builder: String,
    },
    /// Sending and quoting one app's events, and reading single ones.
    AppIngest {
        /// The app.
        app: String,
    },
    /// Reading one customer's usage, statements and events.
    CustomerRead {
        /// The app.
        app: String,
        /// Its customer.
        customer: String,
    },
}

impl Scope {
    /// Whether it may do what only the platform may: Builders, price books, an app's terms.
    pub fn is_platform(&self) -> bool {
        *self == Self::Platform
    }

    /// Whether it may do everything in a Builder's name.
    pub fn manages_builder(&self, id: &str) -> bool {
        match self {
            Self::Platform => true,
            Self::Builder { builder } => builder == id,
            Self::AppIngest { .. } | Self::CustomerRead { .. } => false,
        }
    }

    /// Whether it may do everything with an app. An undefined app is nobody's.
    pub fn manages_app(&self, catalog: &Catalog, id: &str) -> bool {
        catalog.app(id).is_some_and(|app| self.manages_builder(&app.builder))
    }

    /// Whether it may send and quote an app's events.
    pub fn ingests(&self, catalog: &Catalog, id: &str) -> bool {
        match self {
            Self::AppIngest { app } => app == id && catalog.app(id).is_some(),
            _ => self.manages_app(catalog, id),
        }
    }

    /// Whether it may read a customer's usage, statements and list of events.
    pub fn reads_customer(&self, catalog: &Catalog, app: &str, customer: &str) -> bool {
        match self {
            Self::CustomerRead { app: own_app, customer: own } => {
                own_app == app && own == customer && catalog.app(app).is_some()
            }
            _ => self.manages_app(catalog, app),
        }
    }

    /// Whether it may read one event of a customer, with its charge.
    pub fn reads_event(&self, catalog: &Catalog, app: &str, customer: &str) -> bool {
        self.ingests(catalog, app) || self.reads_customer(catalog, app, customer)
    }

    /// Whether it may know what is behind a price: costs, fees, earnings, and the event as it was received. A
    /// customer pays the total; the margin on it is the Builder's affair.
    pub fn sees_margins(&self) -> bool {
        !matches!(self, Self::CustomerRead { .. })
    }

    /// Whether it may make, list and revoke a key of another scope: one that can do no more than itself.
    pub fn grants(&self, catalog: &Catalog, other: &Self) -> bool {
        match other {
            Self::Platform => self.is_platform(),
            Self::Builder { builder } => self.manages_builder(builder),
            Self::AppIngest { app } | Self::CustomerRead { app, .. } => self.manages_app(catalog, app),
        }
    }
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// A stable id, which is also readable in the key itself.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// What it is good for.
    pub scope: Scope,
    /// SHA-256 of the whole key.
    pub digest: [u8; 32],
    /// When it was made.
    pub created_at: i64,
    /// From when on it is refused.
    pub expires_at: Option<i64>,
    /// Since when it is refused.
    pub revoked_at: Option<i64>,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<i64>,
}

impl Key {
    /// Whether it opens anything at a moment.
    pub fn is_valid_at(&self, moment: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| moment < end)
    }
}

/// Names one request that carried an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// The id of the key that was used: one tenant never meets another's requests.
    pub key: String,
    /// The `Idempotency-Key`.
    pub idempotency_key: String,
}

/// What was answered to a request, to be answered again when it is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// SHA-256 of method, path and body: the same key with another request is a conflict.
    pub request: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The body, as sent.
    pub body: Vec<u8>,
    /// When it was answered.
    pub answered_at: i64,
}

/// Keeps keys and answers. Apart from the ledger, which knows neither.
pub trait AccessStore: Send + Sync {
    /// Keeps a new key.
    ///
    /// # Errors
    /// When the database fails, or a key of this id is there.
    fn add_key(&self, key: &Key) -> Result<(), StoreError>;

    /// All keys, oldest first.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    fn keys(&self) -> Result<Vec<Key>, StoreError>;

    /// Refuses a key from a moment on. One that is refused already stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    fn revoke_key(&self, id: &str, moment: i64) -> Result<(), StoreError>;

    /// Notes when keys were last used; later moments win.
    ///
    /// # Errors
    /// When the database fails.
    fn keys_used(&self, uses: &[(String, i64)]) -> Result<(), StoreError>;

    /// What was answered to a request.
    ///
    /// # Errors
    /// When the database fails.
    fn answer(&self, request: &RequestKey) -> Result<Option<KeptAnswer>, StoreError>;

    /// Keeps an answer; the first one of a request stays. Answers from before `forget_before` are dropped.
    ///
    /// # Errors
    /// When the database fails.
    fn keep_answer(
        &self,
        request: &RequestKey,
        answer: &KeptAnswer,
        forget_before: i64,
    ) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::tests::catalog;

    #[test]
    fn a_scope_reaches_what_is_its_own_and_no_further() {
        let catalog = catalog();
        let builder = |builder: &str| Scope::Builder { builder: builder.into() };
        let ingest = |app: &str| Scope::AppIngest { app: app.into() };
        let customer = |id: &str| Scope::CustomerRead { app: "acme".into(), customer: id.into() };
        // Scope; manages the app, ingests, reads customer c1, reads an event of c1.
        for (scope, reach) in [
            (Scope::Platform, [true, true, true, true]),
            (builder("builder"), [true, true, true, true]),
            (builder("other"), [false; 4]),
            (ingest("acme"), [false, true, false, true]),
            (ingest("other"), [false; 4]),
            (customer("c1"), [false, false, true, true]),
            (customer("c2"), [false; 4]),
        ] {
            let found = [
                scope.manages_app(&catalog, "acme"),
                scope.ingests(&catalog, "acme"),
                scope.reads_customer(&catalog, "acme", "c1"),
                scope.reads_event(&catalog, "acme", "c1"),
            ];
            assert_eq!(found, reach, "{scope:?}");
            assert!(!scope.reads_event(&catalog, "undefined", "c1"), "{scope:?} reads of an undefined app");
        }
    }

    #[test]
    fn a_key_makes_no_key_that_can_do_more() {
        let catalog = catalog();
        let builder = Scope::Builder { builder: "builder".into() };
        let other = Scope::Builder { builder: "other".into() };
        let ingest = Scope::AppIngest { app: "acme".into() };
        assert!(Scope::Platform.grants(&catalog, &Scope::Platform));
        assert!(Scope::Platform.grants(&catalog, &builder));
        assert!(builder.grants(&catalog, &builder) && builder.grants(&catalog, &ingest));
        assert!(!builder.grants(&catalog, &Scope::Platform) && !builder.grants(&catalog, &other));
        assert!(!other.grants(&catalog, &ingest) && !ingest.grants(&catalog, &ingest));
    }
}
