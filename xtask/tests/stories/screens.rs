//! What an operator sees: while a service rolls, and when it fails.

use deploy::event::{Event, ExitCode, Kind, blamed};
use deploy::rollout::Diagnosis;
use deploy::view::{Detail, line};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

/// A good first release, then one whose backend behaves like `script`.
async fn release_with(script: Script) -> Ended {
    let mut world = World::new().await;
    world.environment.services.truncate(1);
    world.environment.services[0].deployment.health_check_grace_secs = 20;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.scripts.set("ielts-backend:2", script);
    let ended = world.deploy("v2", "v1").await;
    assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
    ended
}

/// The diagnosis of the backend's failure. It is emitted once.
fn diagnosis(ended: &Ended) -> &Diagnosis {
    let found = ended.events.iter().filter_map(|event| match event {
        Kind::Diagnosed { diagnosis, .. } => Some(diagnosis.as_ref()),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0]
}

/// Everything that is shown, as lines.
fn screen(ended: &Ended) -> String {
    let (exit, summary, causes) = (ended.exit, ended.summary.clone(), blamed(&ended.record));
    let end = Kind::Ended { exit, summary, causes, elapsed_ms: 0, reads: 0, writes: 0 };
    let lines = ended.events.iter().chain([&end]).filter_map(|kind| {
        let event = Event { seq: 1, at_ms: 0, kind: kind.clone() };
        line(&event, Detail::Normal)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_crash_at_start_shows_the_exit_code_and_the_last_words() {
    story(|| async {
        let script = Script::crashes(1_500, 3).printing(200, "starting").printing(500, "no DATABASE_URL");
        let ended = release_with(script).await;
        let group = &diagnosis(&ended).stopped[0];
        assert_eq!(group.containers[0].exit_code, Some(3));
        assert_eq!(group.log.as_ref().unwrap().lines, ["starting", "no DATABASE_URL"]);
        let screen = screen(&ended);
        for expected in ["exit code 3", "       | no DATABASE_URL", "  cause  backend: ", "  remedy "] {
            assert!(screen.contains(expected), "{expected} is not in\n{screen}");
        }
    });
}

#[test]
fn an_old_release_s_stopped_tasks_are_never_shown_as_ours() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services.truncate(1);
        world.environment.services[0].deployment.health_check_grace_secs = 20;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 3).printing(500, "the first mistake"));
        let first = world.deploy("v2", "v1").await;
        // ECS remembers the stopped tasks of the first failure while the second one goes on.
        world.scripts.set("ielts-backend:3", Script::default().answering("/actuator/health", 0, 404));
        let second = world.deploy("v3", "v1").await;
        assert_eq!((first.exit, second.exit), (ExitCode::Failed, ExitCode::Failed));
        let codes = |ended: &Ended| -> Vec<String> {
            diagnosis(ended).stopped.iter().map(|group| group.stop_code.clone()).collect()
        };
        assert!(codes(&first).contains(&"EssentialContainerExited".to_owned()));
        assert!(!codes(&second).contains(&"EssentialContainerExited".to_owned()), "{:#?}", codes(&second));
        assert!(!screen(&second).contains("the first mistake"), "{}", screen(&second));
    });
}

#[test]
fn a_404_names_the_url_and_the_answer() {
    story(|| async {
        let ended = release_with(Script::default().answering("/actuator/health", 0, 404)).await;
        let check = &diagnosis(&ended).checks[0];
        assert!(check.url.starts_with("http://10."), "{check:?}");
        assert!(check.url.ends_with(":8080/actuator/health"), "{check:?}");
        assert_eq!(check.answered.as_deref(), Some("404"));
        assert!(screen(&ended).contains("/actuator/health answered 404"), "{}", screen(&ended));
        assert!(ended.files["targets.json"].contains("[404]"), "{}", ended.files["targets.json"]);
    });
}

#[test]
fn a_failure_without_a_known_cause_says_so_and_shows_the_facts() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services.truncate(1);
        world.deploy("v1", "v1").await;
        world.environment.services[0].deployment.patience.roll_secs = 20;
        world.scripts.set("ielts-backend:2", Script { pull_ms: 600_000, ..Script::default() });
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(diagnosis(&ended).cause, None);
        let screen = screen(&ended);
        assert!(
            screen.contains("none that this tool knows") && screen.contains("  tasks  backend:"),
            "{screen}"
        );
    });
}

#[test]
fn old_tasks_that_ignore_sigterm_are_reported_and_fail_nothing() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services.truncate(1);
        world.scripts.set("ielts-backend:1", Script { ignores_sigterm: true, ..Script::default() });
        world.deploy("v1", "v1").await;
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let screen = screen(&ended);
        for expected in ["2 old tasks: stopping 0 s of 30 s until SIGKILL", "got SIGKILL, 30 s after SIGTERM"]
        {
            assert!(screen.contains(expected), "{expected} is not in\n{screen}");
        }
    });
}

#[test]
fn the_evidence_of_a_failure_is_complete() {
    story(|| async {
        let ended = release_with(Script::crashes(1_500, 3).printing(500, "no DATABASE_URL")).await;
        let file = |name: &str| ended.files.get(name).unwrap_or_else(|| panic!("{name} is not there"));
        assert!(file("plan.txt").contains("plan: ") && file("plan.json").contains("stages"));
        for (name, expected) in [
            ("events.ndjson", "diagnosed"),
            ("screen.txt", "exit code 3"),
            ("services.json", "ROLLBACK_SUCCESSFUL"),
            ("tasks.json", "EssentialContainerExited"),
            ("targets.json", "10.0."),
        ] {
            assert!(file(name).contains(expected), "{expected} is not in {name}: {}", file(name));
        }
        let logs: Vec<_> = ended.files.iter().filter(|(name, _)| name.starts_with("logs/backend-")).collect();
        assert!(logs.iter().any(|(_, text)| text.contains("no DATABASE_URL")), "{logs:?}");
        assert!(ended.files.contains_key("calls.ndjson"));
    });
}

#[test]
fn a_secret_in_a_log_line_is_in_no_event_and_in_no_evidence() {
    story(|| async {
        let script = Script::crashes(1_500, 1)
            .printing(300, "connecting to postgres://app:hunter2@db/x")
            .printing(500, "cannot start with DB_PASSWORD=hunter2");
        let ended = release_with(script).await;
        let expected = format!("{:?}", ended.events);
        assert!(expected.contains("DB_PASSWORD=***") && !expected.contains("hunter2"), "{}", screen(&ended));
        for (name, text) in &ended.files {
            assert!(!text.contains("hunter2"), "{name}: {text}");
        }
    });
}

#[test]
fn a_roll_is_reported_by_its_tasks_and_by_what_ecs_says_and_not_once_a_poll() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services.truncate(1);
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::boots_in(30_000));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let screen = screen(&ended);
        for expected in ["backend: ECS: has started", "RUNNING", "so far, 10 s apart", "draining 0 s of 30 s"]
        {
            assert!(screen.contains(expected), "{expected} is not in\n{screen}");
        }
        let standing = screen.lines().filter(|line| line.contains("/2 running")).count();
        let polls = ended.events.iter().filter(|event| matches!(event, Kind::Rolling { .. })).count();
        assert!(standing <= 8 && polls > standing, "{standing} lines of {polls}:\n{screen}");
    });
}
