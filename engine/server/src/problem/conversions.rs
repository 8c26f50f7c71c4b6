//! Which error of the core becomes which problem: the one place that decides it.
//!
//! Whatever a person can mend is told as it is; whatever is the server's own affair goes to the log.

// What the core may come to name besides is told in its own words, or kept in the log, like what is last here.
#![allow(clippy::match_wildcard_for_single_variants)]

use tollgate_core::catalog::CatalogError;
use tollgate_core::engine::{EngineError, MoneyRefusal};
use tollgate_core::plugin;
use tollgate_core::pricer::PricerError;
use tollgate_core::store::StoreError;

use super::{Fault, Problem};
use crate::lane::LaneError;

const SAFE_TO_REPEAT: &str =
    "the store could not take it; nothing of it was kept, and sending it again is safe";

const UNKNOWN_IF_KEPT: &str =
    "the store failed while it took it; it may or may not have been kept, and sending it again is safe";

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        Self::from(&error)
    }
}

impl From<&EngineError> for Problem {
    fn from(error: &EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Pricer(error) => error.into(),
            EngineError::Catalog(error) => error.into(),
            EngineError::Settings { problems, .. } => {
                Self::invalid(problems.iter().map(in_settings).collect()).with_detail(error.to_string())
            }
            EngineError::UndefinedApp(_) => Self::not_found(error.to_string()),
            EngineError::NotClosable(_) | EngineError::NotVoidable(_) => Self::conflict(error.to_string()),
            EngineError::Money(refusal) => refusal.into(),
            other => {
                tracing::error!(error = %other, "the engine refused");
                Self::internal()
            }
        }
    }
}

impl From<&MoneyRefusal> for Problem {
    fn from(refusal: &MoneyRefusal) -> Self {
        match refusal {
            MoneyRefusal::Invalid { field, message } => {
                Self::invalid(vec![Fault::at(format!("/{field}"), message.clone())])
            }
            MoneyRefusal::Unknown(message) => Self::not_found(message.clone()),
            MoneyRefusal::Conflict(message) | MoneyRefusal::NotPossible(message) => {
                Self::conflict(message.clone())
            }
        }
    }
}

/// A tariff's settings stand under `/settings` in every request that has them.
fn in_settings(problem: &plugin::Problem) -> Fault {
    Fault::at(format!("/settings{}", problem.pointer), problem.message.clone())
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Full => Self::busy("the store has too much waiting; send it again"),
            StoreError::Stale(_) => {
                tracing::warn!(%error, "the store moved on too often");
                Self::unavailable(SAFE_TO_REPEAT)
            }
            StoreError::Corrupt(_) => {
                tracing::error!(%error, "the store is unreadable");
                Self::internal()
            }
            StoreError::OutcomeUnknown(_) => {
                tracing::error!(%error, "the store failed");
                Self::unavailable(UNKNOWN_IF_KEPT)
            }
            other => {
                tracing::error!(error = %other, "the store failed");
                Self::unavailable(SAFE_TO_REPEAT)
            }
        }
    }
}

impl From<PricerError> for Problem {
    fn from(error: PricerError) -> Self {
        Self::from(&error)
    }
}

impl From<&PricerError> for Problem {
    fn from(error: &PricerError) -> Self {
        match error {
            PricerError::Infrastructure(_) => {
                tracing::warn!(%error, "a plugin could not be run");
                Self::unavailable("the plugin could not be run right now; try again")
            }
            author_s => Self::invalid(vec![Fault::at("", author_s.to_string())]),
        }
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        Self::from(&error)
    }
}

impl From<&CatalogError> for Problem {
    fn from(error: &CatalogError) -> Self {
        match error {
            CatalogError::Invalid { field, message } => {
                Self::invalid(vec![Fault::at(format!("/{field}"), message.clone())])
            }
            CatalogError::Missing { .. } => Self::invalid(vec![Fault::at("", error.to_string())]),
            CatalogError::NotPublished(message) => Self::forbidden(message.clone()),
            contradiction => Self::conflict(contradiction.to_string()),
        }
    }
}

impl From<LaneError> for Problem {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Busy => Self::busy("too much is waiting to be decided; send it again"),
            LaneError::Stopping => Self::unavailable("the server is stopping; send it again"),
            LaneError::Engine(error) => Self::from(&*error),
            LaneError::Panicked => Self::internal(),
        }
    }
}

impl Problem {
    fn with_detail(mut self, detail: String) -> Self {
        self.detail = detail.into();
        self
    }
}
