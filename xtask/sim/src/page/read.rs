//! Replies of the APIs as lines of a table.

use serde_json::{Value, json};

use super::Ask;
use crate::clock::Millis;
use crate::wire::{Api, iso8601};

/// A line of most tables.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) state: String,
    /// What the state is in colour: `good`, `busy`, `bad` or `plain`.
    pub(super) mood: &'static str,
    pub(super) note: String,
    pub(super) at: String,
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// The last part of an ARN.
pub(super) fn short(value: &Value) -> String {
    let text = text(value);
    text.rsplit('/').next().unwrap_or(&text).to_owned()
}

/// The last parts of a list of ARNs.
pub(super) fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(short).collect()
}

/// `2026-11-29 01:33:34`, in UTC.
pub(super) fn when(epoch_secs: &Value) -> String {
    let Some(secs) = epoch_secs.as_f64() else { return String::new() };
    let at = iso8601(Millis((secs * 1000.0) as u64));
    at[..19].replace('T', " ")
}

pub(super) fn items(reply: Option<&Value>, member: &str, item: impl Fn(&Value) -> Item) -> Vec<Item> {
    let list = reply.and_then(|reply| reply[member].as_array());
    list.into_iter().flatten().map(item).collect()
}

/// What a status is in colour.
pub(super) fn mood(status: &str) -> &'static str {
    match status {
        "ACTIVE" | "RUNNING" | "HEALTHY" | "COMPLETED" | "SUCCESSFUL" | "healthy" | "OK" => "good",
        "FAILED" | "UNHEALTHY" | "STOPPED" | "INACTIVE" | "unhealthy" | "ALARM" => "bad",
        "UNKNOWN" => "plain",
        _ => "busy",
    }
}

pub(super) fn alarms(ask: &Ask<'_>) -> Vec<Item> {
    let reply = ask(Api::CloudWatch, "DescribeAlarms", json!({}));
    items(reply.as_ref(), "MetricAlarms", |it| {
        let state = text(&it["StateValue"]);
        Item {
            name: text(&it["AlarmName"]),
            mood: mood(&state),
            state,
            note: text(&it["StateReason"]),
            at: String::new(),
        }
    })
}

/// Names only: what they hold is on no page.
pub(super) fn secrets(ask: &Ask<'_>) -> Vec<Item> {
    let item = |it: &Value, state: &str, note: String| Item {
        name: text(&it["Name"]),
        state: state.to_owned(),
        mood: "good",
        note,
        at: when(if it["LastModifiedDate"].is_null() {
            &it["LastChangedDate"]
        } else {
            &it["LastModifiedDate"]
        }),
    };
    let parameters = ask(Api::Ssm, "DescribeParameters", json!({}));
    let parameters = items(parameters.as_ref(), "Parameters", |it| item(it, "parameter", text(&it["Type"])));
    let secrets = ask(Api::SecretsManager, "ListSecrets", json!({}));
    let secrets = items(secrets.as_ref(), "SecretList", |it| item(it, "secret", text(&it["Description"])));
    parameters.into_iter().chain(secrets).collect()
}
