//! Tags of namespaces: TagResource, UntagResource, ListTagsForResource.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::INVALID;
use super::namespaces::Namespace;
use crate::account::Account;
use crate::tagging::Tagged;
use crate::wire::{ApiError, ApiRequest, Outcome, params};

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

impl Tags {
    fn namespace<'a>(&self, account: &'a mut Account) -> Result<&'a mut Namespace, ApiError> {
        let found = account.cloudmap.namespaces.values_mut().find(|own| own.arn == self.resource_arn);
        found.ok_or_else(|| {
            ApiError::new("ResourceNotFoundException", format!("Resource not found: {}", self.resource_arn))
        })
    }
}

/// Refuses what no namespace can be tagged with.
pub(super) fn check(tags: &[Tag]) -> Result<(), ApiError> {
    match tags.iter().find(|tag| !(1..=128).contains(&tag.key.len()) || tag.value.len() > 256) {
        Some(tag) => Err(ApiError::new(INVALID, format!("Tag '{}' is not valid", tag.key))),
        None => Ok(()),
    }
}

pub(super) fn tag(account: &mut Account, request: &ApiRequest) -> Outcome {
    let mut asked: Tags = params(request, INVALID)?;
    check(&asked.tags)?;
    let added = std::mem::take(&mut asked.tags);
    let namespace = asked.namespace(account)?;
    let mut next: Vec<Tag> = namespace.tags.clone();
    for tag in added {
        match next.iter_mut().find(|own| own.key == tag.key) {
            Some(own) => own.value = tag.value,
            None => next.push(tag),
        }
    }
    if next.len() > 50 {
        return Err(ApiError::new("TooManyTagsException", "A resource can have at most 50 tags"));
    }
    namespace.tags = next;
    Ok(Value::Null)
}

pub(super) fn untag(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    asked.namespace(account)?.tags.retain(|tag| !asked.tag_keys.contains(&tag.key));
    Ok(Value::Null)
}

pub(super) fn list(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    Ok(json!({ "Tags": asked.namespace(account)?.tags }))
}

/// All namespaces with their tags.
pub(crate) fn tagged(account: &Account) -> Vec<Tagged> {
    let pairs = |tags: &[Tag]| tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    account.cloudmap.namespaces.values().map(|own| (own.arn.clone(), pairs(&own.tags))).collect()
}
