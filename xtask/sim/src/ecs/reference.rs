//! ARNs of this account's ECS resources: made, and looked up.

use super::errors::{client, invalid};
use super::key::ServiceKey;
use super::state::State;
use crate::base::Base;
use crate::wire::ApiError;

pub(super) fn cluster_arn(base: &Base, cluster: &str) -> String {
    base.arn("ecs", &format!("cluster/{cluster}"))
}

pub(super) fn service_arn(base: &Base, key: &ServiceKey) -> String {
    base.arn("ecs", &format!("service/{}/{}", key.cluster, key.service))
}

/// The ARN, where the resource exists.
pub(super) fn taggable(base: &Base, ecs: &State, arn: &str) -> Result<String, ApiError> {
    let resource = arn
        .strip_prefix(&base.arn("ecs", ""))
        .ok_or_else(|| invalid(format!("Invalid identifier: Unexpected format of {arn}.")))?;
    let parts: Vec<&str> = resource.split('/').collect();
    let exists = match parts.as_slice() {
        ["cluster", name] => ecs.clusters.contains_key(*name),
        ["service", cluster, service] => ecs.services.contains_key(&ServiceKey::new(cluster, service)),
        ["task", _, id] => ecs.tasks.contains_key(*id),
        ["task-definition", qualified] => ecs.families.find(qualified).is_some(),
        _ => false,
    };
    if exists { Ok(arn.to_owned()) } else { Err(client("The specified resource does not exist.")) }
}
