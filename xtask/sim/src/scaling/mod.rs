//! Application Auto Scaling: scalable targets, policies and scheduled actions of ECS services. What moves
//! the desired count are policies whose alarms ring, and bounds that exclude it, registered or scheduled.

mod dimension;
mod policies;
mod region;
mod schedule;
mod scheduled;
mod state;
mod step;
mod targets;
mod tracking;
mod zone;

pub(crate) use self::region::Region;
pub(crate) use self::scheduled::due;
pub(crate) use self::state::State;
pub(crate) use self::tracking::alarms_ring;
use crate::base::Millis;
use crate::tagging;
use crate::wire::{ApiRequest, Operations, Outcome};

pub(crate) const OPERATIONS: Operations<fn(&mut Region<'_>, Millis, &ApiRequest) -> Outcome> = &[
    ("DeleteScalingPolicy", |region, _, request| {
        policies::delete(region.scaling, region.cloudwatch, request)
    }),
    ("DeleteScheduledAction", |region, _, request| scheduled::delete(region.scaling, request)),
    ("DescribeScheduledActions", |region, _, request| scheduled::describe(region.scaling, request)),
    ("PutScheduledAction", |region, now, request| scheduled::put(region.base, region.scaling, now, request)),
    ("DeregisterScalableTarget", |region, _, request| targets::deregister(region, request)),
    ("DescribeScalableTargets", |region, _, request| targets::describe(region.base, region.scaling, request)),
    ("DescribeScalingActivities", |region, _, request| {
        targets::describe_activities(region.scaling, region.ecs, request)
    }),
    ("DescribeScalingPolicies", |region, _, request| policies::describe(region, request)),
    ("ListTagsForResource", |region, _, request| {
        tagging::list(region.base, request, &|_, arn| targets::taggable(region.scaling, arn))
    }),
    ("PutScalingPolicy", policies::put),
    ("RegisterScalableTarget", targets::register),
    ("TagResource", |region, _, request| {
        tagging::tag(region.base, request, &|_, arn| targets::taggable(region.scaling, arn))
    }),
    ("UntagResource", |region, _, request| {
        tagging::untag(region.base, request, &|_, arn| targets::taggable(region.scaling, arn))
    }),
];

#[cfg(test)]
mod tests;
