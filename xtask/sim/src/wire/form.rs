//! The query protocol's forms: `Names.member.1=a` and EC2's `Filter.1.Value.1=b` become nested values.
//!
//! All leaves stay strings: only the operation knows which of them is a number. [`leaf`] and [`list`] are
//! the ways to read them with serde.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Deeper than any member of any API; bounds the recursion over hostile input.
const MAX_DEPTH: usize = 16;

#[derive(Debug)]
enum Node {
    Leaf(String),
    Branch(BTreeMap<String, Node>),
}

/// Reads a form. `None` when a name is used both as a value and as a structure, or is nested too deeply.
pub(super) fn parse(form: &[u8]) -> Option<Map<String, Value>> {
    let mut root = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(form) {
        insert(&mut root, &name, value.into_owned())?;
    }
    Some(root.into_iter().map(|(name, node)| (name, node.into_value())).collect())
}

fn insert(root: &mut BTreeMap<String, Node>, name: &str, value: String) -> Option<()> {
    let path: Vec<&str> = name.split('.').collect();
    let (last, parents) = path.split_last()?;
    if path.len() > MAX_DEPTH {
        return None;
    }
    let mut level = root;
    for part in parents {
        let node = level.entry((*part).to_owned()).or_insert_with(|| Node::Branch(BTreeMap::new()));
        let Node::Branch(next) = node else {
            return None;
        };
        level = next;
    }
    match level.insert((*last).to_owned(), Node::Leaf(value)) {
        Some(Node::Branch(_)) => None,
        _ => Some(()),
    }
}

impl Node {
    fn into_value(self) -> Value {
        let mut fields = match self {
            Self::Leaf(text) => return Value::String(text),
            Self::Branch(fields) => fields,
        };
        if fields.len() == 1
            // `Name.member.1` is an element of a list in the query protocol; EC2's has `Name.1`.
            && let Some(members) = fields.remove("member")
        {
            return members.into_value();
        }
        let indices: Option<Vec<u64>> = fields.keys().map(|key| key.parse().ok()).collect();
        match indices {
            Some(indices) => {
                let mut items: Vec<(u64, Value)> =
                    indices.into_iter().zip(fields.into_values().map(Self::into_value)).collect();
                items.sort_by_key(|(index, _)| *index);
                Value::Array(items.into_iter().map(|(_, value)| value).collect())
            }
            None => Value::Object(fields.into_iter().map(|(name, node)| (name, node.into_value())).collect()),
        }
    }
}

/// Reads one text, or several.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(vec![text]),
        value => serde_json::from_value(value).map_err(D::Error::custom),
    }
}

/// Reads an optional number, flag or text, which a form has as a text: `#[serde(default, deserialize_with = "leaf")]`.
pub(crate) fn leaf<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        value => value.to_string(),
    };
    text.parse().map(Some).map_err(|error| D::Error::custom(format!("'{text}': {error}")))
}

/// Reads a list of a form, where an empty one arrives as an empty string.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        value => serde_json::from_value(value).map_err(D::Error::custom),
    }
}
