//! Settings as lines of deploy.toml.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::model::Service;
use crate::model::spec::Members;
use crate::redact;

/// Above a line that would hold a secret, up to its key.
const SECRET: &str = "# a secret is not printed: give it by `container.secrets`, or pass --adopt\n# ";

/// Tables that are opened however little they hold: a file most likely has them so.
const TABLES: [&str; 7] =
    ["container", "environment", "secrets", "connect", "target-group", "deployment", "load-balancer"];

/// Settings of a service that the account has and deploy.toml does not say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    /// What they are, by AWS's names or by their keys.
    pub(super) names: Vec<String>,
    keys: Members,
    /// Members for the `aws` tables, by table.
    aws: BTreeMap<&'static str, Members>,
    /// Members for the `aws` tables of sidecars, by their names.
    sidecars: BTreeMap<String, Members>,
}

impl Lines {
    pub(super) fn key(&mut self, path: &[&str], value: Value) {
        self.keys.put(path, value);
    }

    pub(super) fn aws(&mut self, table: &'static str, path: &[&str], value: Value) {
        self.aws.entry(table).or_default().put(path, value);
    }

    pub(super) fn sidecar(&mut self, name: &str, path: &[&str], value: Value) {
        self.sidecars.entry(name.to_owned()).or_default().put(path, value);
    }

    pub(crate) fn table(&self) -> Map<String, Value> {
        let mut all = self.keys.clone();
        for (table, members) in &self.aws {
            all.put(&["aws", table], members.wire());
        }
        for (name, members) in &self.sidecars {
            all.put(&["sidecar", name, "aws"], members.wire());
        }
        all.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub(super) fn toml(&self, service: &Service) -> String {
        let mut text = String::new();
        write(&mut text, &mut vec!["service".to_owned(), service.key.0.clone()], &self.table(), &|_| None);
        text
    }
}

/// Writes a table and the tables in it. `comment` says what is written behind the line of a path.
pub(crate) fn write(
    out: &mut String,
    path: &mut Vec<String>,
    members: &Map<String, Value>,
    comment: &dyn Fn(&[String]) -> Option<String>,
) {
    let (tables, plain): (Vec<_>, Vec<_>) =
        members.iter().partition(|(name, value)| opens(path, name, value));
    if !path.is_empty() && (!plain.is_empty() || tables.is_empty()) {
        let gap = if out.is_empty() { "" } else { "\n" };
        let header: Vec<String> = path.iter().map(|name| toml_key(name)).collect();
        let _ = writeln!(out, "{gap}[{}]", header.join("."));
    }
    for (name, value) in plain {
        let mut line = format!("{} = {}", toml_key(name), toml_value(name, value));
        // Pasted as it is, the mask would become the value: a comment keeps the release refused.
        if line.contains(redact::MASK) {
            out.push_str(SECRET);
            // A text of several lines is a comment as a whole.
            line = line.replace('\n', "\n# ");
        }
        path.push(name.clone());
        let behind = comment(path).map(|text| format!("  # {text}")).unwrap_or_default();
        path.pop();
        let _ = writeln!(out, "{line}{behind}");
    }
    for (name, value) in tables {
        path.push(name.clone());
        write(out, path, value.as_object().unwrap_or(&Map::new()), comment);
        path.pop();
    }
}

/// Whether a member is a table of its own and not a line. What an `aws` table holds is lines.
fn opens(path: &[String], name: &str, value: &Value) -> bool {
    let Some(members) = value.as_object() else { return false };
    let under = path.iter().position(|part| part == "aws").map(|at| path.len() - at);
    match under {
        Some(1) => true,
        Some(_) => false,
        None => {
            TABLES.contains(&name)
                || path.last().is_some_and(|parent| parent == "sidecar" || parent == "endpoint")
                || path.len() < 2
                || members.len() > 3
                || members.values().any(Value::is_object)
        }
    }
}

fn toml_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { json!(name).to_string() }
}

/// In one line, or a list of tables with one on each, without secrets.
fn toml_value(name: &str, value: &Value) -> String {
    let mut named = json!({ name: value });
    redact::json(&mut named);
    let toml = |value: &Value| {
        toml::Value::try_from(value).map_or_else(|_| value.to_string(), |value| value.to_string())
    };
    match named[name].as_array().filter(|list| list.len() > 1 && list.iter().all(Value::is_object)) {
        Some(list) => {
            format!("[\n{}]", list.iter().map(|it| format!("    {},\n", toml(it))).collect::<String>())
        }
        None => toml(&named[name]),
    }
}
