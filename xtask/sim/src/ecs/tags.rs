//! Tags of clusters, services, task definitions and tasks, by ARN, and the three tag operations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{client, invalid};
use super::params::decode;
use super::reference;
use crate::account::Account;
use crate::tagging::Tagged;
use crate::wire::{ApiError, ApiRequest, Outcome};

/// One tag. The value may be left out, which is the empty value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// All tags of the account's ECS resources.
#[derive(Debug, Default)]
pub(super) struct Tags(BTreeMap<String, BTreeMap<String, String>>);

/// A resource's most tags (ECS quota).
const MOST_TAGS: usize = 50;

impl Tags {
    /// The resource's tags in the order of their keys.
    pub(super) fn of(&self, arn: &str) -> Vec<Tag> {
        let tags = self.0.get(arn).into_iter().flatten();
        tags.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
    }

    /// The resource's tags as a reply has them.
    pub(super) fn value(&self, arn: &str) -> Value {
        json!(self.of(arn))
    }

    /// Adds or overwrites tags.
    pub(super) fn put(&mut self, arn: &str, tags: &[Tag]) {
        if tags.is_empty() {
            return;
        }
        let stored = self.0.entry(arn.to_owned()).or_default();
        stored.extend(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
    }

    /// Forgets the resource.
    pub(super) fn forget(&mut self, arn: &str) {
        self.0.remove(arn);
    }
}

/// All resources that have tags.
pub(crate) fn tagged(account: &Account) -> Vec<Tagged> {
    account.ecs.tags.0.iter().map(|(arn, tags)| (arn.clone(), tags.clone())).collect()
}

/// AWS's limits: at most 50 tags, keys of 1 to 128 and values of at most 256 characters out of letters,
/// digits, spaces and `+-=._:/@`, no key that begins with `aws:`, no key twice.
pub(super) fn check(tags: &[Tag]) -> Result<(), ApiError> {
    if tags.len() > MOST_TAGS {
        return Err(invalid("Tags can not be more than 50."));
    }
    // `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: letters are no combining marks, of which these are the common ones.
    let mark = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{20d0}'..='\u{20ff}');
    let fits = |c: char| c.is_alphanumeric() && !mark(c) || " +-=._:/@".contains(c);
    let allowed = |text: &str| text.chars().all(fits);
    for (index, tag) in tags.iter().enumerate() {
        let length = tag.key.chars().count();
        if !(1..=128).contains(&length) || tag.value.chars().count() > 256 {
            return Err(invalid("Tag key or value has an invalid length."));
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that start with aws: are reserved for system use."));
        }
        if !allowed(&tag.key) || !allowed(&tag.value) {
            return Err(invalid(
                "Some tags contain invalid characters. Valid characters: UTF-8 letters, spaces, numbers and _ . / = + - : @",
            ));
        }
        if tags[..index].iter().any(|other| other.key == tag.key) {
            return Err(invalid("Duplicate keys found in tags."));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TagResource {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn tag_resource(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: TagResource = decode(request)?;
    check(&asked.tags)?;
    known(account, &asked.resource_arn)?;
    let mut after: Vec<Tag> = account.ecs.tags.of(&asked.resource_arn);
    after.retain(|tag| asked.tags.iter().all(|new| new.key != tag.key));
    if after.len() + asked.tags.len() > MOST_TAGS {
        return Err(invalid("Tags can not be more than 50."));
    }
    account.ecs.tags.put(&asked.resource_arn, &asked.tags);
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UntagResource {
    resource_arn: String,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: UntagResource = decode(request)?;
    known(account, &asked.resource_arn)?;
    if let Some(tags) = account.ecs.tags.0.get_mut(&asked.resource_arn) {
        tags.retain(|key, _| !asked.tag_keys.contains(key));
    }
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListTags {
    resource_arn: String,
}

pub(super) fn list_tags(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: ListTags = decode(request)?;
    known(account, &asked.resource_arn)?;
    Ok(json!({ "tags": account.ecs.tags.value(&asked.resource_arn) }))
}

/// Only what exists can carry tags.
fn known(account: &Account, arn: &str) -> Result<(), ApiError> {
    if reference::exists(account, arn)? {
        return Ok(());
    }
    Err(client("The specified resource does not exist."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn tag_limits_are_those_of_the_fact_sheet_section_12() {
        assert!(check(&[tag("deploy:commit", "4f2a9c1 + dirty=yes @main/x_-.")]).is_ok());
        for bad in [
            tag("", "x"),
            tag("aws:owner", "x"),
            tag("a!", "x"),
            tag("a", &"v".repeat(257)),
            tag(&"k".repeat(129), ""),
        ] {
            assert_eq!(check(&[bad]).unwrap_err().code, "InvalidParameterException");
        }
        assert!(check(&[tag("a", "1"), tag("a", "2")]).is_err());
        let many: Vec<Tag> = (0..51).map(|n| tag(&n.to_string(), "")).collect();
        assert!(check(&many).is_err());
    }
}
