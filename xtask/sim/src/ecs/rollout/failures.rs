//! What counts against a deployment: tasks that never ran, died early or failed their health checks.

use super::decision::Cause;
use crate::clock::Millis;
use crate::ecs::deployment::model::RolloutState;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::workload::TaskId;

/// One more failed task, while the deployment is IN_PROGRESS.
fn count(region: &mut Region<'_>, now: Millis, key: &ServiceKey, deployment: &str) {
    let service = region.ecs.services.get_mut(key);
    let Some(deployment) = service.and_then(|service| service.deployment_mut(deployment)) else { return };
    if deployment.rollout == RolloutState::InProgress {
        deployment.failed_tasks += 1;
        deployment.updated_at = now;
    }
}

/// A task ended before it reached RUNNING: the next attempt waits.
pub(in crate::ecs) fn never_ran(region: &mut Region<'_>, now: Millis, id: &TaskId, reason: &str) {
    let Some(task) = region.ecs.tasks.get(id) else { return };
    let (key, deployment, attempt) = (task.service.clone(), task.deployment.clone(), task.attempt);
    count(region, now, &key, &deployment);
    let what = event(reason);
    attempt_failed(region, now, &key, &deployment, attempt, &what);
}

/// A launch was refused: there is no task.
pub(super) fn refused(region: &mut Region<'_>, now: Millis, key: &ServiceKey, attempt: u32, reason: &str) {
    let Some(service) = region.ecs.services.get(key) else { return };
    let deployment = service.primary.id.clone();
    count(region, now, key, &deployment);
    let what = format!("failed to launch a task with (error {reason}).");
    attempt_failed(region, now, key, &deployment, attempt, &what);
}

fn attempt_failed(
    region: &mut Region<'_>,
    now: Millis,
    key: &ServiceKey,
    deployment: &str,
    attempt: u32,
    what: &str,
) {
    let Some(service) = region.ecs.services.get_mut(key) else { return };
    let pace = &region.base.settings.pace;
    let mut throttled = false;
    if let Some(deployment) = service.deployment_mut(deployment) {
        // Only tasks that never reached RUNNING are delayed: those that ran and stopped are restarted without a throttle.
        deployment.backoff.failed(now, attempt, pace);
        throttled = deployment.backoff.is_throttled();
    }
    service.events.push_rarely(&mut region.base.ids, now, &key.service, what);
    if throttled {
        let what = "is unable to consistently start tasks successfully. For more information, see the \
                    Troubleshooting section.";
        service.events.push_rarely(&mut region.base.ids, now, &key.service, what);
    }
}

/// An essential container ended. Before RUNNING that is a failed start; after it, and before the task was
/// ever healthy, it counts against the deployment, and the next task starts without delay.
pub(in crate::ecs) fn died(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get(id) else { return };
    if task.started_at.is_none() {
        return never_ran(region, now, id, "Essential container in task exited");
    }
    // One that was unhealthy has been counted already.
    if !task.was_healthy && !task.was_unhealthy {
        let (key, deployment) = (task.service.clone(), task.deployment.clone());
        count(region, now, &key, &deployment);
    }
}

/// Tasks that were found unhealthy for the first time: one event and one failure each.
pub(super) fn found_unhealthy(
    region: &mut Region<'_>,
    now: Millis,
    key: &ServiceKey,
    found: &[(TaskId, Cause)],
) {
    for (id, cause) in found {
        let Some(task) = region.ecs.tasks.get_mut(id) else { continue };
        if task.was_unhealthy {
            continue;
        }
        // Once: a task that fails, recovers and fails again is one failed task.
        task.was_unhealthy = true;
        let deployment = task.deployment.clone();
        count(region, now, key, &deployment);
        let what = match cause {
            Cause::Container => format!("(task {id}) failed container health checks."),
            Cause::Target { target_group, port, reason } => format!(
                "(task {id}) (port {port}) is unhealthy in (target-group {target_group}) due to (reason {reason})."
            ),
        };
        region.say(now, key, &what);
    }
}

/// Tasks that became healthy for the first time. Where the circuit breaker counts consecutive failures,
/// one such task sets its count back.
pub(super) fn found_healthy(region: &mut Region<'_>, key: &ServiceKey, healthy: &[TaskId]) {
    for id in healthy {
        let Some(task) = region.ecs.tasks.get_mut(id) else { continue };
        // A task that recovers is not the success that ends a row of failures.
        let first = !task.was_healthy && !task.was_unhealthy;
        task.was_healthy = true;
        if !first {
            continue;
        }
        let deployment = task.deployment.clone();
        let Some(service) = region.ecs.services.get_mut(key) else { continue };
        let resets = service.knobs.deployment.breaker().is_none_or(|breaker| breaker.resets());
        if let Some(deployment) = service.deployment_mut(&deployment)
            && resets
            && deployment.rollout == RolloutState::InProgress
        {
            deployment.failed_tasks = 0;
        }
    }
}

/// How a service event words it (Amazon ECS developer guide, "service event messages").
fn event(reason: &str) -> String {
    match reason.trim_end_matches('.') {
        "Rate exceeded" => "operations are being throttled on elb. Will try again later.".to_owned(),
        reason => format!("was unable to place a task. Reason: {reason}."),
    }
}
