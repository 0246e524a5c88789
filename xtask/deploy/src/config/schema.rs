//! The JSON schema of `deploy.toml`: for editors, which complete and underline by it, and for `shape`, which
//! checks the file by the very same rules.
//!
//! Draft 7, because that is what TOML editors read.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::aws;
use crate::model::{Environment, Service};

const EVERY_SERVICE: &str = "What holds for every service that does not say otherwise itself. A service's own value wins, also over\n\
                             `every-service` of an environment.";

/// The schema as it is checked in at `xtask/deploy/deploy.schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", document())
}

/// The schema as a value: the root is the common settings plus the two keys that exist at the top only.
pub(super) fn document() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let settings = generator.subschema_for::<Environment>();
    let service = generator.subschema_for::<Service>();
    let mut definitions = generator.take_definitions(true);
    // Laid under each service when the file is read, and so no part of an environment.
    if let Some(common) = definitions.get_mut("Environment").and_then(|it| it["properties"].as_object_mut()) {
        let services = common.shift_remove("service").unwrap_or_default();
        common
            .insert("every-service".to_owned(), json!({ "description": EVERY_SERVICE, "allOf": [service] }));
        common.insert("service".to_owned(), services);
    }
    // Its name is that of its table.
    if let Some(sidecar) = definitions.get_mut("Sidecar").and_then(|it| it["properties"].as_object_mut()) {
        sidecar.shift_remove("name");
    }
    for definition in definitions.values_mut() {
        tidy(definition);
    }
    definitions.extend(aws::definitions());
    let mut root = Map::new();
    root.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    root.insert("title".to_owned(), json!("deploy.toml"));
    root.insert(
        "description".to_owned(),
        json!("What runs where: common values at the top, and in [env.NAME] what differs, key by key."),
    );
    root.insert("type".to_owned(), json!("object"));
    root.insert("additionalProperties".to_owned(), json!(false));
    let mut properties = Map::new();
    properties.insert(
        "default-env".to_owned(),
        json!({
            "description": "The environment that is meant when --env is not given. Name the harmless one.",
            "type": "string"
        }),
    );
    properties.insert(
        "env".to_owned(),
        json!({
            "description": "What differs from the common values, per environment.",
            "type": "object",
            "additionalProperties": settings
        }),
    );
    if let Some(common) =
        definitions.get("Environment").and_then(|common| common.get("properties")).and_then(Value::as_object)
    {
        properties.extend(common.clone());
    }
    root.insert("properties".to_owned(), Value::Object(properties));
    root.insert("definitions".to_owned(), Value::Object(definitions));
    Value::Object(root)
}

/// Takes out what Rust's types say and TOML cannot: null for a missing value, integer widths, and
/// defaults that are only "nothing".
fn tidy(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            map.values_mut().for_each(tidy);
            map.remove("format");
            if map.get("default").is_some_and(|default| !worth_saying(default, map)) {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(options)) = map.get_mut("anyOf") {
                options.retain(|option| option != &json!({ "type": "null" }));
                if let [only] = options.as_slice() {
                    let only = json!([only.clone()]);
                    map.remove("anyOf");
                    map.insert("allOf".to_owned(), only);
                }
            }
        }
        _ => {}
    }
}

/// Whether somebody could write this default: what must be given, or is derived, is empty or 0 until then.
fn worth_saying(default: &Value, node: &Map<String, Value>) -> bool {
    let least = node.get("minimum").and_then(Value::as_f64);
    match default {
        Value::Null | Value::Object(_) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        number => number.as_f64().zip(least).is_none_or(|(number, least)| number >= least),
    }
}

/// Follows `$ref`, also where `allOf` wraps it so that it can carry a description.
pub(super) fn follow<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let reference = node.get("$ref").or_else(|| node.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    reference
        .and_then(|path| path.strip_prefix('#'))
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(node)
}
