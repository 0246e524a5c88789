//! AddTagsToResource, RemoveTagsFromResource and ListTagsForResource, which name a parameter by its name.

use serde::Deserialize;
use serde_json::{Value, json};

use super::name::named;
use super::store::State;
use crate::base::{Base, Tag, tags};
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
fn asked(base: &Base, ssm: &State, request: &ApiRequest) -> Result<(Asked, String), ApiError> {
    let asked: Asked = params(request)?;
    if asked.resource_type != "Parameter" {
        return Err(ApiError::new(
            "InvalidResourceType",
            "The embedded cloud has the resource type Parameter only.",
        ));
    }
    let known = named(base, &asked.resource_id).filter(|it| ssm.parameters.contains_key(&it.name));
    let known = known.ok_or_else(|| ApiError::new("InvalidResourceId", ""))?;
    let arn = base.arn("ssm", &format!("parameter/{}", known.name.trim_start_matches('/')));
    Ok((asked, arn))
}

pub(super) fn add(base: &mut Base, ssm: &State, request: &ApiRequest) -> Outcome {
    let (asked, arn) = asked(base, ssm, request)?;
    tags::check(request.api, &asked.tags)?;
    base.tags.put(&arn, asked.tags);
    Ok(json!({}))
}

pub(super) fn remove(base: &mut Base, ssm: &State, request: &ApiRequest) -> Outcome {
    let (asked, arn) = asked(base, ssm, request)?;
    let kept = base.tags.of(&arn).into_iter().filter(|tag| !asked.tag_keys.contains(&tag.key)).collect();
    base.tags.forget(&arn);
    base.tags.put(&arn, kept);
    Ok(json!({}))
}

pub(super) fn list(base: &Base, ssm: &State, request: &ApiRequest) -> Outcome {
    let (_, arn) = asked(base, ssm, request)?;
    let tags: Vec<Value> = base.tags.of(&arn).iter().map(tags::pascal).collect();
    Ok(json!({ "TagList": tags }))
}
