//! What is written as an object is read from an object alone: from a list, serde would take its fields in the order in
//! which they are declared. (A whole body is looked at before it is read, see `body`.)
//!
//! A type says `#[serde(remote = "Self")]`, so that what serde derives is only its own, and hands that over here.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};

/// A type that is read from a map, by what serde derives for it.
pub(super) trait OfMap: Sized {
    /// # Errors
    /// When the map is no such value.
    fn of_map<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

/// Takes a map and nothing else.
pub(super) struct OnlyMaps<T>(pub PhantomData<T>);

impl<'de, T: OfMap> Visitor<'de> for OnlyMaps<T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::of_map(map)
    }
}

/// Reads types from objects alone.
macro_rules! read_from_objects {
    ($($read:ty),+) => {$(
        impl $crate::routes::object::OfMap for $read {
            fn of_map<'de, A: serde::de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
                Self::deserialize(serde::de::value::MapAccessDeserializer::new(map))
            }
        }

        impl<'de> serde::Deserialize<'de> for $read {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map($crate::routes::object::OnlyMaps(std::marker::PhantomData))
            }
        }
    )+};
}

/// The same of types that are written as well.
macro_rules! read_from_objects_and_written {
    ($($both:ty),+) => {$(
        $crate::routes::object::read_from_objects!($both);

        impl serde::Serialize for $both {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }
    )+};
}

pub(in crate::routes) use {read_from_objects, read_from_objects_and_written};
