//! Secrets in JSON: members are judged by their names, strings like any text.

use serde_json::Value;

use super::{MASK, secret_name, secret_reference, text};

/// Masks every secret in a value, in place.
pub fn json(value: &mut Value) {
    walk(value, false);
}

fn walk(value: &mut Value, in_secrets: bool) {
    match value {
        Value::String(found) => *found = text(found),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, in_secrets)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    // What stands under `secrets` and is no reference is the secret itself, whatever its name.
                    Value::String(found) if in_secrets || secret_name(name) => {
                        if !secret_reference(found) {
                            MASK.clone_into(found);
                        }
                    }
                    member => walk(member, name == "secrets"),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    #[test]
    fn members_are_judged_by_their_names_and_references_stay() {
        let mut found = value!({
            "secrets": {"DB": "hunter2", "KEY": "/prod/key"},
            "environment": {"API_TOKEN": "hunter2", "URL": "http://a:hunter2@b/", "PORT": "80"},
            "lines": ["password=hunter2", "up"],
            "count": 3,
        });
        json(&mut found);
        let expected = value!({
            "secrets": {"DB": "***", "KEY": "/prod/key"},
            "environment": {"API_TOKEN": "***", "URL": "http://a:***@b/", "PORT": "80"},
            "lines": ["password=***", "up"],
            "count": 3,
        });
        assert_eq!(found, expected);
    }
}
