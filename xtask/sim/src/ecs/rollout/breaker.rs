//! The deployment circuit breaker: trips at its threshold, then rolls back or stalls.

use crate::account::{Account, Millis};
use crate::ecs::deployment::{self, RolloutState, ServiceDeploymentStatus};
use crate::ecs::state::ServiceKey;

/// Looks at the PRIMARY deployment's failures. True when the breaker tripped.
pub(super) fn watch(account: &mut Account, now: Millis, key: &ServiceKey) -> bool {
    let Some(service) = account.ecs.services.get_mut(key) else { return false };
    if service.primary.rollout != RolloutState::InProgress {
        return false;
    }
    // The latest desired count is what counts, not the one that the deployment began with.
    let (desired, failures) = (service.desired, service.primary.failed_tasks);
    let breaker = service.knobs.deployment.breaker().cloned();
    let (arn, is_rollback) = (service.primary.service_deployment.clone(), service.primary.is_rollback);
    if let Some(record) = service.service_deployment_mut(&arn)
        && !is_rollback
    {
        record.record_breaker(breaker.as_ref(), desired, failures);
    }
    let Some(breaker) = breaker.filter(|breaker| failures >= breaker.threshold(desired)) else {
        return false;
    };
    trip(account, now, key, breaker.rollback);
    true
}

fn trip(account: &mut Account, now: Millis, key: &ServiceKey, rollback: bool) {
    let Some(service) = account.ecs.services.get_mut(key) else { return };
    let primary = &mut service.primary;
    let reason = "ECS deployment circuit breaker: tasks failed to start.";
    primary.turn(now, RolloutState::Failed, reason.to_owned());
    let what = format!("(deployment {}) deployment failed: tasks failed to start.", primary.id);
    service.events.push(&mut account.ids, now, &key.service, &what);

    let (arn, desired) = (service.primary.service_deployment.clone(), service.desired);
    let target = service.primary.rollback_target.clone().filter(|_| rollback);
    let (status, reason) = match target {
        Some(target) => {
            return deployment::roll_back(account, now, key, &target, &deployment::BREAKER);
        }
        None if service.primary.is_rollback => (
            ServiceDeploymentStatus::RollbackFailed,
            "Service deployment rollback failed because the circuit breaker threshold was exceeded.",
        ),
        None => (
            ServiceDeploymentStatus::Stopped,
            "Service deployment stopped because the circuit breaker threshold was exceeded.",
        ),
    };
    if let Some(record) = service.service_deployment_mut(&arn) {
        record.requested = Some(desired);
        record.turn(now, status, Some(reason));
    }
}
