//! Does a service run its release completely? Running = desired = healthy, in one deployment that is complete: all of it
//! from one reading.

use std::time::UNIX_EPOCH;

use humantime::parse_rfc3339;

use crate::history::PROVEN;
use crate::model::{TaskDefinitionState, arn_name};
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
        self.service.status == "ACTIVE" && self.service.desired == 0
    }

    /// A deployment of it is in progress.
    pub fn is_rolling(&self) -> bool {
        let moves = |state: &Option<String>| state.as_deref() == Some("IN_PROGRESS");
        self.service.deployments.iter().any(|deployment| moves(&deployment.rollout_state))
    }

    /// How many running tasks have a healthy target.
    pub fn healthy(&self) -> usize {
        let targets = self.targets.as_deref().unwrap_or_default();
        let healthy = |ip: &str| targets.iter().any(|target| target.ip == ip && target.state == "healthy");
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
        service.status == "ACTIVE"
            && service.desired > 0
            && primary.running >= service.desired
            && primary.rollout_state.as_deref().is_none_or(|state| state == "COMPLETED")
            && self.serving() >= service.desired as usize
    }

    fn running(&self) -> impl Iterator<Item = &TaskSnapshot> {
        self.tasks.iter().filter(|task| task.last_status == "RUNNING" && task.desired_status == "RUNNING")
    }

    /// What is missing. Tasks that stopped by themselves count, but those that are `known`, where there are so many.
    pub fn lacks(&self, known: &[String], crashes: usize) -> Vec<Lack> {
        let Self { service, targets, .. } = self;
        let (name, desired) = (&service.name, service.desired as usize);
        if service.status != "ACTIVE" {
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
            lacks.push(lack(
                moves || starts < STARTS,
                format!("{name}: {running} of {desired} tasks run{why}"),
            ));
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
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
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

/// The same, of the tasks that ECS still shows.
fn crashed_of<'a>(stopped: &'a [TaskSnapshot], revision: &str) -> Vec<&'a TaskSnapshot> {
    let by_itself = |task: &&TaskSnapshot| {
        // "Task failed ELB health checks in (target-group …)", "Task failed container health checks". Scaling in and a
        // deployment's own stops have the same `stopCode`, but say "Scaling activity initiated by".
        let failed_checks = task.stopped_reason.as_deref().is_some_and(|it| it.contains("failed"));
        // `startedAt` is when the task came to RUNNING. A container that exits earlier, while others start or the targets are
        // registered, ran all the same.
        task.exited() || (failed_checks && task.started_ms.is_some())
    };
    let mut crashed: Vec<_> =
        stopped.iter().filter(|task| task.task_definition == revision).filter(by_itself).collect();
    // `stoppedAt` appears some seconds after the task is STOPPED: one without it is the newest.
    crashed.sort_by_key(|task| std::cmp::Reverse(task.stopped_ms.unwrap_or(u64::MAX)));
    crashed
}

