//! AddTagsToResource, RemoveTagsFromResource and ListTagsForResource, which name a parameter by its name.

use serde::Deserialize;
use serde_json::{Value, json};

use super::name::named;
use crate::account::{Account, Millis};
use crate::tagging::{self, Tag};
use crate::wire::{ApiError, ApiRequest, Outcome, params};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    resource_type: String,
    resource_id: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

/// What is asked, and the parameter's ARN.
fn asked(account: &Account, request: &ApiRequest) -> Result<(Asked, String), ApiError> {
    let asked: Asked = params(request)?;
    if asked.resource_type != "Parameter" {
        return Err(ApiError::new(
            "InvalidResourceType",
            "The embedded cloud has the resource type Parameter only.",
        ));
    }
    let known = named(account, &asked.resource_id).filter(|it| account.ssm.parameters.contains_key(&it.name));
    let known = known.ok_or_else(|| ApiError::new("InvalidResourceId", ""))?;
    let arn = account.arn("ssm", &format!("parameter/{}", known.name.trim_start_matches('/')));
    Ok((asked, arn))
}

pub(super) fn add(account: &mut Account, _: Millis, request: &ApiRequest) -> Outcome {
    let (asked, arn) = asked(account, request)?;
    tagging::check(request.api, &asked.tags)?;
    account.tags.put(&arn, asked.tags);
    Ok(json!({}))
}

pub(super) fn remove(account: &mut Account, _: Millis, request: &ApiRequest) -> Outcome {
    let (asked, arn) = asked(account, request)?;
    let kept = account.tags.of(&arn).into_iter().filter(|tag| !asked.tag_keys.contains(&tag.key)).collect();
    account.tags.forget(&arn);
    account.tags.put(&arn, kept);
    Ok(json!({}))
}

pub(super) fn list(account: &Account, request: &ApiRequest) -> Outcome {
    let (_, arn) = asked(account, request)?;
    let tags: Vec<Value> = account.tags.of(&arn).iter().map(tagging::pascal).collect();
    Ok(json!({ "TagList": tags }))
}
