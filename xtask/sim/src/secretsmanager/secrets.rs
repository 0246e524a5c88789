//! CreateSecret and DeleteSecret.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::content::Given;
use super::store::State;
use super::store::{CURRENT, INVALID, Stored, Version};
use crate::base::{Base, Millis, Tag, tags};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(flatten)]
    given: Given,
}

pub(super) fn create(
    base: &mut Base,
    secrets_manager: &mut State,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let Create { name, description, tags, given } = params(request)?;
    tags::check(Api::SecretsManager, &tags)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if !(1..=512).contains(&name.len()) || !name.chars().all(fits) {
        let text = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: \
                    -/_+=.@!";
        return Err(ApiError::new("ValidationException", text));
    }
    let content = given.content()?;
    if let Some(there) = secrets_manager.secrets.get(&name) {
        return Err(match there.deleted {
            Some(_) => ApiError::new(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ),
            None => ApiError::new(
                "ResourceExistsException",
                format!("The operation failed because the secret {name} already exists."),
            ),
        });
    }
    let version = given.version_id(base)?;
    let suffix = suffix(base);
    let arn = base.arn("secretsmanager", &format!("secret:{name}-{suffix}"));
    let mut secret = Stored {
        name: name.clone(),
        arn: arn.clone(),
        description,
        created: now,
        deleted: None,
        versions: Vec::new(),
    };
    base.tags.put(&arn, tags);
    let reply = json!({ "ARN": arn, "Name": name, "VersionId": content.as_ref().map(|_| &version) });
    if let Some(content) = content {
        let version = Version { id: version, content, created: now, stages: BTreeSet::new() };
        secret.stage(version, &BTreeSet::from([CURRENT.to_owned()]));
    }
    secrets_manager.secrets.insert(name, secret);
    Ok(reply)
}

/// The six characters that Secrets Manager puts behind a name, so that a secret that is created again has another ARN.
fn suffix(base: &mut Base) -> String {
    base.ids.token(32).chars().filter(char::is_ascii_alphanumeric).take(6).collect()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    secret_id: String,
    recovery_window_in_days: Option<u64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

const DAY_SECS: u64 = 24 * 60 * 60;

pub(super) fn delete(
    base: &mut Base,
    secrets_manager: &mut State,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let asked: Delete = params(request)?;
    let force = asked.force_delete_without_recovery;
    if force && asked.recovery_window_in_days.is_some() {
        let text = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.";
        return Err(ApiError::new(INVALID, text));
    }
    let days = asked.recovery_window_in_days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        let text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
        return Err(ApiError::new(INVALID, text));
    }
    let secret = secrets_manager.find_mut(&asked.secret_id)?;
    let at = if force { now } else { now.plus_secs(days * DAY_SECS) };
    let (arn, name) = (secret.arn.clone(), secret.name.clone());
    if secret.deleted.is_some() && !force {
        return Err(ApiError::new(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was already scheduled for deletion.",
        ));
    }
    secret.deleted = Some(at);
    secrets_manager.forget_deleted(now);
    secrets_manager.timers.push(base.moment(at), ());
    Ok(json!({ "ARN": arn, "Name": name, "DeletionDate": at.epoch_secs() }))
}
