//! Secrets in JSON: members are judged by their names, strings like any text.

use serde_json::{Map, Value};

use super::{MASK, masked_argument, secret_name, secret_reference, text};

/// Masks every secret in a value, in place.
pub fn json(value: &mut Value) {
    walk(value, false);
}

fn walk(value: &mut Value, in_secrets: bool) {
    match value {
        Value::String(found) => *found = text(found),
        Value::Array(items) => {
            let mut flag = String::new();
            for item in items {
                match item {
                    Value::String(word) if masked_argument(&flag, word) => {
                        MASK.clone_into(word);
                        flag.clear();
                    }
                    item => {
                        item.as_str().unwrap_or_default().clone_into(&mut flag);
                        walk(item, in_secrets);
                    }
                }
            }
        }
        Value::Object(members) => {
            let named = named(members);
            for (name, member) in members {
                match member {
                    // A value under `secrets` that is no reference is the secret itself, whatever its name.
                    Value::String(found) if in_secrets || secret_name(name) || named.contains(&&**name) => {
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

/// The members that hold what another member names: a variable of a container definition (`name`, `value`; ECS API,
/// KeyValuePair), and a plan's difference (`field`, `from`, `to`).
fn named(members: &Map<String, Value>) -> &'static [&'static str] {
    let secret = |member: &str| {
        let name = members.get(member).and_then(Value::as_str)?;
        name.rsplit('.').next().map(secret_name)
    };
    if secret("name") == Some(true) {
        &["value"]
    } else if secret("field") == Some(true) && members.get("public") != Some(&Value::Bool(true)) {
        &["from", "to"]
    } else {
        &[]
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
            "variables": [{"name": "API_TOKEN", "value": "hunter2"}, {"name": "PORT", "value": "80"}],
            "changes": [{"field": "containers.a.environment.API_TOKEN", "from": "hunter2", "to": null}],
            "public": [{"field": "containers.a.environment.TOKEN_LIFETIME", "from": "5", "to": "6", "public": true}],
            "lines": ["password=hunter2", "up"],
            "command": ["--db-password", "hunter2", "-p", "hunter2", "serve"],
            "count": 3,
        });
        json(&mut found);
        let expected = value!({
            "secrets": {"DB": "***", "KEY": "/prod/key"},
            "environment": {"API_TOKEN": "***", "URL": "http://a:***@b/", "PORT": "80"},
            "variables": [{"name": "API_TOKEN", "value": "***"}, {"name": "PORT", "value": "80"}],
            "changes": [{"field": "containers.a.environment.API_TOKEN", "from": "***", "to": null}],
            "public": [{"field": "containers.a.environment.TOKEN_LIFETIME", "from": "5", "to": "6", "public": true}],
            "lines": ["password=***", "up"],
            "command": ["--db-password", "***", "-p", "***", "serve"],
            "count": 3,
        });
        assert_eq!(found, expected);
    }
}
