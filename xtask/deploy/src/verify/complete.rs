//! Does a service run its release completely? Running = desired = healthy, in one deployment that is complete: all of it
//! from one reading.

use super::crashed::crashed_of;
use crate::model::arn_name;
use crate::redact;
use crate::rollout::{ServiceSnapshot, TargetSnapshot, TaskSnapshot};

/// A service, its tasks and its targets, read together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub service: ServiceSnapshot,
    /// Its tasks that should run.
    pub tasks: Vec<TaskSnapshot>,
    /// Its tasks that should not, of about the last hour.
    pub stopped: Vec<TaskSnapshot>,
    /// The targets of its target group; `None` when it has none.
    pub targets: Option<Vec<TargetSnapshot>>,
    /// Whether only its containers' health checks say that it works: it has no targets.
    pub by_checks: bool,
}

/// What keeps a service from being complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    pub text: String,
    /// Whether waiting may fix it: tasks start, targets are checked, a deployment is in progress.
    pub passing: bool,
}

/// So many tasks that did not start are no accident: the smallest threshold of the circuit breaker (developer guide,
/// deployment-circuit-breaker).
const STARTS: usize = 3;

fn lack(passing: bool, text: String) -> Lack {
    Lack { text, passing }
}

impl Reading {
    /// Somebody scaled it to 0: it runs nothing, and that is no failure of a release.
    pub fn is_parked(&self) -> bool {
        self.service.is_active() && self.service.desired == 0
    }

    /// A deployment of it is in progress.
    pub fn is_rolling(&self) -> bool {
        let moves = |state: &Option<String>| state.as_deref() == Some("IN_PROGRESS");
        self.service.deployments.iter().any(|deployment| moves(&deployment.rollout_state))
    }

    /// How many running tasks have a healthy target.
    pub fn healthy(&self) -> usize {
        let targets = self.targets.as_deref().unwrap_or_default();
        // During and after a roll old and new targets are listed side by side: only an address leads from a target to its task.
        let healthy = |ip: &str| targets.iter().any(|target| target.ip == ip && target.is_healthy());
        self.running().filter(|task| task.private_ip.as_deref().is_some_and(healthy)).count()
    }

    /// How many running tasks serve: those with a healthy target; of a worker those that pass their container's health check. Where
    /// that never judged a task, the revision has none.
    pub fn serving(&self) -> usize {
        let judged = |task: &TaskSnapshot| ["HEALTHY", "UNHEALTHY"].contains(&task.health.as_str());
        let checked = || self.by_checks || self.running().any(judged);
        match &self.targets {
            Some(_) => self.healthy(),
            None if checked() => self.running().filter(|task| task.health == "HEALTHY").count(),
            None => self.running().count(),
        }
    }

    /// Whether it serves: its newest deployment is complete, and as many tasks as it should have serve. Tasks of an older one may
    /// still be leaving.
    pub fn serves(&self) -> bool {
        let Self { service, .. } = self;
        let Some(primary) = service.deployments.first() else { return false };
        service.is_active()
            && service.desired > 0
            && primary.running >= service.desired
            // ECS sets no `rolloutState` behind a Classic Load Balancer (ECS API, Deployment).
            && primary.rollout_state.as_deref().is_none_or(|state| state == "COMPLETED")
            && self.serving() >= service.desired as usize
    }

    fn running(&self) -> impl Iterator<Item = &TaskSnapshot> {
        self.tasks.iter().filter(|task| task.is_running() && task.desired_status == "RUNNING")
    }

