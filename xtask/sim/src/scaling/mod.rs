//! Application Auto Scaling: scalable targets, policies and scheduled actions of ECS services. What moves
//! the desired count are policies whose alarms ring, and bounds that exclude it, registered or scheduled.

mod dimension;
mod policies;
mod schedule;
mod scheduled;
mod step;
mod targets;
mod tracking;
mod zone;

use std::collections::BTreeMap;

use self::policies::Policy;
use self::scheduled::Scheduled;
pub(crate) use self::scheduled::{Due, due};
use self::targets::{Activity, Target};
pub(crate) use self::tracking::alarms_ring;
use crate::account::Operations;
use crate::tagging;

/// All scaling state of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
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

pub(crate) const OPERATIONS: Operations = &[
    ("DeleteScalingPolicy", |account, _, request| policies::delete(account, request)),
    ("DeleteScheduledAction", |account, _, request| scheduled::delete(account, request)),
    ("DescribeScheduledActions", |account, _, request| scheduled::describe(account, request)),
    ("PutScheduledAction", scheduled::put),
    ("DeregisterScalableTarget", |account, _, request| targets::deregister(account, request)),
    ("DescribeScalableTargets", |account, _, request| targets::describe(account, request)),
    ("DescribeScalingActivities", |account, _, request| targets::describe_activities(account, request)),
    ("DescribeScalingPolicies", |account, _, request| policies::describe(account, request)),
    ("ListTagsForResource", |account, _, request| tagging::list(account, request, targets::taggable)),
    ("PutScalingPolicy", policies::put),
    ("RegisterScalableTarget", targets::register),
    ("TagResource", |account, _, request| tagging::tag(account, request, targets::taggable)),
    ("UntagResource", |account, _, request| tagging::untag(account, request, targets::taggable)),
];

#[cfg(test)]
mod tests;
