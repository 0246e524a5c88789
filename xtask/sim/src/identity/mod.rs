//! The landing zone: network, roles and the caller's identity, as STS, EC2 and IAM show them.

use crate::account::{Account, Millis, Settings};
use crate::wire::{ApiError, ApiRequest, Outcome};

/// Network, roles and identity.
#[derive(Debug)]
pub struct State {}

/// A subnet.
#[derive(Debug, Clone)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) zone: String,
}

/// A security group.
#[derive(Debug, Clone)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) name: String,
}

impl State {
    pub(crate) fn new(_settings: &Settings) -> Self {
        Self {}
    }

    /// Draws the next free private address of the subnet; `None` when the subnet is unknown or full.
    pub(crate) fn next_ip(&mut self, _subnet: &str) -> Option<String> {
        None
    }
}

/// The subnet with this id.
pub(crate) fn subnet<'a>(_account: &'a Account, _id: &str) -> Option<&'a Subnet> {
    None
}

/// The security group with this id.
pub(crate) fn security_group<'a>(_account: &'a Account, _id: &str) -> Option<&'a SecurityGroup> {
    None
}

/// Whether the role is there.
pub(crate) fn role_exists(_account: &Account, _arn: &str) -> bool {
    false
}

pub(crate) fn handle(_account: &mut Account, _now: Millis, request: &ApiRequest) -> Outcome {
    Err(ApiError::new("InvalidAction", request.operation.clone()))
}
