//! What load balancing remembers, and how an ARN finds it.

use std::collections::{BTreeMap, BTreeSet};

use super::error::invalid;
use super::listener::Listener;
use super::load_balancer::LoadBalancer;
use super::rule::Rule;
use super::target_group::TargetGroup;
use crate::clock::Timers;
use crate::wire::ApiError;
use crate::workload::TaskId;

/// All load balancing state of the account. Keys are ARNs; they begin with the name, so that lists are in order of names.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) load_balancers: BTreeMap<String, LoadBalancer>,
    pub(super) target_groups: BTreeMap<String, TargetGroup>,
    pub(super) listeners: BTreeMap<String, Listener>,
    /// How many registrations there have been.
    pub(super) epochs: u64,
    /// The tasks whose targets have another health than when ECS last looked.
    pub(crate) changed: BTreeSet<TaskId>,
    pub(crate) timers: Timers<Due>,
}

#[derive(Debug)]
pub(crate) enum Due {
    /// A load balancer has been provisioned.
    Active { load_balancer: String },
    /// A target's next health check.
    Check { target_group: String, ip: String, port: u16, epoch: u64 },
    /// The end of a target's deregistration delay.
    Drained { target_group: String, ip: String, port: u16, epoch: u64 },
}

/// Refuses what is no ARN of this kind before anybody looks for it, as the API does.
fn check_arn(arn: &str, resource: &str, kind: &str) -> Result<(), ApiError> {
    let own = arn.strip_prefix("arn:aws:elasticloadbalancing:");
    match own.and_then(|rest| rest.splitn(3, ':').nth(2)) {
        Some(path) if path.starts_with(resource) => Ok(()),
        _ => Err(invalid(format!("'{arn}' is not a valid {kind} ARN"))),
    }
}

impl State {
    pub(super) fn load_balancer(&self, arn: &str) -> Result<&LoadBalancer, ApiError> {
        check_arn(arn, "loadbalancer/", "load balancer")?;
        self.load_balancers.get(arn).ok_or_else(|| load_balancer_not_found(arn))
    }

    pub(super) fn load_balancer_mut(&mut self, arn: &str) -> Result<&mut LoadBalancer, ApiError> {
        check_arn(arn, "loadbalancer/", "load balancer")?;
        self.load_balancers.get_mut(arn).ok_or_else(|| load_balancer_not_found(arn))
    }

    pub(super) fn target_group(&self, arn: &str) -> Result<&TargetGroup, ApiError> {
        check_arn(arn, "targetgroup/", "target group")?;
        self.target_groups.get(arn).ok_or_else(|| target_group_not_found(arn))
    }

    pub(super) fn target_group_mut(&mut self, arn: &str) -> Result<&mut TargetGroup, ApiError> {
        check_arn(arn, "targetgroup/", "target group")?;
        self.target_groups.get_mut(arn).ok_or_else(|| target_group_not_found(arn))
    }

    pub(super) fn listener(&self, arn: &str) -> Result<&Listener, ApiError> {
        check_arn(arn, "listener/", "listener")?;
        self.listeners.get(arn).ok_or_else(listener_not_found)
    }

    pub(super) fn listener_mut(&mut self, arn: &str) -> Result<&mut Listener, ApiError> {
        check_arn(arn, "listener/", "listener")?;
        self.listeners.get_mut(arn).ok_or_else(listener_not_found)
    }

    /// The rule and its listener. A listener's default rule is among its rules.
    pub(super) fn rule(&self, arn: &str) -> Result<(&Listener, &Rule), ApiError> {
        check_arn(arn, "listener-rule/", "listener rule")?;
        self.listeners
            .values()
            .find_map(|listener| Some((listener, listener.rules.iter().find(|rule| rule.arn == arn)?)))
            .ok_or_else(rule_not_found)
    }

    pub(super) fn rule_mut(&mut self, arn: &str) -> Result<&mut Rule, ApiError> {
        check_arn(arn, "listener-rule/", "listener rule")?;
        self.listeners
            .values_mut()
            .flat_map(|listener| &mut listener.rules)
            .find(|rule| rule.arn == arn)
            .ok_or_else(rule_not_found)
    }

    /// The ARN, where the resource exists: load balancers, target groups, listeners and rules have tags.
    pub(super) fn taggable(&self, arn: &str) -> Result<String, ApiError> {
        // The resource's type is the first part of the ARN's last field.
        match arn.splitn(6, ':').nth(5).and_then(|path| path.split('/').next()) {
            Some("loadbalancer") => self.load_balancer(arn).map(drop),
            Some("targetgroup") => self.target_group(arn).map(drop),
            Some("listener") => self.listener(arn).map(drop),
            Some("listener-rule") => self.rule(arn).map(drop),
            _ => Err(invalid(format!("'{arn}' is not a valid resource ARN"))),
        }
        .map(|()| arn.to_owned())
    }

    /// The load balancers whose listeners or rules forward to the target group.
    pub(super) fn load_balancers_of(&self, target_group: &str) -> BTreeSet<&str> {
        self.listeners
            .values()
            .filter(|listener| {
                let mut actions = listener.rules.iter().flat_map(|rule| &rule.actions);
                actions.any(|action| action.forwards_to(target_group))
            })
            .map(|listener| listener.load_balancer.as_str())
            .collect()
    }
}

fn load_balancer_not_found(arn: &str) -> ApiError {
    ApiError::new("LoadBalancerNotFound", format!("Load balancer '{arn}' not found"))
}

fn target_group_not_found(arn: &str) -> ApiError {
    ApiError::new("TargetGroupNotFound", format!("Target groups '{arn}' not found"))
}

fn listener_not_found() -> ApiError {
    ApiError::new("ListenerNotFound", "One or more listeners not found")
}

fn rule_not_found() -> ApiError {
    ApiError::new("RuleNotFound", "One or more rules not found")
}
