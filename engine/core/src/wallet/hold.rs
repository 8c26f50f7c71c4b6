//! Money reserved for an event before it runs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Draw, PendingUsage};
use crate::money::Amount;
use crate::store::record::{Document, RecordKind};

/// Money reserved for one event: the event's id is the hold's. It is pending until the event is charged, until
/// it is voided, or until it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Whose money.
    pub customer: String,
    /// The tariff that priced the estimate.
    pub tariff: Arc<str>,
    /// What the event was estimated to cost.
    pub price: Amount,
    /// Where it is reserved.
    pub draws: Vec<Draw>,
    /// What the event was estimated to count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<PendingUsage>,
    /// The estimated event's fingerprint, in hexadecimal digits: another estimate of the same id is a conflict.
    pub fingerprint: String,
    /// When it was placed, in milliseconds since 1970.
    pub placed_at: i64,
    /// When what is reserved is given up, unless the event has been charged.
    pub expires_at: i64,
    /// What became of it.
    #[serde(flatten)]
    pub state: HoldState,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HoldState {
    /// The money is reserved.
    Pending,
    /// The event was charged.
    Captured {
        /// How much: more or less than was reserved.
        amount: Amount,
    },
    /// It was given up.
    Voided {
        /// When.
        at: i64,
    },
    /// Its time was up.
    Expired {
        /// When that was noticed.
        at: i64,
    },
}

impl Hold {
    /// Whether the money is still reserved.
    pub fn is_pending(&self) -> bool {
        self.state == HoldState::Pending
    }
}

impl Document for Hold {
    const KIND: RecordKind = RecordKind::Hold;

    fn due(&self) -> Option<i64> {
        self.is_pending().then_some(self.expires_at)
    }
}
