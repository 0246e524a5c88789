//! What stories print for programs, checked by the schema that is published.

use std::sync::OnceLock;

use deploy::event::{Event, Kind};
use deploy::output::{self, Preview};
use serde::Serialize;
use serde_json::Value;

/// Panics for what a reader of the schema would not expect.
pub(crate) fn check(definition: &str, printed: &impl Serialize) {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    let document = DOCUMENT.get_or_init(output::document);
    let node = &document["definitions"][definition];
    assert!(node.is_object(), "the schema has no {definition}");
    let value = serde_json::to_value(printed).unwrap();
    let fits = fits(document, node, &value);
    assert!(fits.is_ok(), "{definition}: {}: {value:#}", fits.unwrap_err());
}

/// Every event, and every plan as `plan` prints it.
pub(crate) fn check_events(events: &[Event]) {
    for event in events {
        check("Event", event);
        if let Kind::Planned { plan } = &event.kind {
            check("Preview", &Preview { plan, forecast: None });
        }
    }
}

/// Draft 7, as far as the schema uses it: a keyword that is not here is an error, and not passed over.
fn fits(document: &Value, node: &Value, value: &Value) -> Result<(), String> {
    let Some(rules) = node.as_object() else {
        return if *node == Value::Bool(true) { Ok(()) } else { Err(format!("{value} is not allowed")) };
    };
    let all = |nodes: &Value| nodes.as_array().cloned().unwrap_or_default();
    let count = |nodes: &Value| all(nodes).iter().filter(|node| fits(document, node, value).is_ok()).count();
    let whole = |limit: &Value| value.as_f64().zip(limit.as_f64());
    for (keyword, rule) in rules {
        let good = match keyword.as_str() {
            "$ref" => {
                let target = rule.as_str().and_then(|path| document.pointer(path.strip_prefix('#')?));
                fits(document, target.ok_or("a reference leads nowhere")?, value)?;
                true
            }
            "allOf" => {
                all(rule).iter().try_for_each(|node| fits(document, node, value))?;
                true
            }
            // Of events and the like, the branch of its kind says what is wrong.
            "anyOf" | "oneOf" if count(rule) == 0 => {
                let why = all(rule).into_iter().filter_map(|node| fits(document, &node, value).err());
                let why: Vec<_> = why.filter(|why| !why.contains("const of ")).collect();
                return Err(format!("{keyword}: {}", why.join(" | ")));
            }
            "anyOf" => true,
            "oneOf" => count(rule) == 1,
            "type" => match rule.as_str() {
                Some(kind) => is(kind, value),
                None => all(rule).iter().filter_map(Value::as_str).any(|kind| is(kind, value)),
            },
            "const" => value == rule,
            "enum" => all(rule).contains(value),
            "required" => all(rule).iter().filter_map(Value::as_str).all(|name| value.get(name).is_some()),
            "properties" | "additionalProperties" => {
                let named = &rules.get("properties").cloned().unwrap_or_default();
                for (name, value) in value.as_object().into_iter().flatten() {
                    let node = match (named.get(name), keyword == "properties") {
                        (Some(node), true) => node,
                        (None, false) => rule,
                        _ => continue,
                    };
                    fits(document, node, value).map_err(|why| format!("{name}: {why}"))?;
                }
                true
            }
            "items" => {
                for (at, value) in value.as_array().into_iter().flatten().enumerate() {
                    fits(document, rule.get(at).unwrap_or(rule), value)
                        .map_err(|why| format!("{at}: {why}"))?;
                }
                true
            }
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
            "minimum" => whole(rule).is_none_or(|(value, least)| value >= least),
            "maximum" => whole(rule).is_none_or(|(value, most)| value <= most),
            "minLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap())
            }
            "maxLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap())
            }
            "uniqueItems" | "description" | "title" | "default" | "format" => true,
            other => return Err(format!("this test does not know the keyword {other}")),
        };
        if !good {
            return Err(format!("{keyword} of {node} does not fit"));
        }
    }
    Ok(())
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("no such type: {other}"),
    }
}

#[test]
fn what_the_schema_does_not_say_is_refused() {
    let document = output::document();
    let event = &document["definitions"]["Event"];
    let of = |text: &str| fits(&document, event, &serde_json::from_str(text).unwrap());
    let warned = r#"{"seq":1,"at_ms":0,"event":"warned","text":"x"}"#;
    assert_eq!(of(warned), Ok(()));
    for (from, to) in
        [("\"x\"", "1"), ("warned", "no-such-event"), ("\"text\"", "\"other\""), ("\"seq\":1,", "")]
    {
        assert!(of(&warned.replace(from, to)).is_err(), "{from} → {to}");
    }
}
