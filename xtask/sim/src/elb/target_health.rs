//! The life of a target: registered, checked, healthy or unhealthy, draining, removed.
//!
//! A newly registered target needs one passed check; afterwards the thresholds count consecutive answers. The checks
//! themselves are the workload's: a timer emits [`Effect::CheckTarget`], [`answered`] takes the answer.

use std::mem::discriminant;

use serde::Serialize;

use super::health_check::HealthCheck;
use super::state::{Due, State};
use super::target_group::TargetGroup;
use crate::base::{Base, Millis};
use crate::workload::{Answer, Effect, TaskId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) ip: String,
    pub(crate) port: u16,
    /// The task that has the address; empty for an address that no task has, which then never answers.
    pub(crate) task: TaskId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TargetState {
    /// Registered, and no check has passed yet.
    Initial,
    Healthy,
    /// Gets requests only when all targets are unhealthy.
    Unhealthy,
    /// Deregistered, finishing what it has.
    Draining,
    /// Not registered, or in a group that no listener forwards to.
    Unused,
}

/// A target's health as DescribeTargetHealth shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetHealth {
    pub(crate) state: TargetState,
    /// Such as `Target.ResponseCodeMismatch`; none when healthy.
    pub(crate) reason: Option<&'static str>,
    /// The reason in words, such as `Health checks failed with these codes: [404]`.
    pub(crate) description: Option<String>,
}

/// A target of a group.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    pub(super) target: Target,
    phase: Phase,
    /// Which registration this is: a timer of an earlier one is void.
    epoch: u64,
    /// When the check was sent whose answer is awaited.
    sent: Option<Millis>,
    /// When the failed check was sent that counted last.
    counted: Option<Millis>,
}

#[derive(Clone, Debug)]
enum Phase {
    Registering,
    Initial { failures: u32 },
    Healthy { failures: u32 },
    Unhealthy { answer: Answer, passes: u32 },
    Draining,
}

/// What a registration takes before the first check is sent, on AWS and where someone waits.
const REGISTRATION_MS: u64 = 3_000;
const BRISK_REGISTRATION_MS: u64 = 50;

/// Registers a target and begins to check it. A draining target is registered again; a registered one stays as it is.
pub(crate) fn register(base: &mut Base, elb: &mut State, now: Millis, target_group: &str, target: Target) {
    let Some(group) = elb.target_groups.get_mut(target_group) else { return };
    match group.targets.iter_mut().find(|own| own.target.ip == target.ip && own.target.port == target.port) {
        Some(own) if !matches!(own.phase, Phase::Draining) => {
            own.target.task = target.task;
            return;
        }
        Some(own) => own.target = target.clone(),
        None => group.targets.push(Registered {
            target: target.clone(),
            phase: Phase::Registering,
            epoch: 0,
            sent: None,
            counted: None,
        }),
    }
    if group.in_use {
        begin(base, elb, now, target_group, &target.ip, target.port);
    }
}

/// Starts the checks of a target again, the first one after the registration.
fn begin(base: &mut Base, elb: &mut State, now: Millis, target_group: &str, ip: &str, port: u16) {
    let delay =
        if base.settings.pace.first_checks_ms.is_some() { BRISK_REGISTRATION_MS } else { REGISTRATION_MS };
    elb.epochs += 1;
    let epoch = elb.epochs;
    let Some(own) = elb.registered_mut(target_group, ip, port) else { return };
    own.restart(epoch);
    let due = Due::Check { target_group: target_group.to_owned(), ip: ip.to_owned(), port, epoch };
    elb.timers.push(base.moment(now.plus_millis(delay)), due);
}

/// Starts draining a target: it gets no new requests, and is gone after the deregistration delay.
pub(crate) fn deregister(
    base: &mut Base,
    elb: &mut State,
    now: Millis,
    target_group: &str,
    ip: &str,
    port: u16,
) {
    let Some(group) = elb.target_groups.get_mut(target_group) else { return };
    let delay = group.deregistration_delay_secs();
    // A target of a group that no listener leads to is `unused`, and has nothing to drain.
    if !group.in_use || delay == 0 {
        return elb.remove(target_group, |own| own.is_at(ip, port));
    }
    elb.epochs += 1;
    let epoch = elb.epochs;
    let Some(own) = elb.registered_mut(target_group, ip, port) else { return };
    if !matches!(own.phase, Phase::Draining) {
        own.restart(epoch);
        own.phase = Phase::Draining;
        let task = own.target.task.clone();
        let due = Due::Drained { target_group: target_group.to_owned(), ip: ip.to_owned(), port, epoch };
        elb.timers.push(base.moment(now.plus_secs(delay)), due);
        elb.changed.insert(task);
    }
}

