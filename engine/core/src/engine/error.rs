//! Why the engine does not do something.

use crate::catalog::CatalogError;
use crate::plugin::Problem;
use crate::pricer::PricerError;
use crate::store::StoreError;

/// Why the engine could not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store is full, failed, or is unreadable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A plugin was refused, or could not be run where its answer was needed.
    #[error(transparent)]
    Pricer(#[from] PricerError),
    /// A definition was refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A tariff's settings are wrong.
    #[error("the settings of tariff {tariff:?} are wrong: {}", list(.problems))]
    Settings {
        /// The tariff's id.
        tariff: String,
        /// What is wrong.
        problems: Vec<Problem>,
    },
    /// No app of this name is defined.
    #[error("no app {0:?} is defined")]
    UndefinedApp(String),
    /// A sum in the ledger does not fit.
    #[error("a sum of the ledger is out of range")]
    LedgerFull,
    /// A period cannot be closed.
    #[error("{0}")]
    NotClosable(String),
    /// An event cannot be taken back.
    #[error("{0}")]
    NotVoidable(String),
    /// Money cannot be moved as asked.
    #[error(transparent)]
    Money(#[from] MoneyRefusal),
}

/// Why money is not moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyRefusal {
    /// A value cannot be.
    #[error("{field}: {message}")]
    Invalid {
        /// The field's name.
        field: &'static str,
        /// What is wrong and what would be right.
        message: String,
    },
    /// Something of this id is there and says something else.
    #[error("{0}")]
    Conflict(String),
    /// What is asked for is not there.
    #[error("{0}")]
    Unknown(String),
    /// It is there, and cannot do that now.
    #[error("{0}")]
    NotPossible(String),
}

impl MoneyRefusal {
    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
