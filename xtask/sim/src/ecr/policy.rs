//! The policy of a repository, kept as it was given: every caller of this cloud may do everything.

use serde_json::{Value, json};

use super::error::{INVALID, invalid};
use super::repositories::{named, named_mut};
use super::store::Repository;
use super::store::State;
use crate::base::Base;
use crate::wire::{ApiError, ApiRequest, Outcome, text};

pub(super) fn set(base: &Base, ecr: &mut State, request: &ApiRequest) -> Outcome {
    let policy = text(request, "policyText")?;
    if policy.len() > 10_240 {
        return Err(invalid("policyText", "Member must have length less than or equal to 10240"));
    }
    if !serde_json::from_str::<Value>(&policy).is_ok_and(|policy| policy["Statement"].is_array()) {
        let text = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'";
        return Err(ApiError::new(INVALID, text));
    }
    let registry = base.settings.account.clone();
    let repository = named_mut(base, ecr, request)?;
    repository.policy = Some(policy);
    view(repository, &registry)
}

pub(super) fn get(base: &Base, ecr: &State, request: &ApiRequest) -> Outcome {
    view(named(base, ecr, request)?, &base.settings.account)
}

pub(super) fn delete(base: &Base, ecr: &mut State, request: &ApiRequest) -> Outcome {
    let registry = base.settings.account.clone();
    let repository = named_mut(base, ecr, request)?;
    let reply = view(repository, &registry)?;
    repository.policy = None;
    Ok(reply)
}

fn view(repository: &Repository, registry: &str) -> Outcome {
    let name = &repository.name;
    let Some(policy) = &repository.policy else {
        let text = format!(
            "Repository policy does not exist for the repository with name '{name}' in the registry with id '{registry}'"
        );
        return Err(ApiError::new("RepositoryPolicyNotFoundException", text));
    };
    Ok(json!({ "registryId": registry, "repositoryName": name, "policyText": policy }))
}
