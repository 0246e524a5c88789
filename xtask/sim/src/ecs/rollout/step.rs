//! One pass over a service: census, circuit breaker, decision, and what follows from it.

use std::collections::BTreeSet;

use super::census::{self, Cause, Census};
use super::decision::{Class, Decision, Wants, decide};
use super::{breaker, completion, failures};
use crate::account::Account;
use crate::clock::Millis;
use crate::ecs::changed;
use crate::ecs::deployment::ServiceDeploymentStatus;
use crate::ecs::event::say;
use crate::ecs::service::ServiceStatus;
use crate::ecs::state::{Due, ServiceKey};
use crate::ecs::task::{self, Stop};
use crate::workload::TaskId;

/// Each pass starts or stops tasks, or begins a rollback, and looks again; more passes than this would mean
/// that the scheduler works against itself, and the next event will call it again anyway.
const MOST_PASSES: u32 = 32;

/// Brings every service that something has changed for closer to what it wants, as far as that is possible now.
pub(crate) fn reconcile(account: &mut Account, now: Millis) {
    let mut open = BTreeSet::new();
    for _ in 0..MOST_PASSES {
        open.append(&mut changed::take(account));
        if open.is_empty() {
            #[cfg(test)]
            overlooks_nothing(account, now);
            return;
        }
        open.retain(|key| {
            let changed = task::drained(account, now, key) | step(account, now, key);
            account.ecs.looked_at(key);
            changed
        });
    }
    open.iter().for_each(|key| account.ecs.look_at(key));
}

/// In every test: where nothing was noted as changed and no timer is due, a look finds nothing to do.
#[cfg(test)]
fn overlooks_nothing(account: &mut Account, now: Millis) {
    let is_due = |next: Option<crate::clock::Moment>| next.is_some_and(|next| next.at <= now);
    if is_due(account.ecs.timers.next()) || is_due(account.elb.timers.next()) {
        return;
    }
    let state =
        |account: &Account| (account.base.ids.clone(), account.base.effects.len(), account.ecs.timers.next());
    let keys: Vec<ServiceKey> = account.ecs.services.keys().cloned().collect();
    for key in keys {
        let before = state(account);
        let changed = task::drained(account, now, &key) | step(account, now, &key);
        assert!(!changed && before == state(account), "{key:?} was not looked at when it changed");
        account.ecs.looked_at(&key);
    }
}

/// True when something changed, so that another pass is needed.
fn step(account: &mut Account, now: Millis, key: &ServiceKey) -> bool {
    let Some(service) = account.ecs.services.get(key) else { return false };
    if service.status == ServiceStatus::Inactive {
        return false;
    }
    let census = census::take(account, now, key);
    let healthy = |member: &&super::decision::Member| member.class == Class::Healthy;
    let healthy: Vec<TaskId> =
        census.members.iter().filter(healthy).map(|member| member.task.clone()).collect();
    // Before the breaker looks: a healthy task sets its count of consecutive failures to zero.
    failures::found_healthy(account, key, &healthy);
    failures::found_unhealthy(account, now, key, &census.unhealthy);
    if breaker::watch(account, now, key) || breaker::watch_alarms(account, now, key) {
        return true;
    }
    let Some(wants) = wants(account, now, key) else { return false };
    let decision = decide(&census.members, wants);
    let changed = apply(account, now, key, &census, &decision);
    completion::retire(account, key);
    if changed {
        return true;
    }
    if drained_away(account, now, key) {
        return false;
    }
    let settles_at = completion::settle(account, now, key, &census);
    let retries_at = decision.waiting.then(|| retry_at(account, key)).flatten();
    let next = [census.changes_at, settles_at, retries_at].into_iter().flatten().min();
    wake(account, now, key, next);
    false
}

fn wants(account: &Account, now: Millis, key: &ServiceKey) -> Option<Wants> {
    let service = account.ecs.services.get(key)?;
    // DeleteService only sets the status: the tasks stop because none is wanted any more.
    let desired = if service.status == ServiceStatus::Draining { 0 } else { service.desired };
    let (lower, upper) = service.knobs.deployment.bounds(desired);
    // Tasks that never came to RUNNING are tried again after a growing pause, up to 15 minutes (developer guide, "service
    // throttle logic").
    let may_launch = service.primary.backoff.not_before() <= now;
    Some(Wants { desired, lower, upper, launches: service.primary.launches(), may_launch })
}

fn retry_at(account: &Account, key: &ServiceKey) -> Option<Millis> {
    account.ecs.services.get(key).map(|service| service.primary.backoff.not_before())
}

