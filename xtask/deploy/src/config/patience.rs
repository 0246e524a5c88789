//! How long a service's deployment may take, derived from its settings.
//!
//! A roll goes in waves (developer guide, task lifecycle): new tasks start, may fail their checks for the grace
//! period, pass them, and then old ones drain and stop. The allowances are generous, since a deployment that is undone
//! for being slow is a worse surprise than one that is waited for.

use super::percent::waves;
use crate::model::{Kind, Patience, Service};

/// Network interface, image pull and start on Fargate; seen on large images and busy days.
const FARGATE_START_SECS: u64 = 120;
const LOCAL_START_SECS: u64 = 15;
/// Between the end of the last old task and ECS calling the deployment complete: usually 10 to 60 s.
const FARGATE_COMPLETION_SECS: u64 = 90;
const LOCAL_COMPLETION_SECS: u64 = 10;
/// For as long ECS may watch alarms once all tasks run: it derives the time from their periods, and shows it nowhere.
const ALARMS_SECS: u64 = 900;
/// Of good rolls: a release whose tasks fail at first, and get well before the circuit breaker trips, is a good one.
const ROLLS: u64 = 2;

/// `settle` is what the file says for all services.
pub(super) fn patience(kind: Kind, settle: Option<u64>, service: &Service) -> Patience {
    let (start, completion) = match kind {
        Kind::Aws => (FARGATE_START_SECS, FARGATE_COMPLETION_SECS),
        Kind::Local => (LOCAL_START_SECS, LOCAL_COMPLETION_SECS),
    };
    let secs = |value: u32| u64::from(value);
    let rollout = &service.deployment;
    let (checks, drain) = match (service.group(), &service.container.health_check) {
        (Some(group), _) => {
            let checks = group.health.interval_secs * group.health.healthy_threshold;
            (rollout.health_check_grace_secs + checks, group.deregistration_delay_secs)
        }
        (None, Some(check)) => (check.start_period_secs + check.interval_secs * check.retries, 0),
        (None, None) => (0, 0),
    };
    let leave = secs(drain) + secs(service.container.stop_timeout_secs) + completion;
    let wave = start + secs(checks) + leave;
    let roll = waves(service).unwrap_or(1).max(1) * wave;
    let given = rollout.settle_secs.or(settle);
    let watched = rollout.alarms.as_ref().is_some_and(|alarms| alarms.enable);
    let watch = if watched { ALARMS_SECS } else { 0 };
    Patience { roll_secs: given.unwrap_or(ROLLS * roll + watch), back_secs: roll, finish_secs: leave }
}
