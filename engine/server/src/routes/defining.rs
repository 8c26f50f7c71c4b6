//! How routes define things: created once under an id, replaced on purpose, refused with a pointer.

use axum::http::StatusCode;
use tollgate_core::catalog::{Catalog, CatalogError, Definition};
use tollgate_core::engine::{Defined, Engine, EngineError};

use super::location::Location;
use super::tagged::{IfMatch, Tagged};
use crate::problem::{Fault, Problem};

/// How often a replacement is made anew from what others have made meanwhile.
const ATTEMPTS_MAX: usize = 16;

/// Something that is defined under an id, and replaced.
pub(super) trait Resource {
    /// As it is kept.
    fn definition(&self) -> Definition;

    /// Where it is read.
    fn location(&self) -> Location;

    /// As it is answered.
    ///
    /// # Errors
    /// 500 when it cannot be written.
    fn told(&self, catalog: &Catalog, status: StatusCode) -> Result<Tagged, Problem>;
}

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
    new: &impl Resource,
    places: Places,
    refusal: impl Fn(&Catalog) -> Option<Problem>,
) -> Result<Tagged, Problem> {
    let status = match engine.define_unless(&new.definition(), refusal) {
        Ok(Defined::Changed) => StatusCode::CREATED,
        Ok(Defined::AsBefore) => StatusCode::OK,
        Ok(Defined::Refused(taken)) => return Err(taken),
        Err(error) => return Err(places.problem(error)),
    };
    Ok(new.told(engine.rules().catalog(), status)?.at(new.location()))
}

/// Replaces what is `there` by what `change` makes of it. What the change leaves as it is stays as it is in that very
/// moment: when somebody else was faster, the change is made anew. The very same again is no change, and has no
/// condition.
///
/// # Errors
/// What the closures fail with; 412 when it is in another state than it must be, 422 for what the core refuses.
pub(super) fn replace<R: Resource>(
    engine: &Engine,
    places: Places,
    if_match: &IfMatch,
    there: impl Fn(&Catalog) -> Result<R, Problem>,
    change: impl Fn(&Catalog, R) -> Result<R, Problem>,
) -> Result<Tagged, Problem> {
    let tag_in =
        |catalog: &Catalog| there(catalog)?.told(catalog, StatusCode::OK).map(|told| told.tag().to_owned());
    for _ in 0..ATTEMPTS_MAX {
        let rules = engine.rules();
        let catalog = rules.catalog();
        let seen = tag_in(catalog)?;
        let changed = change(catalog, there(catalog)?);
        let changed = changed.map_err(|problem| if_match.check(&seen).err().unwrap_or(problem))?;
        // `None` when it is another than was seen.
        let refuse = |catalog: &Catalog| {
            let checked = tag_in(catalog).and_then(|tag| if_match.check(&tag).map(|()| tag));
            checked.map_or_else(|problem| Some(Some(problem)), |tag| (tag != seen).then_some(None))
        };
        let defined = engine.define_unless(&changed.definition(), refuse);
        match defined.map_err(|error| places.problem(error))? {
            Defined::Changed | Defined::AsBefore => {
                return changed.told(engine.rules().catalog(), StatusCode::OK);
            }
            Defined::Refused(Some(problem)) => return Err(problem),
            Defined::Refused(None) => {}
        }
    }
    Err(Problem::unavailable("others replace it again and again; send it again"))
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
