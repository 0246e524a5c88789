//! The life of a target.

use super::Due;
use crate::account::{Account, Millis};
use crate::workload::{Answer, TaskId};

/// A target to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) ip: String,
    pub(crate) port: u16,
    pub(crate) task: TaskId,
}

/// `TargetHealth.State`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetState {
    Initial,
    Healthy,
    Unhealthy,
    Draining,
    Unused,
}

/// A target's health as DescribeTargetHealth shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetHealth {
    pub(crate) state: TargetState,
    pub(crate) reason: Option<&'static str>,
    pub(crate) description: Option<String>,
}

pub(crate) fn register(_account: &mut Account, _now: Millis, _target_group: &str, _target: Target) {}
pub(crate) fn deregister(_account: &mut Account, _now: Millis, _target_group: &str, _ip: &str, _port: u16) {}
pub(crate) fn health(_account: &Account, _target_group: &str, _ip: &str, _port: u16) -> TargetHealth {
    TargetHealth { state: TargetState::Unused, reason: Some("Target.NotRegistered"), description: None }
}
pub(crate) fn answered(_account: &mut Account, _now: Millis, _target_group: &str, _task: &TaskId, _answer: &Answer) {}
pub(crate) fn due(_account: &mut Account, _at: Millis, due: Due) {
    match due {}
}
