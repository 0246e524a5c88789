//! Derives what a deployment waits for, so that a person can distinguish slow from stuck.

use super::{Checks, Lagging, Leave, Leaving, Waiting};
use crate::rollout::sightings::{Pace, Sightings};
use crate::rollout::snapshot::{ServiceSnapshot, TargetSnapshot, TaskSnapshot};

/// One poll of one service. `tasks` and `targets` may hold older deployments' too: the load balancer lists old and new
/// targets side by side, and only addresses distinguish them.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub deployment: &'a str,
    pub service: &'a ServiceSnapshot,
    pub tasks: &'a [TaskSnapshot],
    /// Its targets; `None` for a worker, which has none.
    pub targets: Option<&'a [TargetSnapshot]>,
    /// Whether its container has a health check of its own.
    pub checked: bool,
}

/// What our deployment waits for at `now_ms`, on the clock of the sightings, which must contain this poll already.
pub fn waiting(view: View<'_>, pace: Pace, sightings: &Sightings, now_ms: u64) -> Waiting {
    let View { deployment, service, tasks, targets, checked } = view;
    let Some(ours) = service.deployments.iter().find(|entry| entry.id == deployment) else {
        return Waiting::FirstSight;
    };
    // The rollback is another deployment: of ours only its failure is left to see.
    if ours.rollout_state.as_deref() == Some("FAILED") {
        return Waiting::Rollback;
    }
    // The counts of our deployment, not of the service: those include the tasks that ours replaces.
    if ours.running < ours.desired {
        return Waiting::Tasks;
    }
    let running =
        // `lastStatus` lags: a task that ECS has decided to stop still says RUNNING, and its target is still healthy.
        tasks.iter().filter(|task| task.started_by == deployment && task.desired_status == "RUNNING");
    if targets.is_none() && checked {
        let healthy = running.clone().filter(|task| task.health == "HEALTHY").count();
        let healthy = u32::try_from(healthy).unwrap_or(u32::MAX);
        if healthy < ours.desired {
            return Waiting::Checks { healthy, wanted: ours.desired };
        }
    }
    let running: Vec<(&str, &str)> =
        running.filter_map(|task| Some((task.private_ip.as_deref()?, task.id.as_str()))).collect();
    let task_at = |ip: &str| running.iter().find(|(address, _)| *address == ip).map(|(_, task)| *task);
    let (healthy, rest): (Vec<_>, Vec<_>) = targets
        .unwrap_or_default()
        .iter()
        .filter(|target| task_at(&target.ip).is_some())
        .partition(|target| target.is_healthy());
    let count = u32::try_from(healthy.len()).unwrap_or(u32::MAX);
    if targets.is_some() && !running.is_empty() && count < ours.desired {
        let lagging = rest.first().map(|target| {
            let runs_ms = task_at(&target.ip).and_then(|task| sightings.running_ms(now_ms, task));
            lagging(target, pace, sightings.target_ms(now_ms, target), runs_ms)
        });
        return Waiting::Targets { healthy: count, wanted: ours.desired, lagging };
    }
    // `runningCount` leaves a draining task out, but the deployment is not COMPLETED before it has stopped.
    let leaving: Vec<_> =
        tasks.iter().filter(|task| task.started_by != deployment && !task.is_stopped()).collect();
    let running: u32 =
        service.deployments.iter().filter(|entry| entry.id != deployment).map(|entry| entry.running).sum();
    let old = running.max(u32::try_from(leaving.len()).unwrap_or(u32::MAX));
    if old == 0 {
        return if service.desired == 0 { Waiting::NoTasks } else { Waiting::Completion };
    }
    // The one that is furthest: its end is what comes next.
    let first = leaving
        .iter()
        .filter_map(|task| step(task, pace, sightings, now_ms))
        .max_by_key(|it| (it.step, it.secs));
    Waiting::Draining { old, leaving: first }
}

