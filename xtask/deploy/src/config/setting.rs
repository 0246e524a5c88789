//! A value together with its place in `deploy.toml`.
//!
//! Built on `toml::Spanned`, which cannot say "nobody wrote this": a default has no place.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of the file.
pub(crate) type Span = Range<usize>;

/// A value and where it was written; no place means that it is a default.
#[derive(Clone, Debug)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) span: Option<Span>,
}

/// What a diagnostic can point at.
pub(crate) trait Located {
    /// The place in the file, if it has one.
    fn place(&self) -> Option<Span>;
}

impl<T> Located for Setting<T> {
    fn place(&self) -> Option<Span> {
        self.span.clone()
    }
}

impl Located for Span {
    fn place(&self) -> Option<Span> {
        Some(self.clone())
    }
}

impl Located for Option<Span> {
    fn place(&self) -> Option<Span> {
        self.clone()
    }
}

impl<T> From<T> for Setting<T> {
    fn from(value: T) -> Self {
        Self { value, span: None }
    }
}

impl<T: Default> Default for Setting<T> {
    fn default() -> Self {
        T::default().into()
    }
}

/// Two settings are the same when their values are: the place is no part of the meaning.
impl<T: PartialEq> PartialEq for Setting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Setting<T> {}

impl<T: PartialOrd> PartialOrd for Setting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Ord> Ord for Setting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = toml::Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(Self { value: spanned.into_inner(), span: Some(span) })
    }
}

/// Serialised for one purpose: the schema shows defaults.
impl<T: Serialize> Serialize for Setting<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// In the schema a setting is its value.
impl<T: JsonSchema> JsonSchema for Setting<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}