    /// What is missing. Tasks that stopped by themselves count, but those that are `known`, where there are so many.
    pub fn lacks(&self, known: &[String], crashes: usize) -> Vec<Lack> {
        let Self { service, targets, .. } = self;
        let (name, desired) = (&service.name, service.desired as usize);
        if !service.is_active() {
            return vec![lack(false, format!("service {name} is {}", service.status))];
        }
        let mut lacks = Vec::new();
        let Some((primary, others)) = service.deployments.split_first() else {
            return vec![lack(false, format!("service {name} has no deployment"))];
        };
        let (id, revision) = (&primary.id, arn_name(&primary.task_definition));
        let moves = primary.rollout_state.as_deref() == Some("IN_PROGRESS");
        if moves {
            lacks.push(lack(true, format!("{name}: deployment {id} of {revision} is in progress")));
        } else if primary.rollout_state.as_deref() == Some("FAILED") {
            lacks.push(lack(false, format!("{name}: deployment {id} of {revision} failed")));
        }
        // An ACTIVE deployment without tasks vanishes by itself; one with tasks still serves the old release.
        if let Some(other) = others.iter().find(|other| other.running > 0 || other.pending > 0) {
            let text = format!(
                "{name}: tasks of {} are still there besides {revision}",
                arn_name(&other.task_definition)
            );
            lacks.push(lack(true, text));
        } else if !others.is_empty() {
            lacks.push(lack(true, format!("{name} has {} deployments", service.deployments.len())));
        }
        let running = self.running().count();
        let (starts, why) = self.unstarted().filter(|_| running < desired).unwrap_or_default();
        if running == 0 && desired > 0 {
            lacks.push(lack(moves, format!("no task of {name} runs{why}")));
        } else if running != desired || service.running as usize != desired {
            // The tasks and the count are two replies: what lacks is in the other one.
            let runs = if running == desired { service.running as usize } else { running };
            lacks.push(lack(moves || starts < STARTS, format!("{name}: {runs} of {desired} tasks run{why}")));
        }
        let ill = self.running().filter(|task| task.health == "UNHEALTHY").count();
        if ill > 0 {
            lacks.push(lack(
                false,
                format!("{name}: {ill} of {desired} tasks fail their container's health check"),
            ));
        }
        let unknown = self.running().filter(|task| task.health == "UNKNOWN").count();
        if self.by_checks && unknown > 0 {
            // ECS replaces a worker's task that crashed without an event, and its deployment stays COMPLETED.
            let text = format!("{name}: {unknown} of {desired} tasks have not passed their health check yet");
            lacks.push(lack(true, text));
        }
        let healthy = self.healthy();
        if let Some(targets) = targets
            && healthy < desired
        {
            let bad = targets.iter().find(|target| target.state == "unhealthy");
            let why = bad.and_then(|target| target.description.as_ref().or(target.reason.as_ref()));
            let of = |ip: &str| targets.iter().any(|target| target.ip == ip);
            // ECS registers a task once: one that somebody deregistered gets no requests for the rest of its life.
            let lost = self.running().find(|task| task.private_ip.as_deref().is_some_and(|ip| !of(ip)));
            let lost = || {
                lost.map(|task| {
                    format!(
                        " (task {} is not registered; `cargo xtask restart` replaces it)",
                        task.short_id()
                    )
                })
            };
            let why = why.map(|why| format!(" ({why})")).or_else(lost).unwrap_or_default();
            let text = format!("{name}: {healthy} of {desired} targets are healthy{why}");
            lacks.push(lack(bad.is_none() && running > 0, text));
        }
        let mut crashed = self.crashed();
        crashed.retain(|task| !known.contains(&task.id));
        if crashes > 0 && crashed.len() >= crashes {
            lacks.push(lack(false, self.crash(crashed[0])));
        }
        lacks
    }

    /// How many tasks of the deployment did not start, and why the newest one did not. ECS tries again and again, also where that
    /// changes nothing: after a deployment, and where only the number of tasks changes, there is no circuit breaker that would say so.
    fn unstarted(&self) -> Option<(usize, String)> {
        let since = self.service.deployments.first()?.created_ms;
        let failed = |task: &&TaskSnapshot| task.stop_code.as_deref() == Some("TaskFailedToStart");
        let of = || self.stopped.iter().filter(|task| task.created_ms >= since).filter(failed);
        let task = of().max_by_key(|task| task.created_ms)?;
        let why = task.stopped_reason.as_deref()?;
        let why = redact::text(why);
        Some((of().count(), format!("; task {} failed to start: {why}", task.short_id())))
    }

    /// How a task stopped, in one sentence.
    pub fn crash(&self, task: &TaskSnapshot) -> String {
        let code = task.ended_first().and_then(|container| container.exit_code);
        let code = code.map(|code| format!(" with exit code {code}"));
        // ECS stopped it, and says why: "Task failed ELB health checks in (target-group …)".
        let why = task.stopped_reason.as_ref().filter(|_| code.is_none());
        let why = why.map(|why| format!(": {}", redact::text(why))).unwrap_or_default();
        let code = code.unwrap_or_default();
        let ran = task.started_ms.zip(task.stopped_ms).map(|(from, to)| to.saturating_sub(from) / 1000);
        let ran = ran.map(|secs| format!(" after {secs} s")).unwrap_or_default();
        let (id, revision) = (task.short_id(), arn_name(&task.task_definition));
        format!("{}: task {id} of {revision} stopped{code}{ran}{why}", self.service.name)
    }

    /// Tasks of the deployment that should run which stopped by themselves, the last one first. An earlier deployment of the same
    /// revision says nothing of this one: what made its tasks crash may be fixed.
    pub fn crashed(&self) -> Vec<&TaskSnapshot> {
        let Some(primary) = self.service.deployments.first() else { return Vec::new() };
        let mut crashed = self.crashed_of(&primary.task_definition);
        crashed.retain(|task| task.created_ms >= primary.created_ms);
        crashed
    }

    /// Tasks of a revision that stopped by themselves, the last one first. A task none of whose containers ran is not among them.
    pub fn crashed_of(&self, revision: &str) -> Vec<&TaskSnapshot> {
        crashed_of(&self.stopped, revision)
    }
}

#[cfg(test)]
#[path = "complete_tests.rs"]
mod tests;
