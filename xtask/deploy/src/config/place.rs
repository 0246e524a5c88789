//! Where the values of an environment are written in `deploy.toml`, by path: `service.backend.container.port` → bytes.
//!
//! Kept beside the values and not in them, so that the types that are read are those that the rest of the tool works with.
//! A value that nobody wrote has no place: it is a default.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Byte offsets into the file's text.
pub(crate) type Span = Range<usize>;

/// The places of all keys and entries of a table.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<String, Spot>);

#[derive(Debug)]
struct Spot {
    name: Span,
    value: Span,
}

impl Places {
    /// Of a file as one environment sees it: a value that it overrides has the place of its override.
    pub(crate) fn of(table: &DeTable<'_>) -> Self {
        let mut places = Self::default();
        for (key, value) in table {
            places.add(key.get_ref().to_string(), key.span(), value);
        }
        places
    }

    fn add(&mut self, path: String, name: Span, value: &toml::Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, below) in table {
                    self.add(format!("{path}.{}", key.get_ref()), key.span(), below);
                }
            }
            DeValue::Array(list) => {
                for (at, entry) in list.iter().enumerate() {
                    self.add(format!("{path}.{at}"), entry.span(), entry);
                }
            }
            _ => {}
        }
        self.0.insert(path, Spot { name, value: value.span() });
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// All paths with the bytes that are theirs, key and value, by where they begin.
    pub(super) fn sorted(&self) -> Vec<(Span, String)> {
        let bytes = |spot: &Spot| spot.name.start.min(spot.value.start)..spot.name.end.max(spot.value.end);
        let mut all: Vec<_> = self.0.iter().map(|(path, spot)| (bytes(spot), path.clone())).collect();
        // Of a table and its first key, the key comes later.
        all.sort_by_key(|(span, path)| (span.start, std::cmp::Reverse(span.end), path.len()));
        all
    }

    pub(crate) fn at(&self, path: impl Display) -> Place<'_> {
        Place { places: self, path: path.to_string() }
    }
}

/// A path of the file, written or not. Entries of a list are numbered from 0.
#[derive(Clone, Debug)]
pub(crate) struct Place<'a> {
    places: &'a Places,
    path: String,
}

impl<'a> Place<'a> {
    pub(crate) fn key(&self, key: impl Display) -> Place<'a> {
        self.places.at(format_args!("{}.{key}", self.path))
    }

    /// Where the value is written.
    pub(crate) fn span(&self) -> Option<Span> {
        self.places.0.get(&self.path).map(|spot| spot.value.clone())
    }

    /// Where the key itself is written.
    pub(crate) fn name(&self) -> Option<Span> {
        self.places.0.get(&self.path).map(|spot| spot.name.clone())
    }

    pub(crate) fn written(&self) -> bool {
        self.places.0.contains_key(&self.path)
    }

    /// The entries of a list.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Place<'a>> + use<'a> {
        let list = self.clone();
        (0..).map(move |at| list.key(at)).take_while(Place::written)
    }

    /// This place, or where it is not written the other.
    pub(crate) fn or(self, other: impl Located) -> Option<Span> {
        self.span().or_else(|| other.place())
    }
}

/// What a diagnostic can point at.
pub(crate) trait Located {
    fn place(&self) -> Option<Span>;
}

impl Located for Place<'_> {
    fn place(&self) -> Option<Span> {
        self.span()
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

impl<T: Located> Located for &T {
    fn place(&self) -> Option<Span> {
        (*self).place()
    }
}
