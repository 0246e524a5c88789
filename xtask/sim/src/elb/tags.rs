//! AddTags, RemoveTags and DescribeTags; load balancers, target groups, listeners and rules have tags.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::state::{State, VALIDATION, invalid};
use crate::account::Account;
use crate::tagging::Tagged;
use crate::wire::{ApiError, ApiRequest, Outcome, list, params};

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// Tags per resource (ELB quotas).
const MAX_TAGS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagRequest {
    #[serde(deserialize_with = "list")]
    resource_arns: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    tags: Vec<Tag>,
    #[serde(default, deserialize_with = "list")]
    tag_keys: Vec<String>,
}

pub(super) fn add_tags(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: TagRequest = params(request, VALIDATION)?;
    for arn in &asked.resource_arns {
        check_exists(&account.elb, arn)?;
        set(&mut account.elb, arn, &asked.tags)?;
    }
    Ok(Value::Null)
}

pub(super) fn remove_tags(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: TagRequest = params(request, VALIDATION)?;
    for arn in &asked.resource_arns {
        check_exists(&account.elb, arn)?;
        if let Some(tags) = account.elb.tags.get_mut(arn) {
            tags.retain(|tag| !asked.tag_keys.contains(&tag.key));
        }
    }
    Ok(Value::Null)
}

pub(super) fn describe_tags(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: TagRequest = params(request, VALIDATION)?;
    if asked.resource_arns.len() > 20 {
        return Err(invalid("The number of resource ARNs cannot exceed '20'"));
    }
    let mut descriptions = Vec::new();
    for arn in &asked.resource_arns {
        check_exists(&account.elb, arn)?;
        let tags = account.elb.tags.get(arn).map_or(&[][..], Vec::as_slice);
        descriptions.push(json!({ "ResourceArn": arn, "Tags": tags }));
    }
    Ok(json!({ "TagDescriptions": descriptions }))
}

/// Adds tags to a resource, replacing those of the same key.
pub(super) fn set(state: &mut State, arn: &str, added: &[Tag]) -> Result<(), ApiError> {
    if added.is_empty() {
        return Ok(());
    }
    check(added)?;
    let mut tags = state.tags.get(arn).cloned().unwrap_or_default();
    for tag in added {
        match tags.iter_mut().find(|own| own.key == tag.key) {
            Some(own) => own.value.clone_from(&tag.value),
            None => tags.push(tag.clone()),
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(ApiError::new("TooManyTags", "The quota for the number of tags has been reached"));
    }
    state.tags.insert(arn.to_owned(), tags);
    Ok(())
}

/// Refuses what no resource can be tagged with; creating calls ask before they create.
pub(super) fn check(tags: &[Tag]) -> Result<(), ApiError> {
    for (index, tag) in tags.iter().enumerate() {
        if tags[..index].iter().any(|earlier| earlier.key == tag.key) {
            let text = format!("Tag key was specified more than once: {}", tag.key);
            return Err(ApiError::new("DuplicateTagKeys", text));
        }
        if !(1..=128).contains(&tag.key.chars().count()) || tag.value.chars().count() > 256 {
            return Err(invalid(format!(
                "Tag '{}' must have a key of 1 to 128 and a value of up to 256 characters",
                tag.key
            )));
        }
        if tag.key.starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
        }
    }
    Ok(())
}

fn check_exists(state: &State, arn: &str) -> Result<(), ApiError> {
    // The resource's type is the first part of the ARN's last field.
    match arn.splitn(6, ':').nth(5).and_then(|path| path.split('/').next()) {
        Some("loadbalancer") => state.load_balancer(arn).map(drop),
        Some("targetgroup") => state.target_group(arn).map(drop),
        Some("listener") => state.listener(arn).map(drop),
        Some("listener-rule") => state.rule(arn).map(drop),
        _ => Err(invalid(format!("'{arn}' is not a valid resource ARN"))),
    }
}

/// All resources that have tags.
pub(crate) fn tagged(account: &Account) -> Vec<Tagged> {
    let pairs = |tags: &[Tag]| tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    account.elb.tags.iter().map(|(arn, tags)| (arn.clone(), pairs(tags))).collect()
}
