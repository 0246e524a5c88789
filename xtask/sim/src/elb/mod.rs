//! Elastic Load Balancing: load balancers, target groups, listeners, rules and the health of targets.
//!
//! Holds no connection and sends no request: [`route`] says where a request may go, and the health checks are asked of
//! the workload.

mod action;
mod associations;
mod attributes;
mod condition;
mod error;
mod health_check;
mod limits;
mod listener;
mod load_balancer;
mod measure;
mod names;
mod routing;
mod rule;
mod state;
mod target_group;
mod target_health;
mod targets;

pub(crate) use associations::{has_load_balancer, is_request_count_label};
pub(crate) use load_balancer::fail;
pub(crate) use measure::measure;
pub(crate) use routing::{Request, Served, listeners, route, route_of};
pub use routing::{Route, RouteTarget};
pub(crate) use state::State;
pub(crate) use target_group::TargetGroup;
pub(crate) use target_health::{Target, TargetState, answered, deregister, due, health, register};

use crate::base::{Base, Millis};
use crate::identity;
use crate::tagging;
use crate::wire::{ApiRequest, Operations, Outcome};

type Operation = fn(&mut Base, &mut State, &identity::State, Millis, &ApiRequest) -> Outcome;

pub(crate) const OPERATIONS: Operations<Operation> = &[
    ("AddListenerCertificates", |_, elb, _, _, request| listener::add_certificates(elb, request)),
    ("AddTags", |base, elb, _, _, request| tagging::tag(base, request, &|_, arn| elb.taggable(arn))),
    ("CreateListener", |base, elb, _, now, request| listener::create(base, elb, now, request)),
    ("CreateLoadBalancer", load_balancer::create),
    ("CreateRule", |base, elb, _, now, request| rule::create(base, elb, now, request)),
    ("CreateTargetGroup", |base, elb, identity, _, request| {
        target_group::create(base, elb, identity, request)
    }),
    ("DeleteListener", |base, elb, _, now, request| listener::delete(base, elb, now, request)),
    ("DeleteLoadBalancer", |base, elb, _, now, request| load_balancer::delete(base, elb, now, request)),
    ("DeleteRule", |base, elb, _, now, request| rule::delete(base, elb, now, request)),
    ("DeleteTargetGroup", |base, elb, _, _, request| target_group::delete(base, elb, request)),
    ("DeregisterTargets", |base, elb, _, now, request| targets::deregister(base, elb, now, request)),
    ("DescribeListenerCertificates", |_, elb, _, _, request| listener::describe_certificates(elb, request)),
    ("DescribeAccountLimits", |_, _, _, _, request| limits::describe(request)),
    ("DescribeSSLPolicies", |_, _, _, _, request| limits::describe_policies(request)),
    ("DescribeListenerAttributes", |_, elb, _, _, request| attributes::describe_listener(elb, request)),
    ("DescribeListeners", |_, elb, _, _, request| listener::describe_all(elb, request)),
    ("DescribeLoadBalancerAttributes", |_, elb, _, _, request| {
        attributes::describe_load_balancer(elb, request)
    }),
    ("DescribeLoadBalancers", |_, elb, _, _, request| load_balancer::describe_all(elb, request)),
    ("DescribeRules", |_, elb, _, _, request| rule::describe_all(elb, request)),
    ("DescribeTags", |base, elb, _, _, request| tagging::list(base, request, &|_, arn| elb.taggable(arn))),
    ("DescribeTargetGroupAttributes", |_, elb, _, _, request| {
        attributes::describe_target_group(elb, request)
    }),
    ("DescribeTargetGroups", |_, elb, _, _, request| target_group::describe_all(elb, request)),
    ("DescribeTargetHealth", |_, elb, identity, _, request| targets::describe_health(elb, identity, request)),
    ("ModifyListener", |base, elb, _, now, request| listener::modify(base, elb, now, request)),
    ("ModifyListenerAttributes", |_, elb, _, _, request| attributes::modify_listener(elb, request)),
    ("ModifyLoadBalancerAttributes", |_, elb, _, _, request| attributes::modify_load_balancer(elb, request)),
    ("ModifyRule", |base, elb, _, now, request| rule::modify(base, elb, now, request)),
    ("ModifyTargetGroup", |_, elb, _, _, request| target_group::modify(elb, request)),
    ("ModifyTargetGroupAttributes", |_, elb, _, _, request| attributes::modify_target_group(elb, request)),
    ("RegisterTargets", targets::register),
    ("RemoveListenerCertificates", |_, elb, _, _, request| listener::remove_certificates(elb, request)),
    ("RemoveTags", |base, elb, _, _, request| tagging::untag(base, request, &|_, arn| elb.taggable(arn))),
    ("SetRulePriorities", |_, elb, _, _, request| rule::set_priorities(elb, request)),
    ("SetSecurityGroups", |_, elb, identity, _, request| {
        load_balancer::set_security_groups(elb, identity, request)
    }),
    ("SetSubnets", |_, elb, identity, _, request| load_balancer::set_subnets(elb, identity, request)),
];

/// The target group with this ARN.
pub(crate) fn target_group<'a>(elb: &'a State, arn: &str) -> Option<&'a TargetGroup> {
    elb.target_groups.get(arn)
}

#[cfg(test)]
mod tests;
