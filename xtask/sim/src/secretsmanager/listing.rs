//! ListSecrets, DescribeSecret, ListSecretVersionIds and RestoreSecret. None of them shows a value.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::store::{INVALID, State, Stored, no_secret};
use crate::base::{Base, Millis, tags};
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params, text};

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct List {
    include_planned_deletion: bool,
    filters: Vec<Filter>,
    sort_order: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    values: Vec<String>,
}

impl Filter {
    /// A value is the beginning of what it is compared with; with `!` before it, of what it is not.
    fn admits(&self, base: &Base, secret: &Stored) -> Result<bool, ApiError> {
        let tags = base.tags.of(&secret.arn);
        let facts: Vec<&str> = match self.key.as_str() {
            "name" => vec![&secret.name],
            "description" => vec![secret.description.as_deref().unwrap_or_default()],
            "tag-key" => tags.iter().map(|tag| tag.key.as_str()).collect(),
            "tag-value" => tags.iter().map(|tag| tag.value.as_str()).collect(),
            "all" => {
                let own = [secret.name.as_str(), secret.description.as_deref().unwrap_or_default()];
                own.into_iter()
                    .chain(tags.iter().flat_map(|tag| [tag.key.as_str(), tag.value.as_str()]))
                    .collect()
            }
            "primary-region" | "owning-service" => Vec::new(),
            other => {
                let text = format!("'{other}' is no key of a filter.");
                return Err(ApiError::new(INVALID, text));
            }
        };
        Ok(self.values.iter().any(|value| match value.strip_prefix('!') {
            Some(unwanted) => !facts.iter().any(|fact| fact.starts_with(unwanted)),
            None => facts.iter().any(|fact| fact.starts_with(value.as_str())),
        }))
    }
}

pub(super) fn list(base: &Base, secrets_manager: &State, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let mut found = Vec::new();
    for secret in secrets_manager.secrets.values() {
        let mut admitted = asked.include_planned_deletion || secret.deleted.is_none();
        for filter in &asked.filters {
            admitted &= filter.admits(base, secret)?;
        }
        if admitted {
            found.push(secret);
        }
    }
    // By creation, the newest first, unless `asc` is asked for.
    found.sort_by_key(|secret| secret.created);
    if asked.sort_order.as_deref() != Some("asc") {
        found.reverse();
    }
    listing(request, "SecretList", (100, 100), found, |secret| {
        let mut shown = view(base, secret);
        shown["SecretVersionsToStages"] = stages(secret);
        shown
    })
}

pub(super) fn describe(base: &Base, secrets_manager: &State, request: &ApiRequest) -> Outcome {
    let secret = named(secrets_manager, request)?;
    let mut shown = view(base, secret);
    shown["VersionIdsToStages"] = stages(secret);
    Ok(shown)
}

fn named<'a>(secrets_manager: &'a State, request: &ApiRequest) -> Result<&'a Stored, ApiError> {
    secrets_manager.find(&text(request, "SecretId")?).ok_or_else(no_secret)
}

/// The ARN, where the secret exists.
pub(super) fn taggable(own: &State, id: &str) -> Result<String, ApiError> {
    own.find(id).map(|secret| secret.arn.clone()).ok_or_else(no_secret)
}

fn view(base: &Base, secret: &Stored) -> Value {
    let tags: Vec<Value> = base.tags.of(&secret.arn).iter().map(tags::pascal).collect();
    let changed = secret.versions.iter().map(|version| version.created).max().unwrap_or(secret.created);
    json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "Description": secret.description,
        "LastChangedDate": changed.epoch_secs(),
        "DeletedDate": secret.deleted.map(Millis::epoch_secs),
        "Tags": tags,
        "CreatedDate": secret.created.epoch_secs(),
    })
}

fn stages(secret: &Stored) -> Value {
    let labelled = secret.versions.iter().filter(|version| !version.stages.is_empty());
    json!(labelled.map(|version| (&version.id, &version.stages)).collect::<BTreeMap<_, _>>())
}

pub(super) fn versions(secrets_manager: &State, request: &ApiRequest) -> Outcome {
    let secret = named(secrets_manager, request)?;
    let all = request.params["IncludeDeprecated"] == true;
    let found = secret.versions.iter().filter(|version| all || !version.stages.is_empty()).collect();
    let mut reply = listing(
        request,
        "Versions",
        (100, 100),
        found,
        |version| json!({ "VersionId": version.id, "VersionStages": version.stages, "CreatedDate": version.created.epoch_secs() }),
    )?;
    (reply["ARN"], reply["Name"]) = (json!(secret.arn), json!(secret.name));
    Ok(reply)
}

/// Takes back a deletion that is still to come.
pub(super) fn restore(secrets_manager: &mut State, request: &ApiRequest) -> Outcome {
    let secret = secrets_manager.find_mut(&text(request, "SecretId")?)?;
    secret.deleted = None;
    Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
}
