//! The form: its four fields, what was typed into them, and what of it is sent to the backend.

use serde_json::{Map, Number, Value};

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name in the form and in the backend's JSON.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// What this part of the test is.
    pub(crate) hint: &'static str,
}

/// In the order of the test report form. Written here and not asked from the backend, because the page
/// must be there without it.
pub(crate) const FIELDS: [Field; 4] = [
    Field {
        id: "listening",
        name: "Listening",
        hint: "40 questions, 30 minutes",
    },
    Field {
        id: "reading",
        name: "Reading",
        hint: "40 questions, 60 minutes",
    },
    Field {
        id: "writing",
        name: "Writing",
        hint: "2 tasks, 60 minutes",
    },
    Field {
        id: "speaking",
        name: "Speaking",
        hint: "3 parts, 11 to 14 minutes",
    },
];

/// What a person typed, in the order of [`FIELDS`]; empty where nothing was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) typed: [String; 4],
}

impl Form {
    /// Reads an urlencoded body or query. Fields that are not ours are ignored, as browsers' extensions may add some;
    /// of one that comes twice the last counts.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            if let Some(index) = FIELDS.iter().position(|field| field.id == name) {
                form.typed[index] = value.into_owned();
            }
        }
        form
    }

    /// Reads a query, if a field of the form is in it: other pages may link here with parameters of their own.
    pub(crate) fn in_query(query: &str) -> Option<Self> {
        let is_ours = |name: &str| FIELDS.iter().any(|field| field.id == name);
        form_urlencoded::parse(query.as_bytes())
            .any(|(name, _)| is_ours(&name))
            .then(|| Self::parse(query.as_bytes()))
    }

    /// The backend's request. Nothing is judged here: what is empty is left out and what is no number is sent as the
    /// text it is, so that the backend's one answer names all mistakes.
    pub(crate) fn request(&self) -> Value {
        let given = FIELDS
            .iter()
            .zip(&self.typed)
            .filter(|(_, typed)| !typed.trim().is_empty());
        Value::Object(
            given
                .map(|(field, typed)| (field.id.to_owned(), band(typed)))
                .collect::<Map<_, _>>(),
        )
    }
}

/// A decimal comma is a decimal point in half of the world.
fn band(typed: &str) -> Value {
    let typed = typed.trim().replace(',', ".");
    let plain = typed
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let number = if plain {
        typed.parse().ok().and_then(Number::from_f64)
    } else {
        None
    };
    number.map_or(Value::String(typed), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_typed_is_sent_as_the_number_it_says_or_as_the_text_it_is() {
        for (typed, sent) in [
            ("6", json!(6.0)),
            (" 6.5 ", json!(6.5)),
            ("6,5", json!(6.5)),
            ("-1", json!(-1.0)),
            ("10", json!(10.0)),
            ("6.", json!(6.0)),
            ("six", json!("six")),
            ("inf", json!("inf")),
            ("NaN", json!("NaN")),
            ("1e1", json!("1e1")),
            ("6..5", json!("6..5")),
            ("６", json!("６")),
        ] {
            assert_eq!(band(typed), sent, "{typed:?}");
        }
        assert_eq!(band(&"9".repeat(400)), json!("9".repeat(400)));
    }

    #[test]
    fn a_body_of_any_bytes_is_a_form() {
        for (body, typed) in [
            ("", ["", "", "", ""]),
            (
                "listening=6.5&reading=7&writing=+&speaking=%3Cb%3E",
                ["6.5", "7", " ", "<b>"],
            ),
            ("listening=1&listening=2&other=3", ["2", "", "", ""]),
            ("=&&&%%%&reading", ["", "", "", ""]),
        ] {
            assert_eq!(Form::parse(body.as_bytes()).typed, typed, "{body}");
        }
        assert_eq!(Form::parse(b"reading=\xff%ff").typed[1], "\u{fffd}\u{fffd}");
    }

    #[test]
    fn an_empty_field_is_left_out_of_the_request() {
        let form = Form::parse(b"listening=6.5&reading=7&writing=+&speaking=x");
        assert_eq!(
            form.request(),
            json!({ "listening": 6.5, "reading": 7.0, "speaking": "x" })
        );
    }
}
