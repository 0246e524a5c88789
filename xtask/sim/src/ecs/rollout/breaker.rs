//! What fails a deployment: the circuit breaker at its threshold, and deployment alarms. Then it rolls back or stalls.

use crate::clock::Millis;
use crate::ecs::deployment;
use crate::ecs::deployment::model::RolloutState;
use crate::ecs::deployment::service_deployment::ServiceDeploymentStatus;
use crate::ecs::deployment::start::RollbackCause;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;

/// Looks at the PRIMARY deployment's failures. True when the breaker tripped.
pub(super) fn watch(region: &mut Region<'_>, now: Millis, key: &ServiceKey) -> bool {
    let Some(service) = region.ecs.services.get_mut(key) else { return false };
    if service.primary.rollout != RolloutState::InProgress {
        return false;
    }
    // The threshold follows the latest desired count, not the one that the deployment began with.
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
    trip(region, now, key, breaker.rollback, &BREAKER);
    true
}

/// Looks at the deployment's alarms. True when one went into ALARM since the deployment began.
pub(super) fn watch_alarms(region: &mut Region<'_>, now: Millis, key: &ServiceKey) -> bool {
    let Some(service) = region.ecs.services.get_mut(key) else { return false };
    if service.primary.rollout != RolloutState::InProgress || service.primary.is_rollback {
        return false;
    }
    let Some(alarms) = service.knobs.deployment.watched().cloned() else { return false };
    let mut ringing = region.cloudwatch.ringing(&alarms.alarm_names);
    let arn = service.primary.service_deployment.clone();
    let Some(record) = service.service_deployment_mut(&arn) else { return false };
    // An alarm that was in ALARM when the deployment began is ignored for it (developer guide, deployment alarms).
    ringing.retain(|name| !record.ignored_alarms.contains(name));
    if ringing.is_empty() {
        return false;
    }
    record.triggered_alarms = ringing;
    trip(region, now, key, alarms.rollback, &ALARM);
    true
}

/// The words for a failure.
struct Words {
    /// After `ECS deployment …`, and after `deployment failed: `.
    rollout: &'static str,
    event: &'static str,
    back: &'static RollbackCause,
    back_failed: &'static str,
    stopped: &'static str,
}

static BREAKER: Words = Words {
    rollout: "ECS deployment circuit breaker: tasks failed to start.",
    event: "tasks failed to start.",
    back: &deployment::BREAKER,
    back_failed: "Service deployment rollback failed because the circuit breaker threshold was exceeded.",
    stopped: "Service deployment stopped because the circuit breaker threshold was exceeded.",
};

/// The event is what ECS says; the other texts are made like those of the circuit breaker.
static ALARM: Words = Words {
    rollout: "ECS deployment failed: alarm detected.",
    event: "alarm detected.",
    back: &deployment::ALARM,
    back_failed: "Service deployment rollback failed because a CloudWatch alarm was triggered.",
    stopped: "Service deployment stopped because a CloudWatch alarm was triggered.",
};

fn trip(region: &mut Region<'_>, now: Millis, key: &ServiceKey, rollback: bool, words: &Words) {
    let Some(service) = region.ecs.services.get_mut(key) else { return };
    let primary = &mut service.primary;
    primary.turn(now, RolloutState::Failed, words.rollout.to_owned());
    let what = format!("(deployment {}) deployment failed: {}", primary.id, words.event);
    service.events.push(&mut region.base.ids, now, &key.service, &what);

    let (arn, desired) = (service.primary.service_deployment.clone(), service.desired);
    // Without a COMPLETED deployment before it, as in a first deploy, there is nothing to roll back to (developer guide,
    // deployment circuit breaker).
    let target = service.primary.rollback_target.clone().filter(|_| rollback);
    let (status, reason) = match target {
        Some(target) => {
            return deployment::roll_back(region, now, key, &target, words.back);
        }
        // A rollback has no target of its own: the service is left with a FAILED deployment that launches nothing.
        None if service.primary.is_rollback => (ServiceDeploymentStatus::RollbackFailed, words.back_failed),
        None => (ServiceDeploymentStatus::Stopped, words.stopped),
    };
    if let Some(record) = service.service_deployment_mut(&arn) {
        record.requested = Some(desired);
        record.turn(now, status, Some(reason));
    }
}
