//! What a replacement says of each part of what is there: nothing, and the part stays; null, and it goes; or what
//! it is to be. What never changes may be repeated, so that what was read can be sent back.

use serde::{Deserialize, Deserializer};

use crate::problem::{Fault, Problem};

/// What a replacement says of one part.
#[derive(Clone, Debug, Default)]
pub(super) enum Part<T> {
    /// Nothing: it stays.
    #[default]
    LeftOut,
    /// It goes, as if it had never been given.
    Null,
    /// What it is to be.
    Said(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Said))
    }
}

impl<T> Part<T> {
    /// The part from now on, given what it is.
    pub fn or<U: Default + From<T>>(self, known: U) -> U {
        match self {
            Self::LeftOut => known,
            Self::Null => U::default(),
            Self::Said(said) => said.into(),
        }
    }

    /// The same of another type.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read<U>(self, read: impl FnOnce(T) -> Result<U, Problem>) -> Result<Part<U>, Problem> {
        Ok(match self {
            Self::LeftOut => Part::LeftOut,
            Self::Null => Part::Null,
            Self::Said(said) => Part::Said(read(said)?),
        })
    }
}

impl Part<String> {
    /// What is wrong when it says something else than what is there, of a part that never changes.
    fn fault(&self, pointer: &str, there: Option<&str>) -> Option<Fault> {
        let said = match self {
            Self::LeftOut => return None,
            Self::Null => None,
            Self::Said(said) => Some(said.as_str()),
        };
        let written = there.map_or_else(|| "null".to_owned(), |there| format!("{there:?}"));
        let message = format!("is {written}, which PUT does not change: repeat it, or leave it out");
        (said != there).then(|| Fault::at(pointer, message))
    }
}

/// Refuses what says something else of parts that never change: each with its pointer and what is there.
///
/// # Errors
/// 422 with each place that differs.
pub(super) fn only_repeated<const N: usize>(
    parts: [(&str, &Part<String>, Option<&str>); N],
) -> Result<(), Problem> {
    let faults = parts.into_iter().filter_map(|(pointer, said, there)| said.fault(pointer, there));
    let faults: Vec<Fault> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}
