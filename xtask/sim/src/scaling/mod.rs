//! Application Auto Scaling: scalable targets, policies and scheduled actions of ECS services. No metric is measured, so
//! that no alarm ever fires; what moves the desired count is bounds that exclude it, registered or scheduled.

mod dimension;
mod policies;
mod schedule;
mod scheduled;
mod targets;
mod zone;

use std::collections::BTreeMap;

use self::policies::Policy;
use self::scheduled::Scheduled;
pub(crate) use self::scheduled::{Due, due};
use self::targets::{Activity, Target};
use crate::account::{Account, Millis};
use crate::tagging;
use crate::wire::{ApiError, ApiRequest, Outcome};

/// All scaling state of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By resource id.
    targets: BTreeMap<String, Target>,
    /// By resource id and policy name.
    policies: BTreeMap<(String, String), Policy>,
    /// By resource id and action name.
    scheduled: BTreeMap<(String, String), Scheduled>,
    /// Versions of scheduled actions so far.
    epochs: u64,
    /// Oldest first.
    activities: Vec<Activity>,
}

/// The code of every refusal of a parameter.
const INVALID: &str = "ValidationException";

/// Answers an Application Auto Scaling call.
pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    match request.operation.as_str() {
        "DeleteScalingPolicy" => policies::delete(account, request),
        "DeleteScheduledAction" => scheduled::delete(account, request),
        "DescribeScheduledActions" => scheduled::describe(account, request),
        "PutScheduledAction" => scheduled::put(account, now, request),
        "DeregisterScalableTarget" => targets::deregister(account, request),
        "DescribeScalableTargets" => targets::describe(account, request),
        "DescribeScalingActivities" => targets::describe_activities(account, request),
        "DescribeScalingPolicies" => policies::describe(account, request),
        "ListTagsForResource" => tagging::list(account, request, targets::taggable),
        "PutScalingPolicy" => policies::put(account, now, request),
        "RegisterScalableTarget" => targets::register(account, now, request),
        "TagResource" => tagging::tag(account, request, targets::taggable),
        "UntagResource" => tagging::untag(account, request, targets::taggable),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

#[cfg(test)]
mod tests;
