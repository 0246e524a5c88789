//! One pass over a service: census, circuit breaker, decision, and what follows from it.

use std::collections::BTreeSet;

use super::census::{self, Census};
use super::decision::{Cause, Class, Decision, Wants, decide};
use super::{breaker, completion, failures};
use crate::clock::Millis;
use crate::ecs::deployment::service_deployment::ServiceDeploymentStatus;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::ecs::service::model::{Service, ServiceStatus};
use crate::ecs::state::Due;
use crate::ecs::task;
use crate::ecs::task::stopping::Stop;
use crate::workload::TaskId;

/// Each pass starts or stops tasks, or begins a rollback, and looks again; more passes than this would mean
/// that the scheduler works against itself, and the next event will call it again anyway.
const MOST_PASSES: u32 = 32;

/// Brings every service that something has changed for closer to what it wants, as far as that is possible now.
pub(crate) fn reconcile(region: &mut Region<'_>, now: Millis) {
    let mut open = BTreeSet::new();
    for _ in 0..MOST_PASSES {
        open.append(&mut take_changed(region));
        if open.is_empty() {
            #[cfg(test)]
            overlooks_nothing(region, now);
            return;
        }
        open.retain(|key| {
            let changed = task::drained(region, now, key) | step(region, now, key);
            region.ecs.looked_at(key);
            changed
        });
    }
    open.iter().for_each(|key| region.ecs.look_at(key));
}

/// Takes the services to look at: they were changed themselves, or one of their tasks, a target's health or an alarm was.
pub(in crate::ecs) fn take_changed(region: &mut Region<'_>) -> BTreeSet<ServiceKey> {
    let mut changed = region.ecs.services.take_changed();
    changed.append(&mut region.ecs.tasks.take_changed());
    for id in std::mem::take(&mut region.elb.changed) {
        changed.extend(region.ecs.tasks.get(&id).map(|task| task.service.clone()));
    }
    if std::mem::take(&mut region.cloudwatch.changed) {
        let watching = |service: &&Service| service.knobs.deployment.watched().is_some();
        changed.extend(region.ecs.services.values().filter(watching).map(|service| service.key.clone()));
    }
    changed
}

/// In every test: where nothing was noted as changed and no timer is due, a look finds nothing to do.
#[cfg(test)]
fn overlooks_nothing(region: &mut Region<'_>, now: Millis) {
    let is_due = |next: Option<crate::clock::Moment>| next.is_some_and(|next| next.at <= now);
    if is_due(region.ecs.timers.next()) || is_due(region.elb.timers.next()) {
        return;
    }
    let state =
        |region: &Region<'_>| (region.base.ids.clone(), region.base.effects.len(), region.ecs.timers.next());
    let keys: Vec<ServiceKey> = region.ecs.services.keys().cloned().collect();
    for key in keys {
        let before = state(region);
        let changed = task::drained(region, now, &key) | step(region, now, &key);
        assert!(!changed && before == state(region), "{key:?} was not looked at when it changed");
        region.ecs.looked_at(&key);
    }
}

/// True when something changed, so that another pass is needed.
fn step(region: &mut Region<'_>, now: Millis, key: &ServiceKey) -> bool {
    let Some(service) = region.ecs.services.get(key) else { return false };
    if service.status == ServiceStatus::Inactive {
        return false;
    }
    let census = census::take(region, now, key);
    let healthy = |member: &&super::decision::Member| member.class == Class::Healthy;
    let healthy: Vec<TaskId> =
        census.members.iter().filter(healthy).map(|member| member.task.clone()).collect();
    // Before the breaker looks: a healthy task sets its count of consecutive failures to zero.
    failures::found_healthy(region, key, &healthy);
    failures::found_unhealthy(region, now, key, &census.unhealthy);
    if breaker::watch(region, now, key) || breaker::watch_alarms(region, now, key) {
        return true;
    }
    let Some(wants) = wants(region, now, key) else { return false };
    let decision = decide(&census.members, wants);
    let changed = apply(region, now, key, &census, &decision);
    completion::retire(region, key);
    if changed {
        return true;
    }
    if drained_away(region, now, key) {
        return false;
    }
    let settles_at = completion::settle(region, now, key, &census);
    let retries_at = decision.waiting.then(|| retry_at(region, key)).flatten();
    let next = [census.changes_at, settles_at, retries_at].into_iter().flatten().min();
    wake(region, now, key, next);
    false
}

fn wants(region: &Region<'_>, now: Millis, key: &ServiceKey) -> Option<Wants> {
    let service = region.ecs.services.get(key)?;
    // DeleteService only sets the status: the tasks stop because none is wanted any more.
    let desired = if service.status == ServiceStatus::Draining { 0 } else { service.desired };
    let (lower, upper) = service.knobs.deployment.bounds(desired);
    // Tasks that never came to RUNNING are tried again after a growing pause, up to 15 minutes (developer guide, "service
    // throttle logic").
    let may_launch = service.primary.backoff.not_before() <= now;
    Some(Wants { desired, lower, upper, launches: service.primary.launches(), may_launch })
}

fn retry_at(region: &Region<'_>, key: &ServiceKey) -> Option<Millis> {
    region.ecs.services.get(key).map(|service| service.primary.backoff.not_before())
}

