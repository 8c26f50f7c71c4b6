//! How routes define things: created once under an id, replaced on purpose, refused with a pointer.

use axum::http::StatusCode;
use tollgate_core::catalog::{Catalog, CatalogError, Definition};
use tollgate_core::engine::{Defined, Engine, EngineError};

use crate::problem::{Fault, Problem};

/// Where a request's body has what an app's or a Builder's terms are called in the core.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    /// The pointer to the object with the terms; empty where there are none.
    pub terms: &'static str,
}

/// Creates something: 201, or 200 when the very same is there already.
///
/// # Errors
/// What `refusal` gives for an id that is taken by something else; 422 for what the core refuses.
pub(super) fn create(
    engine: &Engine,
    definition: &Definition,
    places: Places,
    refusal: impl Fn(&Catalog) -> Option<Problem>,
) -> Result<StatusCode, Problem> {
    match engine.define_unless(definition, refusal).map_err(|error| places.problem(error))? {
        Defined::Changed => Ok(StatusCode::CREATED),
        Defined::AsBefore => Ok(StatusCode::OK),
        Defined::Refused(taken) => Err(taken),
    }
}

/// Replaces something that is there.
///
/// # Errors
/// 422 for what the core refuses.
pub(super) fn replace(engine: &Engine, definition: &Definition, places: Places) -> Result<(), Problem> {
    engine.define(definition).map(drop).map_err(|error| places.problem(error))
}

/// 409 for an id that has other content.
pub(super) fn taken(what: &str, id: &str) -> Problem {
    Problem::conflict(format!("{what} {id:?} exists and is different: PUT replaces it"))
}

impl Places {
    /// A refusal of the core with the place in the body that it means.
    fn problem(self, error: EngineError) -> Problem {
        let fault = match &error {
            EngineError::Catalog(CatalogError::Invalid { field, message }) => {
                let field = field.replace('.', "/");
                let is_of_terms = matches!(&*field, "platform_share" | "surcharge_max");
                let parent = if is_of_terms { self.terms } else { "" };
                Fault::at(format!("{parent}/{field}"), message.clone())
            }
            EngineError::Catalog(CatalogError::Missing { kind, .. }) => {
                let place = match *kind {
                    "price book" => format!("{}/price_book", self.terms),
                    other => format!("/{}", other.to_ascii_lowercase()),
                };
                Fault::at(place, error.to_string())
            }
            _ => return error.into(),
        };
        Problem::invalid(vec![fault])
    }
}
