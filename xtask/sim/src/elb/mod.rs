//! Elastic Load Balancing: load balancers, target groups, listeners, rules and the health of targets.

mod routing;
mod target_health;

pub use routing::{Route, RouteTarget, listener_ports, route};
pub(crate) use target_health::{Target, TargetHealth, TargetState, answered, deregister, due, health, register};

use crate::account::{Account, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome};

/// All load balancing state of the account.
#[derive(Debug, Default)]
pub struct State {}

/// What can be due.
#[derive(Debug)]
pub(crate) enum Due {
}

/// One target group.
#[derive(Debug, Clone)]
pub(crate) struct TargetGroup {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) target_type: String,
}

pub(crate) fn handle(_account: &mut Account, _now: Millis, request: &ApiRequest) -> Outcome {
    Err(ApiError::new("InvalidAction", format!("Could not find operation {} for version 2015-12-01", request.operation)))
}

/// The target group with this ARN.
pub(crate) fn target_group<'a>(_account: &'a Account, _arn: &str) -> Option<&'a TargetGroup> {
    None
}

/// Whether a listener or a rule forwards to the target group.
pub(crate) fn has_load_balancer(_account: &Account, _arn: &str) -> bool {
    false
}
