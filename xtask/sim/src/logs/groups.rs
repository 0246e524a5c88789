//! Log groups: create, describe, delete, retention and tags.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::store::{Group, INVALID, State, group_name};
use crate::base::{Base, Millis, Tag, tags};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, listing, params, text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    log_group_name: String,
    #[serde(default, deserialize_with = "tags::given")]
    tags: Vec<Tag>,
}

pub(super) fn create(base: &mut Base, logs: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Create = params(request)?;
    let name = asked.log_group_name;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
    if !(1..=512).contains(&name.len()) || !name.bytes().all(valid) {
        let text = format!(
            "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
        );
        return Err(ApiError::new(INVALID, text));
    }
    if name.to_ascii_lowercase().starts_with("aws/") {
        return Err(ApiError::new(INVALID, "Log groups starting with AWS/ are reserved for AWS."));
    }
    if logs.group_exists(&name) {
        return Err(ApiError::new(
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ));
    }
    tags::check(Api::Logs, &asked.tags)?;
    let group = Group { created: now, retention_days: None, streams: BTreeMap::new() };
    base.tags.put(&group_arn(base, &name), asked.tags);
    logs.groups.insert(name, group);
    Ok(Value::Null)
}

pub(super) fn delete(base: &mut Base, logs: &mut State, request: &ApiRequest) -> Outcome {
    let log_group_name = text(request, "logGroupName")?;
    logs.group(&log_group_name)?;
    logs.groups.remove(&log_group_name);
    base.tags.forget(&group_arn(base, &log_group_name));
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
}

pub(super) fn describe(base: &Base, logs: &State, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    if asked.log_group_name_prefix.is_some() && asked.log_group_name_pattern.is_some() {
        let text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(ApiError::new(INVALID, text));
    }
    // A pattern is a part of the name, whatever its case.
    let pattern = asked.log_group_name_pattern.map(|pattern| pattern.to_lowercase());
    let found: Vec<(&String, &Group)> = logs
        .groups
        .iter()
        .filter(|(name, _)| {
            asked.log_group_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
        })
        .filter(|(name, _)| pattern.as_ref().is_none_or(|pattern| name.to_lowercase().contains(pattern)))
        .collect();
    listing(request, "logGroups", (50, 50), found, |(name, group)| group.describe(base, name))
}

impl Group {
    fn describe(&self, base: &Base, name: &str) -> Value {
        let arn = group_arn(base, name);
        let events = self.streams.values().flat_map(|stream| &stream.events);
        json!({
            "logGroupName": name,
            "creationTime": self.created.0,
            "metricFilterCount": 0,
            "arn": format!("{arn}:*"),
            "storedBytes": events.map(|event| event.message.len()).sum::<usize>(),
            "logGroupClass": "STANDARD",
            "logGroupArn": arn,
            "retentionInDays": self.retention_days,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retention {
    log_group_name: String,
    retention_in_days: u32,
}

/// What PutRetentionPolicy takes, in days.
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(super) fn put_retention(logs: &mut State, request: &ApiRequest) -> Outcome {
    let asked: Retention = params(request)?;
    let group = logs.group_mut(&asked.log_group_name)?;
    let days = asked.retention_in_days;
    if !RETENTION_DAYS.contains(&days) {
        let text = format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: {RETENTION_DAYS:?}"
        );
        return Err(ApiError::new(INVALID, text));
    }
    group.retention_days = Some(days);
    Ok(Value::Null)
}

pub(super) fn delete_retention(logs: &mut State, request: &ApiRequest) -> Outcome {
    let log_group_name = text(request, "logGroupName")?;
    logs.group_mut(&log_group_name)?.retention_days = None;
    Ok(Value::Null)
}

/// The ARN of the group that an ARN, with `:*` at its end or without, names.
pub(super) fn taggable(base: &Base, own: &State, arn: &str) -> Result<String, ApiError> {
    let name = group_name(None, Some(arn.to_owned()))?;
    own.group(&name)?;
    Ok(group_arn(base, &name))
}

pub(super) fn group_arn(base: &Base, name: &str) -> String {
    base.arn("logs", &format!("log-group:{name}"))
}