fn apply(
    region: &mut Region<'_>,
    now: Millis,
    key: &ServiceKey,
    census: &Census,
    decision: &Decision,
) -> bool {
    begin_service_deployment(region, now, key);
    let mut changed = launch(region, now, key, decision.launch);
    changed |= scale_in(region, now, key, &decision.scale_in);
    for id in &decision.unhealthy {
        let cause = census.unhealthy.iter().find(|(task, _)| task == id).map(|(_, cause)| cause);
        let reason = match cause {
            Some(Cause::Target { target_group, .. }) => {
                format!("Task failed ELB health checks in (target-group {target_group})")
            }
            _ => "Task failed container health checks".to_owned(),
        };
        task::stop(region, now, id, &Stop { code: "ServiceSchedulerInitiated", reason });
        changed = true;
    }
    say_stopped(region, now, key, &decision.unhealthy);
    if decision.blocked
        && let Some(service) = region.ecs.services.get_mut(key)
    {
        // ECS neither fails such a deployment nor ends it: it says so in an event and waits.
        let what = "was unable to stop or start tasks during a deployment because of the service deployment \
                    configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
        service.events.push_rarely(&mut region.base.ids, now, &key.service, what);
    }
    changed
}

/// A service deployment is PENDING, and a stop or rollback REQUESTED, until the scheduler first takes it up.
fn begin_service_deployment(region: &mut Region<'_>, now: Millis, key: &ServiceKey) {
    let Some(service) = region.ecs.services.get_mut(key) else { return };
    let arn = service.primary.service_deployment.clone();
    service.current_service_deployment = Some(arn.clone());
    let Some(record) = service.service_deployment_mut(&arn) else { return };
    match record.status {
        ServiceDeploymentStatus::Pending => {
            record.started_at = Some(now);
            record.turn(now, ServiceDeploymentStatus::InProgress, None);
        }
        ServiceDeploymentStatus::StopRequested => record.turn(now, ServiceDeploymentStatus::Stopped, None),
        ServiceDeploymentStatus::RollbackRequested => {
            record.turn(now, ServiceDeploymentStatus::RollbackInProgress, None);
        }
        _ => {}
    }
}

fn launch(region: &mut Region<'_>, now: Millis, key: &ServiceKey, count: u32) -> bool {
    let Some(service) = region.ecs.services.get_mut(key).filter(|_| count > 0) else { return false };
    let attempt = service.primary.backoff.attempt();
    let mut started = Vec::new();
    for _ in 0..count {
        match task::launch(region, now, key, attempt) {
            Ok(id) => started.push(id),
            Err(reason) => failures::refused(region, now, key, attempt, &reason),
        }
    }
    if !started.is_empty() {
        // ECS writes the plural even for one task.
        let what = format!("has started {} tasks: {}.", started.len(), listed(&started));
        region.say(now, key, &what);
    }
    true
}

fn scale_in(region: &mut Region<'_>, now: Millis, key: &ServiceKey, tasks: &[TaskId]) -> bool {
    let Some(service) = region.ecs.services.get(key).filter(|_| !tasks.is_empty()) else { return false };
    // Old tasks of a healthy roll stop with this reason, too: it is no sign of a failure.
    let reason = format!("Scaling activity initiated by (deployment {})", service.primary.id);
    let stop = Stop { code: "ServiceSchedulerInitiated", reason };
    say_stopped(region, now, key, tasks);
    for id in tasks {
        task::stop(region, now, id, &stop);
    }
    true
}

/// Running tasks are named, pending ones are counted.
fn say_stopped(region: &mut Region<'_>, now: Millis, key: &ServiceKey, tasks: &[TaskId]) {
    let runs = |id: &&TaskId| region.ecs.tasks.get(*id).is_some_and(|task| task.started_at.is_some());
    let running: Vec<TaskId> = tasks.iter().filter(runs).cloned().collect();
    let pending = tasks.len() - running.len();
    if pending > 0 {
        region.say(now, key, &format!("stopped {pending} pending tasks."));
    }
    if !running.is_empty() {
        let what = format!("has stopped {} running tasks: {}.", running.len(), listed(&running));
        region.say(now, key, &what);
    }
}

fn listed(tasks: &[TaskId]) -> String {
    tasks.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}

/// A DRAINING service becomes INACTIVE with its last task. True when it did.
fn drained_away(region: &mut Region<'_>, now: Millis, key: &ServiceKey) -> bool {
    let left = region.ecs.tasks.live_of(key).next().is_some();
    let Some(service) = region.ecs.services.get_mut(key) else { return false };
    if service.status != ServiceStatus::Draining || left {
        return false;
    }
    service.status = ServiceStatus::Inactive;
    // DescribeServices still shows an INACTIVE service for a while, and MISSING after that (ECS API, DeleteService).
    let at = now.plus_millis(region.base.settings.pace.memory_ms);
    region.ecs.timers.push(region.base.moment(at), Due::ForgetService(key.clone()));
    true
}

/// Has the service looked at again at `at`, unless that is arranged already.
fn wake(region: &mut Region<'_>, now: Millis, key: &ServiceKey, at: Option<Millis>) {
    let Some(service) = region.ecs.services.get_mut(key) else { return };
    let arranged = service.wake_at.filter(|arranged| *arranged > now);
    let Some(at) = at.filter(|at| arranged.is_none_or(|arranged| *at < arranged)) else { return };
    // Never at this very moment: a timer that is due as soon as it is set would stop the clock.
    let at = at.max(now.plus_millis(1));
    service.wake_at = Some(at);
    region.ecs.timers.push(region.base.moment(at), Due::Wake(key.clone()));
}
