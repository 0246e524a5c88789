//! Readings that are complete, and what keeps the others from it.

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
        (&|it| it.service.running = 1, "web: 1 of 2 tasks run", true),
        (&|it| it.service.desired = 3, "web: 2 of 3 tasks run", true),
        (&|it| it.tasks.clear(), "no task of web runs", false),
        (&|it| it.tasks[1].desired_status = "STOPPED".into(), "web: 1 of 2 tasks run", true),
        (
            &|it| it.targets = Some(vec![target("a", "healthy"), target("of another", "healthy")]),
            "web: 1 of 2 targets are healthy (task b is not registered; `cargo xtask restart` replaces it)",
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
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/2)", Some(1), false),
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
    let newer =
        TaskSnapshot { created_ms: 9, ..stopped("TaskFailedToStart", "CannotPullContainerError: x", None) };
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
