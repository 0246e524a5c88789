//! The script's arithmetic, without an account.

use super::super::ContainerStart;
use super::*;

const T0: Millis = Millis(1_000_000);

fn start(task_definition: &str) -> TaskStart {
    TaskStart {
        task: "t1".to_owned(),
        task_arn: String::new(),
        cluster: "c".to_owned(),
        service: "shop".to_owned(),
        task_definition: task_definition.to_owned(),
        private_ip: "10.0.1.10".to_owned(),
        cpu: 256,
        memory_mib: 512,
        containers: vec![ContainerStart {
            name: "app".to_owned(),
            essential: true,
            image: "r/app@sha256:aa".to_owned(),
            repository: Some("app".to_owned()),
            digest: Some("sha256:aa".to_owned()),
            ports: vec![8080],
            logs: Some(("/ecs/app".to_owned(), "ecs/app/t1".to_owned())),
            ..ContainerStart::default()
        }],
        connect: false,
        endpoints: Vec::new(),
    }
}

fn run(script: Script) -> Scripted {
    let scripts = Scripts::default();
    scripts.set_otherwise(script);
    let mut workload = Scripted::new(scripts);
    workload.effect(T0, Effect::Start(Box::new(start("app:1"))));
    workload
}

/// Starts the container once its image is there.
fn started(workload: &mut Scripted) {
    let (task, container) = ("t1".to_owned(), "app".to_owned());
    assert_eq!(pop(workload), Some((2_000, Report::Pulled { task: task.clone() })));
    let effect = Effect::StartContainer { task: task.clone(), container: container.clone() };
    workload.effect(T0.plus_millis(2_000), effect);
    assert_eq!(pop(workload), Some((2_000, Report::Started { task, container })));
}

fn stop() -> Effect {
    Effect::StopContainer { task: "t1".to_owned(), container: "app".to_owned(), timeout_secs: 30 }
}

fn pop(workload: &mut Scripted) -> Option<(u64, Report)> {
    workload.pop_due(Millis(u64::MAX)).map(|(at, report)| (at.since(T0), report))
}

fn check(workload: &mut Scripted, after: u64) -> (u64, Answer) {
    let effect = Effect::CheckTarget {
        target_group: "tg".to_owned(),
        task: "t1".to_owned(),
        port: 8080,
        path: "/h".to_owned(),
        version: Version::Http1,
        timeout_secs: 6,
    };
    workload.effect(T0.plus_millis(after), effect);
    match pop(workload) {
        Some((at, Report::TargetHealth { answer, .. })) => (at, answer),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_task_answers_only_once_it_listens_and_then_by_its_timeline() {
    let mut task = run(Script::boots_in(1_000).answering("/h", 0, 503).answering("/h", 5_000, 200));
    started(&mut task);
    assert_eq!(check(&mut task, 2_999), (3_004, Answer::Refused));
    assert_eq!(check(&mut task, 3_000), (3_005, Answer::Status(503)));
    assert_eq!(check(&mut task, 7_000), (7_005, Answer::Status(200)));
}

#[test]
fn a_hanging_task_is_found_out_at_the_health_checks_timeout_and_not_before() {
    let mut task = run(Script { hangs: true, ..Script::default() });
    started(&mut task);
    assert_eq!(check(&mut task, 4_000), (10_000, Answer::TimedOut));
}

#[test]
fn a_crash_is_reported_once_and_its_last_words_come_first() {
    let mut task = run(Script::crashes(700, 3).printing(600, "panic: no database"));
    started(&mut task);
    assert!(
        matches!(pop(&mut task), Some((2_600, Report::Log { line, .. })) if line == "panic: no database")
    );
    assert!(matches!(pop(&mut task), Some((2_700, Report::Exited { exit_code: 3, .. }))));
    task.effect(T0.plus_millis(3_000), stop());
    assert_eq!(pop(&mut task), None);
}

#[test]
fn a_task_that_ignores_sigterm_is_killed_at_its_stop_timeout() {
    let mut task = run(Script { ignores_sigterm: true, ..Script::default() });
    started(&mut task);
    task.effect(T0.plus_millis(3_000), stop());
    assert!(matches!(pop(&mut task), Some((33_000, Report::Exited { exit_code: 137, .. }))));
}

#[test]
fn a_task_stopped_while_it_pulls_never_runs() {
    let mut task = run(Script { pull_ms: 60_000, ..Script::default() });
    task.effect(T0.plus_millis(5_000), Effect::Remove { task: "t1".to_owned() });
    assert_eq!(pop(&mut task), None);
}

#[test]
fn an_image_that_is_not_in_the_registry_cannot_be_pulled() {
    let mut workload = Scripted::new(Scripts::default());
    let mut missing = start("app:1");
    missing.containers[0].digest = None;
    workload.effect(T0, Effect::Start(Box::new(missing)));
    match pop(&mut workload) {
        Some((_, Report::FailedToStart { reason, .. })) => {
            assert!(reason.starts_with("CannotPullContainerError"), "{reason}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_most_specific_script_wins_and_a_change_concerns_later_tasks_only() {
    let scripts = Scripts::default();
    let boot = |scripts: &Scripts, definition| scripts.of(&start(definition), "app").boot_ms;
    scripts.set("shop", Script::boots_in(1));
    scripts.set("app", Script::boots_in(2));
    assert_eq!(boot(&scripts, "app:1"), 2);
    assert_eq!(boot(&scripts, "other:1"), 1);
    scripts.set("app:2", Script::boots_in(3));
    assert_eq!((boot(&scripts, "app:1"), boot(&scripts, "app:2")), (2, 3));
    scripts.set("sha256:aa", Script::boots_in(4));
    assert_eq!(boot(&scripts, "app:2"), 4);
    scripts.unset("sha256:aa");
    assert_eq!(boot(&scripts, "app:2"), 3);
}

#[test]
fn a_sidecar_and_a_task_that_runs_once_have_scripts_of_their_own() {
    let scripts = Scripts::default();
    scripts.set("app", Script::crashes(5, 1));
    let mut start = start("app:1");
    let mut sidecar = start.containers[0].clone();
    (sidecar.name, sidecar.essential, sidecar.digest) = ("log".to_owned(), false, None);
    start.containers.insert(0, sidecar);
    assert_eq!(scripts.of(&start, "log"), Script::default());
    scripts.set("app/log", Script::exits(7, 0));
    assert_eq!(scripts.of(&start, "log"), Script::exits(7, 0));
    assert_eq!(scripts.of(&start, "app"), Script::crashes(5, 1));
    start.service.clear();
    assert_eq!(scripts.of(&start, "app"), Script::exits(1_000, 0), "the service's script is not the task's");
    scripts.set("run:app", Script::exits(9, 3));
    assert_eq!(scripts.of(&start, "app"), Script::exits(9, 3));
}
