//! Log groups: create, describe, delete, retention and tags.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::INVALID;
use super::store::{Group, group_name};
use crate::account::{Account, Millis};
use crate::tagging::Tagged;
use crate::wire::{ApiError, ApiRequest, Outcome, page, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    log_group_name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(super) fn create(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Create = params(request, INVALID)?;
    let name = asked.log_group_name;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
    if !(1..=512).contains(&name.len()) || !name.bytes().all(valid) {
        let text = format!(
            "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
        );
        return Err(ApiError::new(INVALID, text));
    }
    if account.logs.group_exists(&name) {
        return Err(ApiError::new(
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ));
    }
    let group = Group { created: now, retention_days: None, tags: asked.tags, streams: BTreeMap::new() };
    account.logs.groups.insert(name, group);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: String,
}

pub(super) fn delete(account: &mut Account, request: &ApiRequest) -> Outcome {
    let Named { log_group_name } = params(request, INVALID)?;
    account.logs.group(&log_group_name)?;
    account.logs.groups.remove(&log_group_name);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

pub(super) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request, INVALID)?;
    if asked.log_group_name_prefix.is_some() && asked.log_group_name_pattern.is_some() {
        let text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(ApiError::new(INVALID, text));
    }
    // A pattern is a part of the name, whatever its case.
    let pattern = asked.log_group_name_pattern.map(|pattern| pattern.to_lowercase());
    let found: Vec<(&String, &Group)> = account
        .logs
        .groups
        .iter()
        .filter(|(name, _)| {
            asked.log_group_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
        })
        .filter(|(name, _)| pattern.as_ref().is_none_or(|pattern| name.to_lowercase().contains(pattern)))
        .collect();
    let (found, next) = page(found, asked.next_token.as_deref(), asked.limit.unwrap_or(50).clamp(1, 50))
        .ok_or_else(|| ApiError::new(INVALID, "The specified nextToken is invalid."))?;
    let groups: Vec<Value> = found.into_iter().map(|(name, group)| group.describe(account, name)).collect();
    Ok(json!({ "logGroups": groups, "nextToken": next }))
}

impl Group {
    fn describe(&self, account: &Account, name: &str) -> Value {
        let arn = account.arn("logs", &format!("log-group:{name}"));
        let events = self.streams.values().flat_map(|stream| &stream.events);
        let mut description = json!({
            "logGroupName": name,
            "creationTime": self.created.0,
            "metricFilterCount": 0,
            "arn": format!("{arn}:*"),
            "storedBytes": events.map(|event| event.message.len()).sum::<usize>(),
            "logGroupClass": "STANDARD",
            "logGroupArn": arn,
        });
        if let Some(days) = self.retention_days {
            description["retentionInDays"] = json!(days);
        }
        description
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

pub(super) fn put_retention(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Retention = params(request, INVALID)?;
    let group = account.logs.group_mut(&asked.log_group_name)?;
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

pub(super) fn delete_retention(account: &mut Account, request: &ApiRequest) -> Outcome {
    let Named { log_group_name } = params(request, INVALID)?;
    account.logs.group_mut(&log_group_name)?.retention_days = None;
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tags {
    resource_arn: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

impl Tags {
    fn group<'a>(&self, account: &'a mut Account) -> Result<&'a mut Group, ApiError> {
        let name = group_name(None, Some(self.resource_arn.clone()))?;
        account.logs.group_mut(&name)
    }
}

pub(super) fn tag(account: &mut Account, request: &ApiRequest) -> Outcome {
    let mut asked: Tags = params(request, INVALID)?;
    let added = std::mem::take(&mut asked.tags);
    let group = asked.group(account)?;
    if group.tags.keys().filter(|key| !added.contains_key(*key)).count() + added.len() > 50 {
        let text = "The number of tags exceeds the limit of 50";
        return Err(ApiError::new("TooManyTagsException", text));
    }
    group.tags.extend(added);
    Ok(Value::Null)
}

pub(super) fn untag(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    asked.group(account)?.tags.retain(|key, _| !asked.tag_keys.contains(key));
    Ok(Value::Null)
}

pub(super) fn list_tags(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    Ok(json!({ "tags": asked.group(account)?.tags }))
}

/// All groups with their tags.
pub(crate) fn tagged(account: &Account) -> Vec<Tagged> {
    let arn = |name: &String| account.arn("logs", &format!("log-group:{name}"));
    account.logs.groups.iter().map(|(name, group)| (arn(name), group.tags.clone())).collect()
}
