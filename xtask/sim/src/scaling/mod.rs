//! Application Auto Scaling: scalable targets and policies of ECS services. No metric is measured, so that no alarm ever
//! fires; what moves the desired count is registering a target whose bounds exclude it.

mod dimension;
mod policies;
mod tags;
mod targets;

use std::collections::BTreeMap;

use self::policies::Policy;
pub(crate) use self::tags::tagged;
use self::targets::{Activity, Target};
use crate::account::{Account, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome};

/// All scaling state of the account.
#[derive(Debug, Default)]
pub struct State {
    /// By resource id.
    targets: BTreeMap<String, Target>,
    /// By resource id and policy name.
    policies: BTreeMap<(String, String), Policy>,
    /// Oldest first.
    activities: Vec<Activity>,
}

/// The code of every refusal of a parameter.
const INVALID: &str = "ValidationException";

/// Answers an Application Auto Scaling call.
pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    match request.operation.as_str() {
        "DeleteScalingPolicy" => policies::delete(account, request),
        "DeregisterScalableTarget" => targets::deregister(account, request),
        "DescribeScalableTargets" => targets::describe(account, request),
        "DescribeScalingActivities" => targets::describe_activities(account, request),
        "DescribeScalingPolicies" => policies::describe(account, request),
        "ListTagsForResource" => tags::list(account, request),
        "PutScalingPolicy" => policies::put(account, now, request),
        "RegisterScalableTarget" => targets::register(account, now, request),
        "TagResource" => tags::tag(account, request),
        "UntagResource" => tags::untag(account, request),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

#[cfg(test)]
mod tests;
