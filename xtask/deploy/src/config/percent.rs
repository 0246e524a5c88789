//! How many tasks may run and must stay while a deployment rolls.
//!
//! Source: ECS API reference, DeploymentConfiguration: the minimum is rounded up, the maximum down.

use crate::model::Service;

/// The tasks that must stay healthy: rounded up.
pub(super) fn healthy_at_least(count: u32, percent: u32) -> u64 {
    (u64::from(count) * u64::from(percent)).div_ceil(100)
}

/// The tasks that may run: rounded down.
pub(super) fn running_at_most(count: u32, percent: u32) -> u64 {
    u64::from(count) * u64::from(percent) / 100
}

/// How many times new tasks take the place of old ones at the count of a new service; `None` when
/// they never can (rule `deployment-deadlock`).
pub(super) fn waves(service: &Service) -> Option<u64> {
    let count = service.desired_count;
    let rollout = &service.deployment;
    let spare = running_at_most(count, rollout.maximum_percent).saturating_sub(u64::from(count));
    let stoppable = u64::from(count).saturating_sub(healthy_at_least(count, rollout.minimum_healthy_percent));
    (spare + stoppable > 0).then(|| u64::from(count).div_ceil(spare + stoppable))
}
