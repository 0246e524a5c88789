//! Tags of scalable targets: TagResource, UntagResource, ListTagsForResource.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::INVALID;
use super::targets::Target;
use crate::account::Account;
use crate::tagging::Tagged;
use crate::wire::{ApiError, ApiRequest, Outcome, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

impl Tags {
    fn target<'a>(&self, account: &'a mut Account) -> Result<&'a mut Target, ApiError> {
        let found = account.scaling.targets.values_mut().find(|own| own.arn == self.resource_arn);
        found.ok_or_else(|| {
            ApiError::new(
                "ResourceNotFoundException",
                format!("The specified resource does not exist: {}", self.resource_arn),
            )
        })
    }
}

pub(super) fn tag(account: &mut Account, request: &ApiRequest) -> Outcome {
    let mut asked: Tags = params(request, INVALID)?;
    let added = std::mem::take(&mut asked.tags);
    let target = asked.target(account)?;
    if target.tags.keys().filter(|key| !added.contains_key(*key)).count() + added.len() > 50 {
        return Err(ApiError::new("TooManyTagsException", "A scalable target can have at most 50 tags"));
    }
    target.tags.extend(added);
    Ok(Value::Null)
}

pub(super) fn untag(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    asked.target(account)?.tags.retain(|key, _| !asked.tag_keys.contains(key));
    Ok(Value::Null)
}

pub(super) fn list(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Tags = params(request, INVALID)?;
    Ok(json!({ "Tags": asked.target(account)?.tags }))
}

/// All scalable targets with their tags.
pub(crate) fn tagged(account: &Account) -> Vec<Tagged> {
    account.scaling.targets.values().map(|own| (own.arn.clone(), own.tags.clone())).collect()
}
