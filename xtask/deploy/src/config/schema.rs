//! The JSON schema of `deploy.toml`: for editors, which complete and underline by it, and for `shape`, which
//! checks the file by the very same rules.
//!
//! Draft 7, because that is what TOML editors read.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::raw::Settings;

/// The schema as it is checked in at `xtask/deploy/deploy.schema.json`.
#[must_use]
pub fn schema() -> String {
    format!("{:#}\n", document())
}

/// The schema as a value: the root is the common settings plus the two keys that exist at the top only.
pub(super) fn document() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let settings = generator.subschema_for::<Settings>();
    let mut definitions = generator.take_definitions(true);
    for definition in definitions.values_mut() {
        tidy(definition);
    }
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
        definitions.get("Settings").and_then(|common| common.get("properties")).and_then(Value::as_object)
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
            if map
                .get("default")
                .is_some_and(|default| default.is_null() || default.is_object() || *default == json!([]))
            {
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

/// Follows `$ref`, also where `allOf` wraps it so that it can carry a description.
pub(super) fn follow<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let reference = node.get("$ref").or_else(|| node.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    reference
        .and_then(|path| path.strip_prefix('#'))
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(node)
}
