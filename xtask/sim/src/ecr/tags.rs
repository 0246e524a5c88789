//! Tags of repositories: TagResource, UntagResource, ListTagsForResource.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{INVALID, invalid, repository_not_found};
use super::store::Repository;
use crate::account::Account;
use crate::tagging::Tagged;
use crate::wire::{ApiError, ApiRequest, Outcome, params};

/// A tag; ECR writes its members in Pascal case, unlike all its others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tags {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn tag(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    set(&mut repository(account, &asked.resource_arn)?.tags, asked.tags)?;
    Ok(Value::Null)
}

pub(super) fn untag(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    repository(account, &asked.resource_arn)?.tags.retain(|tag| !asked.tag_keys.contains(&tag.key));
    Ok(Value::Null)
}

pub(super) fn list(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    Ok(json!({ "tags": repository(account, &asked.resource_arn)?.tags }))
}

/// Adds tags, replacing those of the same key.
pub(super) fn set(tags: &mut Vec<Tag>, added: Vec<Tag>) -> Result<(), ApiError> {
    if let Some(tag) =
        added.iter().find(|tag| tag.key.is_empty() || tag.key.len() > 128 || tag.value.len() > 256)
    {
        let text =
            format!("Tag '{}' must have a key of 1 to 128 and a value of up to 256 characters", tag.key);
        return Err(ApiError::new("InvalidTagParameterException", text));
    }
    let mut next = tags.clone();
    for tag in added {
        match next.iter_mut().find(|own| own.key == tag.key) {
            Some(own) => own.value = tag.value,
            None => next.push(tag),
        }
    }
    if next.len() > 50 {
        return Err(ApiError::new("TooManyTagsException", "A repository can have at most 50 tags"));
    }
    *tags = next;
    Ok(())
}

fn repository<'a>(account: &'a mut Account, arn: &str) -> Result<&'a mut Repository, ApiError> {
    let prefix = account.arn("ecr", "repository/");
    let name = arn.strip_prefix(&prefix).ok_or_else(|| invalid("resourceArn", "Invalid ARN"))?;
    if !account.ecr.repository_exists(name) {
        return Err(repository_not_found(account, name, None));
    }
    account.ecr.repositories.get_mut(name).ok_or_else(|| invalid("resourceArn", "Invalid ARN"))
}

/// All repositories with their tags.
pub(crate) fn tagged(account: &Account) -> Vec<Tagged> {
    let pairs = |tags: &[Tag]| tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    account.ecr.repositories.values().map(|own| (own.arn.clone(), pairs(&own.tags))).collect()
}
