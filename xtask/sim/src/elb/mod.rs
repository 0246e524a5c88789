//! Elastic Load Balancing: load balancers, target groups, listeners, rules and the health of targets.
//!
//! Holds no connection and sends no request: [`route`] says where a request may go, and the health checks are asked of
//! the workload.

mod action;
mod associations;
mod attributes;
mod condition;
mod health_check;
mod listener;
mod load_balancer;
mod names;
mod routing;
mod rule;
mod state;
mod target_group;
mod target_health;
mod targets;

pub(crate) use associations::{has_load_balancer, is_request_count_label};
pub use load_balancer::fail;
pub(crate) use routing::{Request, Served, listeners, route_of};
pub use routing::{Route, RouteTarget, route};
pub(crate) use state::State;
pub(crate) use target_group::TargetGroup;
pub(crate) use target_health::{Target, TargetState, answered, deregister, due, health, register};

use crate::account::{Account, Millis};
use crate::tagging;
use crate::wire::{ApiError, ApiRequest, Outcome};

#[derive(Debug)]
pub(crate) enum Due {
    /// A load balancer has been provisioned.
    Active { load_balancer: String },
    /// A target's next health check.
    Check { target_group: String, ip: String, port: u16, epoch: u64 },
    /// The end of a target's deregistration delay.
    Drained { target_group: String, ip: String, port: u16, epoch: u64 },
}

/// Answers an ELBv2 call.
pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let taggable = |account: &Account, arn: &str| account.elb.taggable(arn);
    match request.operation.as_str() {
        "AddListenerCertificates" => listener::add_certificates(account, request),
        "AddTags" => tagging::tag(account, request, taggable),
        "CreateListener" => listener::create(account, now, request),
        "CreateLoadBalancer" => load_balancer::create(account, now, request),
        "CreateRule" => rule::create(account, now, request),
        "CreateTargetGroup" => target_group::create(account, request),
        "DeleteListener" => listener::delete(account, now, request),
        "DeleteLoadBalancer" => load_balancer::delete(account, now, request),
        "DeleteRule" => rule::delete(account, now, request),
        "DeleteTargetGroup" => target_group::delete(account, request),
        "DeregisterTargets" => targets::deregister(account, now, request),
        "DescribeListenerCertificates" => listener::describe_certificates(account, request),
        "DescribeListeners" => listener::describe_all(account, request),
        "DescribeLoadBalancerAttributes" => attributes::describe_load_balancer(account, request),
        "DescribeLoadBalancers" => load_balancer::describe_all(account, request),
        "DescribeRules" => rule::describe_all(account, request),
        "DescribeTags" => tagging::list(account, request, taggable),
        "DescribeTargetGroupAttributes" => attributes::describe_target_group(account, request),
        "DescribeTargetGroups" => target_group::describe_all(account, request),
        "DescribeTargetHealth" => targets::describe_health(account, request),
        "ModifyListener" => listener::modify(account, now, request),
        "ModifyLoadBalancerAttributes" => attributes::modify_load_balancer(account, request),
        "ModifyRule" => rule::modify(account, now, request),
        "ModifyTargetGroup" => target_group::modify(account, request),
        "ModifyTargetGroupAttributes" => attributes::modify_target_group(account, request),
        "RegisterTargets" => targets::register(account, now, request),
        "RemoveListenerCertificates" => listener::remove_certificates(account, request),
        "RemoveTags" => tagging::untag(account, request, taggable),
        "SetRulePriorities" => rule::set_priorities(account, request),
        "SetSecurityGroups" => load_balancer::set_security_groups(account, request),
        "SetSubnets" => load_balancer::set_subnets(account, request),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

/// The target group with this ARN.
pub(crate) fn target_group<'a>(account: &'a Account, arn: &str) -> Option<&'a TargetGroup> {
    account.elb.target_groups.get(arn)
}

#[cfg(test)]
mod tests;