fn apply(account: &mut Account, now: Millis, key: &ServiceKey, census: &Census, decision: &Decision) -> bool {
    begin_service_deployment(account, now, key);
    let mut changed = launch(account, now, key, decision.launch);
    changed |= scale_in(account, now, key, &decision.scale_in);
    for id in &decision.unhealthy {
        let cause = census.unhealthy.iter().find(|(task, _)| task == id).map(|(_, cause)| cause);
        let reason = match cause {
            Some(Cause::Target { target_group, .. }) => {
                format!("Task failed ELB health checks in (target-group {target_group})")
            }
            _ => "Task failed container health checks".to_owned(),
        };
        task::stop(account, now, id, &Stop { code: "ServiceSchedulerInitiated", reason });
        changed = true;
    }
    say_stopped(account, now, key, &decision.unhealthy);
    if decision.blocked
        && let Some(service) = account.ecs.services.get_mut(key)
    {
        // ECS neither fails such a deployment nor ends it: it says so in an event and waits.
        let what = "was unable to stop or start tasks during a deployment because of the service deployment \
                    configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
        service.events.push_rarely(&mut account.base.ids, now, &key.service, what);
    }
    changed
}

/// A service deployment is PENDING, and a stop or rollback REQUESTED, until the scheduler first takes it up.
fn begin_service_deployment(account: &mut Account, now: Millis, key: &ServiceKey) {
    let Some(service) = account.ecs.services.get_mut(key) else { return };
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

fn launch(account: &mut Account, now: Millis, key: &ServiceKey, count: u32) -> bool {
    let Some(service) = account.ecs.services.get_mut(key).filter(|_| count > 0) else { return false };
    let attempt = service.primary.backoff.attempt();
    let mut started = Vec::new();
    for _ in 0..count {
        match task::launch(account, now, key, attempt) {
            Ok(id) => started.push(id),
            Err(reason) => failures::refused(account, now, key, attempt, &reason),
        }
    }
    if !started.is_empty() {
        // ECS writes the plural even for one task.
        let what = format!("has started {} tasks: {}.", started.len(), listed(&started));
        say(account, now, key, &what);
    }
    true
}

fn scale_in(account: &mut Account, now: Millis, key: &ServiceKey, tasks: &[TaskId]) -> bool {
    let Some(service) = account.ecs.services.get(key).filter(|_| !tasks.is_empty()) else { return false };
    // Old tasks of a healthy roll stop with this reason, too: it is no sign of a failure.
    let reason = format!("Scaling activity initiated by (deployment {})", service.primary.id);
    let stop = Stop { code: "ServiceSchedulerInitiated", reason };
    say_stopped(account, now, key, tasks);
    for id in tasks {
        task::stop(account, now, id, &stop);
    }
    true
}

/// Running tasks are named, pending ones are counted.
fn say_stopped(account: &mut Account, now: Millis, key: &ServiceKey, tasks: &[TaskId]) {
    let runs = |id: &&TaskId| account.ecs.tasks.get(*id).is_some_and(|task| task.started_at.is_some());
    let running: Vec<TaskId> = tasks.iter().filter(runs).cloned().collect();
    let pending = tasks.len() - running.len();
    if pending > 0 {
        say(account, now, key, &format!("stopped {pending} pending tasks."));
    }
    if !running.is_empty() {
        let what = format!("has stopped {} running tasks: {}.", running.len(), listed(&running));
        say(account, now, key, &what);
    }
}

fn listed(tasks: &[TaskId]) -> String {
    tasks.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}

/// A DRAINING service becomes INACTIVE with its last task. True when it did.
fn drained_away(account: &mut Account, now: Millis, key: &ServiceKey) -> bool {
    let left = account.ecs.tasks.live_of(key).next().is_some();
    let Some(service) = account.ecs.services.get_mut(key) else { return false };
    if service.status != ServiceStatus::Draining || left {
        return false;
    }
    service.status = ServiceStatus::Inactive;
    // DescribeServices still shows an INACTIVE service for a while, and MISSING after that (ECS API, DeleteService).
    let at = now.plus_millis(account.base.settings.pace.memory_ms);
    account.ecs.timers.push(account.base.moment(at), Due::ForgetService(key.clone()));
    true
}

/// Has the service looked at again at `at`, unless that is arranged already.
fn wake(account: &mut Account, now: Millis, key: &ServiceKey, at: Option<Millis>) {
    let Some(service) = account.ecs.services.get_mut(key) else { return };
    let arranged = service.wake_at.filter(|arranged| *arranged > now);
    let Some(at) = at.filter(|at| arranged.is_none_or(|arranged| *at < arranged)) else { return };
    // Never at this very moment: a timer that is due as soon as it is set would stop the clock.
    let at = at.max(now.plus_millis(1));
    service.wake_at = Some(at);
    account.ecs.timers.push(account.base.moment(at), Due::Wake(key.clone()));
}
