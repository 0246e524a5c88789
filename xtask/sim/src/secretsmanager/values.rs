//! GetSecretValue, PutSecretValue and UpdateSecret, and what a task's start reads.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::content::{Content, Given};
use super::store::State;
use super::store::{CURRENT, INVALID, Stored, Version, no_secret, not_found};
use crate::base::{Base, Millis};
use crate::secret::Secret;
use crate::wire::{ApiError, ApiRequest, Outcome, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    secret_id: String,
    #[serde(flatten)]
    given: Given,
    version_stages: Option<BTreeSet<String>>,
    description: Option<String>,
}

pub(super) fn put(
    base: &mut Base,
    secrets_manager: &mut State,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let Put { secret_id, given, version_stages, .. } = params(request)?;
    let text = "You must provide either SecretString or SecretBinary.";
    let content = given.content()?.ok_or_else(|| ApiError::new(INVALID, text))?;
    let id = given.version_id(base)?;
    let stages = version_stages.unwrap_or_else(|| BTreeSet::from([CURRENT.to_owned()]));
    let secret = secrets_manager.find_mut(&secret_id)?;
    living(secret)?;
    add(secret, now, &id, content, &stages)?;
    let stages = secret.versions.iter().find(|version| version.id == id).map(|version| &version.stages);
    Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": id, "VersionStages": stages }))
}

/// UpdateSecret: the description, and a new current version where content is given.
pub(super) fn update(
    base: &mut Base,
    secrets_manager: &mut State,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let Put { secret_id, given, description, .. } = params(request)?;
    let content = given.content()?;
    let id = given.version_id(base)?;
    let secret = secrets_manager.find_mut(&secret_id)?;
    living(secret)?;
    secret.description = description.or_else(|| secret.description.take());
    let made = content.is_some();
    if let Some(content) = content {
        add(secret, now, &id, content, &BTreeSet::from([CURRENT.to_owned()]))?;
    }
    Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": made.then_some(id) }))
}

/// Adds a version. The same call again changes nothing.
fn add(
    secret: &mut Stored,
    now: Millis,
    id: &str,
    content: Content,
    stages: &BTreeSet<String>,
) -> Result<(), ApiError> {
    match secret.versions.iter().find(|version| version.id == id) {
        Some(there) if there.content == content => Ok(()),
        Some(_) => {
            let text = format!(
                "You can't use ClientRequestToken {id} because that value is already in use for a version of secret {}.",
                secret.arn
            );
            Err(ApiError::new("ResourceExistsException", text))
        }
        None => {
            let version = Version { id: id.to_owned(), content, created: now, stages: BTreeSet::new() };
            secret.stage(version, stages);
            Ok(())
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

pub(super) fn get(secrets_manager: &State, request: &ApiRequest) -> Outcome {
    let asked: Get = params(request)?;
    let (secret, version) =
        find(secrets_manager, &asked.secret_id, asked.version_stage.as_deref(), asked.version_id.as_deref())?;
    let (member, content) = match &version.content {
        Content::Text(text) => ("SecretString", text),
        Content::Binary(bytes) => ("SecretBinary", bytes),
    };
    Ok(json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "VersionStages": version.stages,
        "CreatedDate": version.created.epoch_secs(),
        member: content.reveal(),
    }))
}

/// What a version of the secret with this ARN holds, for a task that starts; the version labelled `AWSCURRENT` when
/// neither a label nor an id is given. `None` within when it holds bytes, which no environment variable takes.
///
/// # Errors
/// What Secrets Manager says when there is no such secret or version.
pub(crate) fn read(
    secrets_manager: &State,
    arn: &str,
    stage: Option<&str>,
    version: Option<&str>,
) -> Result<Option<Secret>, ApiError> {
    let (_, version) = find(secrets_manager, arn, stage, version)?;
    Ok(match &version.content {
        Content::Text(text) => Some(text.clone()),
        Content::Binary(_) => None,
    })
}

fn find<'a>(
    secrets_manager: &'a State,
    id: &str,
    stage: Option<&str>,
    version: Option<&str>,
) -> Result<(&'a Stored, &'a Version), ApiError> {
    let secret = secrets_manager.find(id).ok_or_else(no_secret)?;
    living(secret)?;
    let missing =
        |what: String| not_found(format!("Secrets Manager can't find the specified secret value for {what}"));
    let Some(version) = version else {
        let stage = stage.unwrap_or(CURRENT);
        let found = secret.versions.iter().find(|version| version.stages.contains(stage));
        return Ok((secret, found.ok_or_else(|| missing(format!("staging label: {stage}")))?));
    };
    let found = secret.versions.iter().find(|there| there.id == version);
    let found = found.ok_or_else(|| missing(format!("VersionId: {version}")))?;
    if stage.is_some_and(|stage| !found.stages.contains(stage)) {
        let text = "You provided a VersionStage that is not associated to the provided VersionId.";
        return Err(ApiError::new("InvalidRequestException", text));
    }
    Ok((secret, found))
}

fn living(secret: &Stored) -> Result<(), ApiError> {
    match secret.deleted {
        None => Ok(()),
        Some(_) => Err(ApiError::new(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )),
    }
}