/// Whether a revision has crashed since it was proven: of its tasks at least as many as should run stopped by themselves, and not
/// just one, which is what any host failure causes. What crashed before the last proof was fixed by then.
pub fn crashed_since_proof(
    revision: &TaskDefinitionState,
    stopped: &[TaskSnapshot],
    desired: u32,
    counts: impl Fn(&TaskSnapshot) -> bool,
) -> bool {
    let Some(proven) = revision.tags.get(PROVEN) else { return false };
    let proven_ms = parse_rfc3339(proven).ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let proven_ms = proven_ms.map_or(0, |at| at.as_millis());
    // A task that ECS took out before the proof may have drained through it.
    let since = |task: &&TaskSnapshot| {
        task.stopping_ms.or(task.stopped_ms).is_none_or(|at| u128::from(at) > proven_ms)
    };
    let crashed = crashed_of(stopped, &revision.arn);
    let crashed = crashed.into_iter().filter(since).filter(|task| counts(task)).count();
    crashed >= usize::try_from(desired).unwrap_or(usize::MAX).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::DeploymentSnapshot;

    fn task(id: &str) -> TaskSnapshot {
        TaskSnapshot {
            id: id.into(),
            task_definition: "td/web:2".into(),
            last_status: "RUNNING".into(),
            desired_status: "RUNNING".into(),
            private_ip: Some(id.into()),
            started_ms: Some(1_000),
            ..TaskSnapshot::default()
        }
    }

    fn target(ip: &str, state: &str) -> TargetSnapshot {
        TargetSnapshot { ip: ip.into(), state: state.into(), ..TargetSnapshot::default() }
    }

    fn complete() -> Reading {
        let primary = DeploymentSnapshot {
            id: "ecs-svc/2".into(),
            status: "PRIMARY".into(),
            rollout_state: Some("COMPLETED".into()),
            running: 2,
            task_definition: "td/web:2".into(),
            ..DeploymentSnapshot::default()
        };
        let service = ServiceSnapshot {
            name: "web".into(),
            status: "ACTIVE".into(),
            desired: 2,
            running: 2,
            deployments: vec![primary],
            ..ServiceSnapshot::default()
        };
        let targets = Some(vec![target("a", "healthy"), target("b", "healthy")]);
        Reading { service, tasks: vec![task("a"), task("b")], stopped: Vec::new(), targets, by_checks: false }
    }

    #[test]
    fn nothing_less_than_everything_at_once_is_complete() {
        assert_eq!(complete().lacks(&[], 1), []);
        let crashed = TaskSnapshot {
            stop_code: Some("EssentialContainerExited".into()),
            stopped_ms: Some(21_000),
            ..task("c")
        };
        let foreign = DeploymentSnapshot {
            rollout_state: Some("IN_PROGRESS".into()),
            ..complete().service.deployments[0].clone()
        };
        type Case<'a> = (&'a dyn Fn(&mut Reading), &'a str, bool);
        let cases: [Case<'_>; 11] = [
            (&|it| it.service.status = "DRAINING".into(), "service web is DRAINING", false),
            (&|it| it.service.deployments.clear(), "service web has no deployment", false),
            (
                &|it| it.service.deployments[0] = foreign.clone(),
                "web: deployment ecs-svc/2 of web:2 is in progress",
                true,
            ),
            (&|it| it.service.deployments.push(DeploymentSnapshot::default()), "web has 2 deployments", true),
            (&|it| it.service.running = 1, "web: 2 of 2 tasks run", true),
            (&|it| it.service.desired = 3, "web: 2 of 3 tasks run", true),
            (&|it| it.tasks.clear(), "no task of web runs", false),
            (&|it| it.tasks[1].desired_status = "STOPPED".into(), "web: 1 of 2 tasks run", true),
            (
                &|it| it.targets = Some(vec![target("a", "healthy"), target("of another", "healthy")]),
                "web: 1 of 2 targets are healthy",
                true,
            ),
            (
                &|it| it.targets = Some(vec![target("a", "healthy"), target("b", "unhealthy")]),
                "web: 1 of 2 targets are healthy",
                false,
            ),
            (&|it| it.stopped.push(crashed.clone()), "web: task c of web:2 stopped after 20 s", false),
        ];
        for (change, text, passing) in cases {
            let mut reading = complete();
            change(&mut reading);
            let lacks = reading.lacks(&[], 1);
            assert_eq!(lacks.first(), Some(&lack(passing, text.to_owned())), "{lacks:?}");
        }
    }

    #[test]
    fn it_serves_while_an_older_deployment_leaves_and_not_with_a_task_that_fails() {
        type Case<'a> = (&'a dyn Fn(&mut Reading), bool);
        let worker = |it: &mut Reading, healths: [&str; 2]| {
            it.targets = None;
            it.tasks.iter_mut().zip(healths).for_each(|(task, health)| task.health = health.into());
        };
        let cases: [Case<'_>; 12] = [
            (&|_| {}, true),
            (&|it| it.targets = Some(vec![target("a", "healthy"), target("b", "unhealthy")]), false),
            (&|it| it.service.deployments.push(DeploymentSnapshot::default()), true),
            (&|it| it.service.deployments.insert(0, DeploymentSnapshot::default()), false),
            (&|it| it.service.deployments.clear(), false),
            (&|it| it.service.deployments[0].rollout_state = Some("IN_PROGRESS".into()), false),
            (&|it| it.service.deployments[0].rollout_state = None, true),
            (&|it| it.service.status = "DRAINING".into(), false),
            (&|it| worker(it, ["UNKNOWN", "UNKNOWN"]), true),
            (&|it| worker(it, ["HEALTHY", "UNKNOWN"]), false),
            (&|it| worker(it, ["HEALTHY", "UNHEALTHY"]), false),
            (&|it| worker(it, ["HEALTHY", "HEALTHY"]), true),
        ];
        for (place, (change, serves)) in cases.iter().enumerate() {
            let mut reading = complete();
            change(&mut reading);
            assert_eq!(reading.serves(), *serves, "case {place}");
        }
        let mut unjudged = Reading { by_checks: true, ..complete() };
        worker(&mut unjudged, ["UNKNOWN", "UNKNOWN"]);
        assert!(!unjudged.serves(), "its revision has a check, and no task has passed it yet");
    }

    #[test]
    fn a_worker_whose_new_tasks_were_not_checked_yet_is_not_complete() {
        let mut worker = Reading { targets: None, by_checks: true, ..complete() };
        worker.tasks.iter_mut().for_each(|task| task.health = "HEALTHY".into());
        assert_eq!(worker.lacks(&[], 1), []);
        worker.tasks[0].health = "UNKNOWN".into();
        let text = "web: 1 of 2 tasks have not passed their health check yet".to_owned();
        assert_eq!(worker.lacks(&[], 1), [lack(true, text)]);
        worker.by_checks = false;
        assert_eq!(worker.lacks(&[], 1), [], "tasks without a check are UNKNOWN for ever");
    }

    #[test]
    fn a_service_scaled_to_0_lacks_nothing_and_serves_nothing() {
        let mut reading = complete();
        (reading.service.desired, reading.service.running) = (0, 0);
        (reading.tasks, reading.targets) = (Vec::new(), Some(Vec::new()));
        assert!(reading.is_parked() && !reading.serves());
        assert_eq!(reading.lacks(&[], 1), []);
    }

    /// Without `startedAt`: while `scale` or a restart brings tasks that exit at once, or that AWS cannot start.
    #[test]
    fn a_task_that_exits_before_it_is_running_crashed_and_one_that_never_started_says_why() {
        let stopped = |code: &str, reason: &str, started_ms| TaskSnapshot {
            stop_code: Some(code.into()),
            stopped_reason: Some(reason.into()),
            started_ms,
            ..task("c")
        };
        let cases = [
            ("EssentialContainerExited", "Essential container in task exited", None, true),
            ("EssentialContainerExited", "Essential container in task exited", Some(1), true),
            ("ServiceSchedulerInitiated", "Task failed container health checks", Some(1), true),
            (
                "ServiceSchedulerInitiated",
                "Scaling activity initiated by (deployment ecs-svc/2)",
                Some(1),
                false,
            ),
            ("TaskFailedToStart", "ResourceInitializationError: failed to validate logger args", None, false),
            ("UserInitiated", "Task stopped by ana", Some(1), false),
        ];
        for (code, reason, started, crashed) in cases {
            let reading = Reading { stopped: vec![stopped(code, reason, started)], ..complete() };
            assert_eq!(reading.crashed().len(), usize::from(crashed), "{code} {reason}");
        }
        let mut reading = complete();
        reading.service.desired = 3;
        let older = TaskSnapshot { created_ms: 0, ..stopped("TaskFailedToStart", "older", None) };
        let newer = TaskSnapshot {
            created_ms: 9,
            ..stopped("TaskFailedToStart", "CannotPullContainerError: x", None)
        };
        reading.stopped = vec![newer, older];
        let text = "web: 2 of 3 tasks run; task c failed to start: CannotPullContainerError: x";
        assert_eq!(reading.lacks(&[], 1)[0], lack(true, text.to_owned()));
        let third = TaskSnapshot { created_ms: 1, ..reading.stopped[1].clone() };
        reading.stopped.push(third);
        assert_eq!(reading.lacks(&[], 1)[0], lack(false, text.to_owned()), "time alone brings no third task");
        reading.service.deployments[0].created_ms = 10;
        assert_eq!(
            reading.lacks(&[], 1)[0],
            lack(true, "web: 2 of 3 tasks run".to_owned()),
            "an earlier deployment's"
        );
    }

    #[test]
    fn a_crash_of_an_earlier_deployment_of_the_same_revision_is_not_one_of_this() {
        let mut reading = complete();
        reading.service.deployments[0].created_ms = 500;
        let crash = |created_ms| TaskSnapshot {
            stop_code: Some("EssentialContainerExited".into()),
            created_ms,
            ..task("c")
        };
        reading.stopped = vec![crash(499)];
        assert_eq!(reading.lacks(&[], 1), []);
        reading.stopped = vec![crash(500)];
        assert_eq!(reading.lacks(&[], 1).len(), 1);
    }

    #[test]
    fn a_task_that_somebody_stopped_or_that_crashed_before_is_no_crash() {
        let mut reading = complete();
        let stopped = |id, code: &str| TaskSnapshot { stop_code: Some(code.into()), ..task(id) };
        reading.stopped = vec![stopped("c", "UserInitiated"), stopped("d", "EssentialContainerExited")];
        assert_eq!(reading.lacks(&["d".to_owned()], 1), []);
        assert_eq!(reading.lacks(&[], 2), []);
        assert_eq!(reading.lacks(&[], 1).len(), 1);
    }
}