fn lagging(target: &TargetSnapshot, pace: Pace, seen_ms: Option<u64>, runs_ms: Option<u64>) -> Lagging {
    let is_new = target.state == "initial";
    let checks = seen_ms
        .filter(|_| is_new && pace.interval_secs > 0)
        .map(|seen_ms| Checks { about: seen_ms / 1000 / pace.interval_secs, apart_secs: pace.interval_secs });
    let left = runs_ms.map(|runs_ms| pace.grace_secs.saturating_sub(runs_ms / 1000));
    Lagging {
        ip: target.ip.clone(),
        state: target.state.clone(),
        says: target.description.clone().or(target.reason.clone()).filter(|_| !is_new),
        checks,
        // `initial` is no failure: the grace period matters once the target is unhealthy.
        grace_secs: left.filter(|left| !is_new && *left > 0),
    }
}

/// How far an old task is in stopping; `None` while it serves.
fn step(task: &TaskSnapshot, pace: Pace, sightings: &Sightings, now_ms: u64) -> Option<Leaving> {
    let (step, of_secs) = match task.last_status.as_str() {
        "DEACTIVATING" => (Leave::Draining, pace.deregistration_delay_secs),
        "STOPPING" => (Leave::Stopping, pace.stop_timeout_secs),
        _ => return None,
    };
    Some(Leaving { step, secs: sightings.task_ms(now_ms, task)? / 1000, of_secs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::DeploymentSnapshot;

    fn deployment(id: &str, desired: u32, running: u32) -> DeploymentSnapshot {
        DeploymentSnapshot { id: id.into(), desired, running, ..Default::default() }
    }

    fn task(by: &str, ip: &str) -> TaskSnapshot {
        TaskSnapshot {
            started_by: by.into(),
            desired_status: "RUNNING".into(),
            private_ip: Some(ip.into()),
            ..Default::default()
        }
    }

    fn target(ip: &str, state: &str) -> TargetSnapshot {
        TargetSnapshot { ip: ip.into(), state: state.into(), ..Default::default() }
    }

    fn service(running: u32, old: u32) -> ServiceSnapshot {
        let deployments = vec![deployment("ours", 2, running), deployment("old", 2, old)];
        ServiceSnapshot { desired: 2, deployments, ..Default::default() }
    }

    const PACE: Pace =
        Pace { interval_secs: 5, deregistration_delay_secs: 30, grace_secs: 60, stop_timeout_secs: 10 };

    /// What is waited for `after_ms` milliseconds of seeing the same.
    fn waits(
        after_ms: u64,
        service: &ServiceSnapshot,
        tasks: &[TaskSnapshot],
        targets: &[TargetSnapshot],
    ) -> Waiting {
        let mut sightings = Sightings::default();
        sightings.see(1_000, "ours", tasks, targets);
        let view = View { deployment: "ours", service, tasks, targets: Some(targets), checked: true };
        waiting(view, PACE, &sightings, 1_000 + after_ms)
    }

    fn found(waiting: Waiting) -> (u32, Lagging) {
        match waiting {
            Waiting::Targets { healthy, lagging: Some(lagging), .. } => (healthy, lagging),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_old_release_s_healthy_targets_are_not_counted_as_ours() {
        let tasks = [task("ours", "10.0.1.1"), task("ours", "10.0.1.2"), task("old", "10.0.1.3")];
        let targets =
            [target("10.0.1.1", "healthy"), target("10.0.1.2", "initial"), target("10.0.1.3", "healthy")];
        let (healthy, lagging) = found(waits(0, &service(2, 2), &tasks, &targets));
        assert_eq!((healthy, lagging.ip.as_str()), (1, "10.0.1.2"));
    }

    #[test]
    fn each_part_of_a_roll_is_distinguished() {
        let tasks = [task("ours", "10.0.1.1"), task("ours", "10.0.1.2")];
        let targets = [target("10.0.1.1", "healthy"), target("10.0.1.2", "healthy")];
        assert_eq!(waits(0, &ServiceSnapshot::default(), &[], &[]), Waiting::FirstSight);
        assert_eq!(waits(0, &service(1, 2), &[], &[]), Waiting::Tasks);
        assert_eq!(waits(0, &service(2, 2), &tasks, &targets), Waiting::Draining { old: 2, leaving: None });
        assert_eq!(waits(0, &service(2, 0), &tasks, &targets), Waiting::Completion);
        let emptied = ServiceSnapshot {
            desired: 0,
            deployments: vec![deployment("ours", 0, 0), deployment("old", 0, 0)],
            ..Default::default()
        };
        assert_eq!(waits(0, &emptied, &[], &[]), Waiting::NoTasks);
    }

    #[test]
    fn a_worker_waits_for_its_containers_checks_where_it_has_some_and_for_no_target() {
        let task = |ip, health: &str| TaskSnapshot { health: health.into(), ..task("ours", ip) };
        let tasks = [task("10.0.1.1", "HEALTHY"), task("10.0.1.2", "UNKNOWN")];
        let waits = |checked| {
            let view =
                View { deployment: "ours", service: &service(2, 0), tasks: &tasks, targets: None, checked };
            waiting(view, PACE, &Sightings::default(), 0)
        };
        assert_eq!(waits(true), Waiting::Checks { healthy: 1, wanted: 2 });
        assert_eq!(waits(false), Waiting::Completion);
    }

    #[test]
    fn a_new_target_s_checks_are_counted_by_the_time_it_has_been_seen() {
        let tasks = [task("ours", "10.0.1.1"), task("ours", "10.0.1.2")];
        let targets = [target("10.0.1.1", "initial")];
        for (after_ms, about) in [(0, 0), (4_900, 0), (5_000, 1), (12_000, 2)] {
            let (_, lagging) = found(waits(after_ms, &service(2, 2), &tasks, &targets));
            assert_eq!(lagging.checks, Some(Checks { about, apart_secs: 5 }), "after {after_ms} ms");
            assert_eq!(lagging.grace_secs, None);
        }
    }

    #[test]
    fn a_failing_target_says_why_and_for_how_long_that_is_forgiven() {
        let text = "Health checks failed with these codes: [404]";
        let targets = [TargetSnapshot { description: Some(text.into()), ..target("10.0.1.1", "unhealthy") }];
        let running =
            |ip: &str| TaskSnapshot { id: ip.to_owned(), last_status: "RUNNING".into(), ..task("ours", ip) };
        let tasks = [running("10.0.1.1"), running("10.0.1.2")];
        for (after_ms, grace_secs) in [(0, Some(60)), (35_000, Some(25)), (60_000, None), (90_000, None)] {
            let (_, lagging) = found(waits(after_ms, &service(2, 2), &tasks, &targets));
            assert_eq!(lagging.grace_secs, grace_secs, "after {after_ms} ms");
            assert_eq!((lagging.says.as_deref(), lagging.checks), (Some(text), None));
        }
    }

    #[test]
    fn a_draining_task_is_distinguished_from_one_that_ignores_sigterm() {
        let tasks = [task("ours", "10.0.1.1"), task("ours", "10.0.1.2")];
        let targets = [target("10.0.1.1", "healthy"), target("10.0.1.2", "healthy")];
        for (status, step, of_secs) in
            [("DEACTIVATING", Leave::Draining, 30), ("STOPPING", Leave::Stopping, 10)]
        {
            let leaving = TaskSnapshot { last_status: status.into(), ..task("old", "10.0.1.3") };
            let all = [tasks.as_slice(), &[leaving]].concat();
            let expected = Waiting::Draining { old: 1, leaving: Some(Leaving { step, secs: 7, of_secs }) };
            assert_eq!(waits(7_500, &service(2, 0), &all, &targets), expected);
        }
    }

    #[test]
    fn a_number_that_runs_is_no_change_and_another_state_is_one() {
        let tasks = [task("ours", "10.0.1.1"), task("ours", "10.0.1.2")];
        let at = |after_ms, state| waits(after_ms, &service(2, 2), &tasks, &[target("10.0.1.1", state)]);
        assert!(at(0, "initial").is_like(&at(20_000, "initial")));
        assert_ne!(at(0, "initial"), at(20_000, "initial"));
        assert!(!at(0, "initial").is_like(&at(0, "unhealthy")));
    }
}
