//! How long a service's deployment may take, derived from its settings.
//!
//! A roll goes in waves (developer guide, task lifecycle): new tasks start, may fail their checks for the grace
//! period, pass them, and then old ones drain and stop. The allowances are generous, since a deployment that is undone
//! for being slow is a worse surprise than one that is waited for.

use crate::config::percent::waves;
use crate::config::raw;
use crate::config::rules::Scope;
use crate::model::{Kind, Patience};

/// Network interface, image pull and start on Fargate; seen on large images and busy days.
const FARGATE_START_SECS: u64 = 120;
const LOCAL_START_SECS: u64 = 15;
/// Between the end of the last old task and ECS calling the deployment complete: usually 10 to 60 s.
const FARGATE_COMPLETION_SECS: u64 = 90;
const LOCAL_COMPLETION_SECS: u64 = 10;
/// Of good rolls: a release whose tasks fail at first, and get well before the circuit breaker trips, is a good one.
const ROLLS: u64 = 2;

pub(super) fn patience(scope: &Scope<'_>, service: &raw::Service) -> Patience {
    let (start, completion) = match scope.settings.kind.value {
        Kind::Aws => (FARGATE_START_SECS, FARGATE_COMPLETION_SECS),
        Kind::Local => (LOCAL_START_SECS, LOCAL_COMPLETION_SECS),
    };
    let group = &service.target_group.value;
    let health = &group.health.value;
    let secs = |value: u32| u64::from(value);
    let checks = secs(health.interval_secs.value) * secs(health.healthy_threshold.value);
    let leave = secs(group.deregistration_delay_secs.value)
        + secs(service.container.value.stop_timeout_secs.value)
        + completion;
    let rollout = &service.deployment.value;
    let wave = start + secs(rollout.health_check_grace_secs.value) + checks + leave;
    let roll = waves(service).unwrap_or(1).max(1) * wave;
    let given = rollout.settle_secs.as_ref().or(scope.settings.timeouts.value.settle_secs.as_ref());
    Patience {
        roll_secs: given.map_or(ROLLS * roll, |given| given.value),
        back_secs: roll,
        finish_secs: leave,
    }
}