/// Marks a group as in use or not: its targets are checked from the start, or no longer.
pub(super) fn put_in_use(base: &mut Base, elb: &mut State, now: Millis, target_group: &str, in_use: bool) {
    elb.epochs += 1;
    let epoch = elb.epochs;
    // Nothing drains in a group without a listener, and a group that gets one begins with what is registered.
    elb.remove(target_group, |own| matches!(own.phase, Phase::Draining));
    let Some(group) = elb.target_groups.get_mut(target_group) else { return };
    group.in_use = in_use;
    group.targets.iter_mut().for_each(|own| own.restart(epoch));
    let targets: Vec<Target> = group.targets.iter().map(|own| own.target.clone()).collect();
    elb.changed.extend(targets.iter().map(|target| target.task.clone()));
    if in_use {
        for target in targets {
            begin(base, elb, now, target_group, &target.ip, target.port);
        }
    }
}

/// Lets a timer's moment happen.
pub(crate) fn due(base: &mut Base, elb: &mut State, at: Millis, due: Due) {
    match due {
        Due::Active { load_balancer } => {
            if let Some(balancer) = elb.load_balancers.get_mut(&load_balancer) {
                balancer.active = true;
            }
        }
        Due::Drained { target_group, ip, port, epoch } => {
            elb.remove(&target_group, |own| own.epoch == epoch && own.is_at(&ip, port));
        }
        Due::Check { target_group, ip, port, epoch } => check(base, elb, at, target_group, ip, port, epoch),
    }
}

fn check(
    base: &mut Base,
    elb: &mut State,
    at: Millis,
    target_group: String,
    ip: String,
    port: u16,
    epoch: u64,
) {
    let first_checks = base.settings.pace.first_checks_ms;
    let Some(group) = elb.target_groups.get_mut(&target_group) else { return };
    let health_check = group.health_check.clone();
    let Some(own) = group.targets.iter_mut().find(|own| own.epoch == epoch && own.is_at(&ip, port)) else {
        return;
    };
    // A workload that never answered has let the timeout pass, which is always shorter than the interval.
    if own.judge(&health_check, &Answer::TimedOut) {
        elb.changed.insert(own.target.task.clone());
    }
    if matches!(own.phase, Phase::Registering) {
        own.phase = Phase::Initial { failures: 0 };
    }
    own.sent = Some(at);
    if !own.target.task.is_empty() {
        base.effects.push(Effect::CheckTarget {
            target_group: target_group.clone(),
            task: own.target.task.clone(),
            // `traffic-port` is no number: then the check uses the target's own port.
            port: health_check.port.parse().unwrap_or(port),
            path: health_check.path.clone(),
            version: health_check.version,
            timeout_secs: health_check.timeout_secs,
        });
    }
    let interval = health_check.interval_secs * 1000;
    let next = match first_checks {
        Some(soon) if !matches!(own.phase, Phase::Healthy { .. }) => interval.min(soon),
        _ => interval,
    };
    elb.timers.push(base.moment(at.plus_millis(next)), Due::Check { target_group, ip, port, epoch });
}

/// Takes a target's answer to a health check.
pub(crate) fn answered(elb: &mut State, target_group: &str, task: &TaskId, answer: &Answer) {
    let Some(group) = elb.target_groups.get_mut(target_group) else { return };
    let TargetGroup { targets, health_check, .. } = group;
    if let Some(own) = targets.iter_mut().find(|own| own.target.task == *task && own.sent.is_some())
        && own.judge(health_check, answer)
    {
        elb.changed.insert(task.clone());
    }
}

impl Registered {
    fn is_at(&self, ip: &str, port: u16) -> bool {
        self.target.ip == ip && self.target.port == port
    }

    fn restart(&mut self, epoch: u64) {
        (self.phase, self.epoch, self.sent, self.counted) = (Phase::Registering, epoch, None, None);
    }

