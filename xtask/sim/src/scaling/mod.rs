//! Application Auto Scaling: scalable targets, policies and scheduled actions of ECS services. What moves
//! the desired count are policies whose alarms ring, and bounds that exclude it, registered or scheduled.

mod dimension;
mod policies;
mod schedule;
mod scheduled;
mod state;
mod step;
mod targets;
mod tracking;
mod zone;

pub(crate) use self::scheduled::due;
pub(crate) use self::state::State;
pub(crate) use self::tracking::alarms_ring;
use crate::base::Base;
use crate::clock::Millis;
use crate::wire::{ApiRequest, Operations, Outcome};
use crate::{cloudwatch, ecs, elb, tagging};

/// What scaling works with.
pub(crate) struct Region<'a> {
    pub(crate) base: &'a mut Base,
    pub(crate) scaling: &'a mut State,
    pub(crate) ecs: &'a mut ecs::State,
    pub(crate) elb: &'a elb::State,
    pub(crate) cloudwatch: &'a mut cloudwatch::State,
}

pub(crate) const OPERATIONS: Operations<fn(&mut Region<'_>, Millis, &ApiRequest) -> Outcome> = &[
    ("DeleteScalingPolicy", |region, _, request| {
        policies::delete(region.scaling, region.cloudwatch, request)
    }),
    ("DeleteScheduledAction", |region, _, request| scheduled::delete(region.scaling, request)),
    ("DescribeScheduledActions", |region, _, request| scheduled::describe(region.scaling, request)),
    ("PutScheduledAction", |region, now, request| scheduled::put(region.base, region.scaling, now, request)),
    ("DeregisterScalableTarget", |region, _, request| {
        targets::deregister(region.base, region.scaling, region.cloudwatch, request)
    }),
    ("DescribeScalableTargets", |region, _, request| targets::describe(region.base, region.scaling, request)),
    ("DescribeScalingActivities", |region, _, request| {
        targets::describe_activities(region.scaling, region.ecs, request)
    }),
    ("DescribeScalingPolicies", |region, _, request| {
        policies::describe(region.base, region.scaling, region.cloudwatch, request)
    }),
    ("ListTagsForResource", |region, _, request| {
        tagging::list(region.base, request, &|base, arn| targets::taggable(base, region.scaling, arn))
    }),
    ("PutScalingPolicy", |region, now, request| {
        policies::put(region.base, region.scaling, region.elb, region.cloudwatch, now, request)
    }),
    ("RegisterScalableTarget", |region, now, request| {
        targets::register(region.base, region.scaling, region.ecs, now, request)
    }),
    ("TagResource", |region, _, request| {
        tagging::tag(region.base, request, &|base, arn| targets::taggable(base, region.scaling, arn))
    }),
    ("UntagResource", |region, _, request| {
        tagging::untag(region.base, request, &|base, arn| targets::taggable(base, region.scaling, arn))
    }),
];

#[cfg(test)]
mod tests;
