//! Small documents that change: wallets, holds, payments, payouts, and what watches over them.
//!
//! A record has a version that grows by one with each change. A commit replaces a record only when it is
//! still at the version that the change was decided from, so two who decide from the same record cannot both
//! have their way. What a record says is the business of the module whose kind it is; a store keeps it as
//! text.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, StoreError};

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// How many wallets an app has had opened. Owner: the app.
    Wallets,
    /// A customer's money. Owner: the app; id: the customer.
    Wallet,
    /// Money reserved for an event. Owner: the app; id: the event's.
    Hold,
    /// Money on its way in, or back. Owner: the app.
    Payment,
    /// Money on its way to a Builder. Owner: the Builder.
    Payout,
    /// How much of an event's charge was given back. Owner: the app; id: the event's.
    Refunds,
    /// Where notices are sent. Owner: the Builder, or nobody for the platform's.
    Endpoint,
    /// A notice on its way to an endpoint. Owner: the endpoint's owner and id.
    Delivery,
    /// How far a reader has come in something that only grows. Owner: nobody.
    Cursor,
}

impl RecordKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Wallets,
        Self::Wallet,
        Self::Hold,
        Self::Payment,
        Self::Payout,
        Self::Refunds,
        Self::Endpoint,
        Self::Delivery,
        Self::Cursor,
    ];

    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Wallets => "wallets",
            Self::Wallet => "wallet",
            Self::Hold => "hold",
            Self::Payment => "payment",
            Self::Payout => "payout",
            Self::Refunds => "refunds",
            Self::Endpoint => "endpoint",
            Self::Delivery => "delivery",
            Self::Cursor => "cursor",
        }
    }

    /// The kind that a word names.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Names a record. The owner, and with it the tenant, is part of the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// What it is.
    pub kind: RecordKind,
    /// Whose it is.
    pub owner: String,
    /// Which of theirs.
    pub id: String,
}

impl RecordKey {
    /// The name of a record.
    pub fn new(kind: RecordKind, owner: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind, owner: owner.into(), id: id.into() }
    }
}

/// How often a record has been changed: 0 when it is not there, 1 when it is new.
pub type Version = u64;

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub key: RecordKey,
    /// Its version, 1 or more.
    pub version: Version,
    /// When it wants to be looked at, in milliseconds since 1970, if it does.
    pub due: Option<i64>,
    /// What it says: JSON.
    pub body: String,
}

/// A record's step from the version it was decided from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// Which.
    pub key: RecordKey,
    /// The version the store must still hold; 0 for a record it does not have.
    pub before: Version,
    /// When it wants to be looked at.
    pub due: Option<i64>,
    /// What it says now.
    pub body: String,
}

/// What is kept as a record.
pub trait Document: Serialize + DeserializeOwned {
    /// What it is.
    const KIND: RecordKind;

    /// When it wants to be looked at, in milliseconds since 1970.
    fn due(&self) -> Option<i64> {
        None
    }
}

/// A document with the version it was read at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The version; 0 when it is not kept yet.
    pub version: Version,
    /// What it says.
    pub value: T,
}

impl<T: Document> Versioned<T> {
    /// Reads a record.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it does not say what its kind says.
    pub fn of(record: &Record) -> Result<Self, StoreError> {
        let value = serde_json::from_str(&record.body).map_err(|error| {
            let RecordKey { kind, owner, id } = &record.key;
            StoreError::Corrupt(format!("{} {id:?} of {owner:?} cannot be read: {error}", kind.code()))
        })?;
        Ok(Self { version: record.version, value })
    }

    /// The change that makes the record say `value` now.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when it cannot be written as JSON.
    pub fn change(&self, owner: &str, id: &str) -> Result<RecordChange, StoreError> {
        change(owner, id, self.version, &self.value)
    }
}

/// The change that makes a record at a version say something.
///
/// # Errors
/// [`StoreError::Failed`] when it cannot be written as JSON.
pub fn change<T: Document>(
    owner: &str,
    id: &str,
    before: Version,
    value: &T,
) -> Result<RecordChange, StoreError> {
    let body = serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(RecordChange { key: RecordKey::new(T::KIND, owner, id), before, due: value.due(), body })
}

/// Which records to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFilter {
    /// Of this kind.
    pub kind: RecordKind,
    /// Only this owner's.
    pub owner: Option<String>,
    /// Only those that come after this one, by owner and id.
    pub after: Option<(String, String)>,
    /// Only those that wanted to be looked at by this moment.
    pub due_by: Option<i64>,
}

impl RecordFilter {
    /// All of a kind.
    pub fn of(kind: RecordKind) -> Self {
        Self { kind, owner: None, after: None, due_by: None }
    }

    /// All of a kind that are someone's.
    pub fn owned(kind: RecordKind, owner: &str) -> Self {
        Self { owner: Some(owner.to_owned()), ..Self::of(kind) }
    }

    /// All of a kind that wanted to be looked at by a moment.
    pub fn due(kind: RecordKind, moment: i64) -> Self {
        Self { due_by: Some(moment), ..Self::of(kind) }
    }
}

/// The document of this owner and id, if there is one.
///
/// # Errors
/// When the store fails or holds something unreadable.
pub fn read<T: Document>(
    store: &dyn Store,
    owner: &str,
    id: &str,
) -> Result<Option<Versioned<T>>, StoreError> {
    let record = store.records(&[RecordKey::new(T::KIND, owner, id)])?.into_iter().next().flatten();
    record.as_ref().map(Versioned::of).transpose()
}