    /// Judges the answer to the check that was sent; one that nobody awaits is ignored. Returns true when the state
    /// of the target changed.
    fn judge(&mut self, settings: &HealthCheck, answer: &Answer) -> bool {
        let Some(sent) = self.sent.take() else { return false };
        let before = discriminant(&self.phase);
        let passed = match answer {
            Answer::Status(status) => settings.passes(*status),
            // A server that speaks HTTP/2 or gRPC, which this cloud does not: that it takes the connection has to do.
            Answer::Connected => true,
            Answer::TimedOut | Answer::Refused => false,
        };
        // At a brisk pace the first checks come faster than the interval. They may find a target healthy sooner,
        // but a slow start must not look worse than on AWS: failures count once per interval.
        let counts = self.counted.is_none_or(|counted| sent.since(counted) >= settings.interval_secs * 1000);
        if !passed && counts {
            self.counted = Some(sent);
        }
        let failed = |failures: u32| failures + u32::from(counts);
        self.phase = match (&self.phase, passed) {
            (Phase::Draining, _) => Phase::Draining,
            // A new target is healthy with its first passed check, whatever the threshold (ELB user guide, health checks).
            (Phase::Registering | Phase::Initial { .. } | Phase::Healthy { .. }, true) => {
                Phase::Healthy { failures: 0 }
            }
            (Phase::Unhealthy { passes, .. }, true) if passes + 1 >= settings.healthy_threshold => {
                Phase::Healthy { failures: 0 }
            }
            (Phase::Unhealthy { answer, passes }, true) => {
                Phase::Unhealthy { answer: answer.clone(), passes: passes + 1 }
            }
            // The threshold counts checks in a row: one failure begins it anew.
            (Phase::Unhealthy { .. }, false) => Phase::Unhealthy { answer: answer.clone(), passes: 0 },
            (Phase::Initial { failures } | Phase::Healthy { failures }, false)
                if failed(*failures) >= settings.unhealthy_threshold =>
            {
                Phase::Unhealthy { answer: answer.clone(), passes: 0 }
            }
            (Phase::Healthy { failures }, false) => Phase::Healthy { failures: failed(*failures) },
            (Phase::Initial { failures }, false) => Phase::Initial { failures: failed(*failures) },
            (Phase::Registering, false) => Phase::Registering,
        };
        if passed {
            self.counted = None;
        }
        before != discriminant(&self.phase)
    }

    /// The health of a target in a group that is in use.
    pub(super) fn health(&self) -> TargetHealth {
        let (state, reason, description) = match &self.phase {
            Phase::Registering => (
                TargetState::Initial,
                "Elb.RegistrationInProgress",
                "Target registration is in progress".to_owned(),
            ),
            Phase::Initial { .. } => (
                TargetState::Initial,
                "Elb.InitialHealthChecking",
                "Initial health checks in progress".to_owned(),
            ),
            Phase::Healthy { .. } => {
                return TargetHealth { state: TargetState::Healthy, reason: None, description: None };
            }
            Phase::Unhealthy { answer, .. } => {
                let (reason, description) = match answer {
                    Answer::Status(status) => (
                        "Target.ResponseCodeMismatch",
                        format!("Health checks failed with these codes: [{status}]"),
                    ),
                    Answer::TimedOut => ("Target.Timeout", "Request timed out".to_owned()),
                    Answer::Refused | Answer::Connected => {
                        ("Target.FailedHealthChecks", "Health checks failed".to_owned())
                    }
                };
                (TargetState::Unhealthy, reason, description)
            }
            Phase::Draining => (
                TargetState::Draining,
                "Target.DeregistrationInProgress",
                "Target deregistration is in progress".to_owned(),
            ),
        };
        TargetHealth { state, reason: Some(reason), description: Some(description) }
    }
}

pub(crate) fn health(elb: &State, target_group: &str, ip: &str, port: u16) -> TargetHealth {
    let unused = |reason, text: &str| TargetHealth {
        state: TargetState::Unused,
        reason: Some(reason),
        description: Some(text.to_owned()),
    };
    let group = elb.target_groups.get(target_group);
    match group.and_then(|group| Some((group, group.targets.iter().find(|own| own.is_at(ip, port))?))) {
        None => unused("Target.NotRegistered", "Target is not registered to the target group"),
        Some((group, _)) if !group.in_use => unused(
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        ),
        Some((_, own)) => own.health(),
    }
}

impl State {
    fn registered_mut(&mut self, target_group: &str, ip: &str, port: u16) -> Option<&mut Registered> {
        self.target_groups.get_mut(target_group)?.targets.iter_mut().find(|own| own.is_at(ip, port))
    }

    fn remove(&mut self, target_group: &str, which: impl Fn(&Registered) -> bool) {
        let Some(group) = self.target_groups.get_mut(target_group) else { return };
        let gone = group.targets.extract_if(.., |own| which(own));
        self.changed.extend(gone.map(|own| own.target.task));
    }
}
