//! What stands in for a value that is wrong, so that the rest of the file can be read.
//!
//! Where the fix is plain (a number in quotes) it is the fixed value; else it is something of the right type
//! that means as little as possible.

use std::borrow::Cow;

use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use crate::config::suggest;

/// A value of the wanted type: one of `options` where there are any.
pub(super) fn stand_in<'i>(wanted: &str, options: &[&str], wrong: &DeValue<'i>) -> DeValue<'i> {
    match (wanted, wrong) {
        ("object", _) => DeValue::Table(DeTable::new()),
        ("array", _) => DeValue::Array(DeArray::new()),
        ("boolean", DeValue::String(text)) => DeValue::Boolean(super::truth(text) == Some("true")),
        ("boolean", _) => DeValue::Boolean(false),
        ("integer" | "number", DeValue::String(text)) => number(text),
        ("integer" | "number", _) => DeValue::Integer(DeInteger::default()),
        (_, DeValue::String(text)) if !options.is_empty() => {
            let meant = suggest::choice(text, options).or(options.first().copied());
            DeValue::String(Cow::Owned(meant.unwrap_or_default().to_owned()))
        }
        (_, DeValue::Integer(number)) => DeValue::String(Cow::Owned(number.to_string())),
        (_, DeValue::Float(number)) => DeValue::String(Cow::Owned(number.to_string())),
        (_, DeValue::Boolean(truth)) => DeValue::String(Cow::Owned(truth.to_string())),
        _ => DeValue::String(Cow::Owned(options.first().copied().unwrap_or_default().to_owned())),
    }
}

/// The number in a text, when it would fit into the smallest integer that any key takes.
fn number<'i>(text: &Cow<'i, str>) -> DeValue<'i> {
    let nothing = DeValue::Integer(DeInteger::default());
    match text {
        Cow::Borrowed(digits) if digits.parse::<u16>().is_ok() => {
            DeValue::parse(digits).map_or(nothing, toml::Spanned::into_inner)
        }
        _ => nothing,
    }
}
