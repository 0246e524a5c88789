//! Elastic Load Balancing: load balancers, target groups, listeners, rules and the health of targets.
//!
//! Holds no connection and sends no request: [`route`] says where a request may go, and the health checks are asked of
//! the workload.

mod action;
mod associations;
mod attributes;
mod condition;
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
pub use load_balancer::fail;
pub(crate) use measure::measure;
pub(crate) use routing::{Request, Served, listeners, route_of};
pub use routing::{Route, RouteTarget, route};
pub(crate) use state::State;
pub(crate) use target_group::TargetGroup;
pub(crate) use target_health::{Target, TargetState, answered, deregister, due, health, register};

use crate::account::{Account, Operations};
use crate::tagging;
use crate::wire::ApiError;

#[derive(Debug)]
pub(crate) enum Due {
    /// A load balancer has been provisioned.
    Active { load_balancer: String },
    /// A target's next health check.
    Check { target_group: String, ip: String, port: u16, epoch: u64 },
    /// The end of a target's deregistration delay.
    Drained { target_group: String, ip: String, port: u16, epoch: u64 },
}

pub(crate) const OPERATIONS: Operations = &[
    ("AddListenerCertificates", |account, _, request| listener::add_certificates(account, request)),
    ("AddTags", |account, _, request| tagging::tag(account, request, taggable)),
    ("CreateListener", listener::create),
    ("CreateLoadBalancer", load_balancer::create),
    ("CreateRule", rule::create),
    ("CreateTargetGroup", |account, _, request| target_group::create(account, request)),
    ("DeleteListener", listener::delete),
    ("DeleteLoadBalancer", load_balancer::delete),
    ("DeleteRule", rule::delete),
    ("DeleteTargetGroup", |account, _, request| target_group::delete(account, request)),
    ("DeregisterTargets", targets::deregister),
    ("DescribeListenerCertificates", |account, _, request| listener::describe_certificates(account, request)),
    ("DescribeAccountLimits", |_, _, request| limits::describe(request)),
    ("DescribeSSLPolicies", |_, _, request| limits::describe_policies(request)),
    ("DescribeListenerAttributes", |account, _, request| attributes::describe_listener(account, request)),
    ("DescribeListeners", |account, _, request| listener::describe_all(account, request)),
    ("DescribeLoadBalancerAttributes", |account, _, request| {
        attributes::describe_load_balancer(account, request)
    }),
    ("DescribeLoadBalancers", |account, _, request| load_balancer::describe_all(account, request)),
    ("DescribeRules", |account, _, request| rule::describe_all(account, request)),
    ("DescribeTags", |account, _, request| tagging::list(account, request, taggable)),
    ("DescribeTargetGroupAttributes", |account, _, request| {
        attributes::describe_target_group(account, request)
    }),
    ("DescribeTargetGroups", |account, _, request| target_group::describe_all(account, request)),
    ("DescribeTargetHealth", |account, _, request| targets::describe_health(account, request)),
    ("ModifyListener", listener::modify),
    ("ModifyListenerAttributes", |account, _, request| attributes::modify_listener(account, request)),
    ("ModifyLoadBalancerAttributes", |account, _, request| {
        attributes::modify_load_balancer(account, request)
    }),
    ("ModifyRule", rule::modify),
    ("ModifyTargetGroup", |account, _, request| target_group::modify(account, request)),
    ("ModifyTargetGroupAttributes", |account, _, request| attributes::modify_target_group(account, request)),
    ("RegisterTargets", targets::register),
    ("RemoveListenerCertificates", |account, _, request| listener::remove_certificates(account, request)),
    ("RemoveTags", |account, _, request| tagging::untag(account, request, taggable)),
    ("SetRulePriorities", |account, _, request| rule::set_priorities(account, request)),
    ("SetSecurityGroups", |account, _, request| load_balancer::set_security_groups(account, request)),
    ("SetSubnets", |account, _, request| load_balancer::set_subnets(account, request)),
];

fn taggable(account: &Account, arn: &str) -> Result<String, ApiError> {
    account.elb.taggable(arn)
}

/// The target group with this ARN.
pub(crate) fn target_group<'a>(account: &'a Account, arn: &str) -> Option<&'a TargetGroup> {
    account.elb.target_groups.get(arn)
}

#[cfg(test)]
mod tests;
