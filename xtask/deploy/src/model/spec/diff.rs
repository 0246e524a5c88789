//! Field-by-field difference of two specs, as a person reads it.

use serde::Serialize;
use serde_json::Value;

use super::members::is_named_list;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Change {
    /// The field's path, such as `containers.backend.image`.
    pub field: String,
    /// What the account has; `None` when it has nothing there.
    pub from: Option<String>,
    /// What is wanted; `None` when nothing is.
    pub to: Option<String>,
    /// It is a variable that deploy.toml calls public: its value is shown whatever its name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
}

/// The fields in which `wanted` differs from `found`, in the type's field order. Empty when they are equal.
///
/// Lists of objects that carry a `name` are compared by name, other lists by position.
pub fn changes<T: Serialize>(found: &T, wanted: &T) -> Vec<Change> {
    let mut list = Vec::new();
    walk(String::new(), Some(&value(found)), Some(&value(wanted)), &mut list);
    list
}

/// Specs are plain data with string keys, so the conversion has no failing case.
fn value<T: Serialize>(spec: &T) -> Value {
    serde_json::to_value(spec).unwrap_or(Value::Null)
}

fn walk(path: String, found: Option<&Value>, wanted: Option<&Value>, list: &mut Vec<Change>) {
    if found == wanted {
        return;
    }
    let (mut from, mut to) = (children(found), children(wanted));
    // Each variable, volume and so on is a change of its own, also where there was none before.
    if is_named_list(path.rsplit('.').next().unwrap_or_default()) {
        from = from.or_else(|| found.is_none().then(Vec::new));
        to = to.or_else(|| wanted.is_none().then(Vec::new));
    }
    let (Some(from), Some(to)) = (from, to) else {
        // The braces of the value itself say nothing.
        let line = |value: &Value| match (text(value)?, value) {
            (text, Value::Object(_)) => Some(
                text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(&text).to_owned(),
            ),
            (text, _) => Some(text),
        };
        list.push(Change {
            field: path,
            from: found.and_then(line),
            to: wanted.and_then(line),
            ..Change::default()
        });
        return;
    };
    let mut keys: Vec<&String> = to.iter().map(|(key, _)| key).collect();
    // The wanted order first: what is only found, and goes, follows.
    keys.extend(from.iter().map(|(key, _)| key).filter(|key| !to.iter().any(|(known, _)| known == *key)));
    for key in keys {
        let pick = |side: &[(String, Value)]| {
            side.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
        };
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        walk(below, pick(&from).as_ref(), pick(&to).as_ref(), list);
    }
}

/// The members of an object, or of a list whose entries have names.
fn children(value: Option<&Value>) -> Option<Vec<(String, Value)>> {
    match value? {
        Value::Object(map) => Some(map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        Value::Array(list) if !list.is_empty() => {
            // Two endpoints of Service Connect may have one port, whose name `name` is.
            let name = |entry: &Value| {
                entry.get("discovery_name").or(entry.get("name"))?.as_str().map(str::to_owned)
            };
            list.iter().map(|entry| Some((name(entry)?, entry.clone()))).collect()
        }
        _ => None,
    }
}

/// One line of a value. Of a container that is its image: its variables are not worth a line, and may be secrets.
fn text(value: &Value) -> Option<String> {
    let each = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => Some(each(list.iter().filter_map(text).collect())),
        Value::Object(members) => match members.get("image") {
            Some(image) => text(image),
            None => {
                let member = |(name, value): (&String, &Value)| Some(format!("{name}: {}", text(value)?));
                Some(format!("{{{}}}", each(members.iter().filter_map(member).collect())))
            }
        },
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_specs_differ_in_nothing() {
        assert_eq!(changes(&json!({"a": [1, 2]}), &json!({"a": [1, 2]})), []);
    }

    #[test]
    fn a_named_entry_is_compared_with_its_namesake_at_any_position() {
        let found = json!({"containers": [{"name": "log", "image": "l"}, {"name": "app", "image": "a:1"}]});
        let wanted = json!({"containers": [{"name": "app", "image": "a:2"}, {"name": "log", "image": "l"}]});
        let expected = Change {
            field: "containers.app.image".into(),
            from: Some("a:1".into()),
            to: Some("a:2".into()),
            public: false,
        };
        assert_eq!(changes(&found, &wanted), [expected]);
    }

    #[test]
    fn what_vanishes_and_what_appears_are_one_change_each() {
        let container = json!({"image": "l:1", "environment": {"KEY": "hunter2"}});
        let found = json!({"x": 1, "gone": "g", "volumes": {"log": container}});
        let list = changes(&found, &json!({"x": 1, "new": {"a": {"b": [1, 2]}}, "secrets": {"K": "/k"}}));
        let listed: Vec<_> = list
            .iter()
            .map(|change| (change.field.as_str(), change.from.as_deref(), change.to.as_deref()))
            .collect();
        let expected = [
            ("new", None, Some("a: {b: 1, 2}")),
            ("secrets.K", None, Some("/k")),
            ("gone", Some("g"), None),
            ("volumes.log", Some("l:1"), None),
        ];
        assert_eq!(listed, expected);
    }
}
