//! Each known cause, as the embedded cloud brings it about: what is reported, how it ends, and how soon.

use deploy::event::{ExitCode, Kind};
use deploy::model::{Lookup, OnPlainCause};
use sim::fault::{Fault, On};
use sim::testing::ApiError;
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

/// A good first release, then one whose backend behaves like `script`.
async fn release_with(script: Script, prepare: impl FnOnce(&mut World)) -> Ended {
    let mut world = World::new().await;
    world.environment.services.truncate(1);
    world.environment.services[0].deployment.health_check_grace_secs = 20;
    prepare(&mut world);
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.scripts.set("ielts-backend:2", script);
    world.deploy("v2", "v1").await
}

/// A circuit breaker that would let tasks fail for long.
fn patient_breaker(world: &mut World) {
    world.environment.services[0].deployment.circuit_breaker.threshold = 20;
}

fn codes(ended: &Ended) -> Vec<&str> {
    let codes = ended.events.iter().filter_map(|event| match event {
        Kind::Diagnosed { diagnosis, .. } => Some(diagnosis.cause.as_ref()?.code),
        _ => None,
    });
    codes.collect()
}

fn asked_to_stop(ended: &Ended) -> bool {
    ended.writes.contains(&"StopServiceDeployment".to_owned())
}

/// The cause is reported once, the release is back, and nobody waited for the circuit breaker.
async fn ends_early(code: &str, script: Script) {
    let ended = release_with(script, patient_breaker).await;
    assert_eq!(ended.exit, ExitCode::Failed, "{code}: {:#?}", ended.events);
    assert_eq!(codes(&ended), [code], "{:#?}", ended.events);
    assert!(asked_to_stop(&ended), "{code} was left to the circuit breaker");
}

/// The cause is reported, and it may pass: the circuit breaker decides.
async fn is_left_to_the_breaker(code: &str, script: Script) {
    let ended = release_with(script, |_| ()).await;
    assert_eq!(ended.exit, ExitCode::Failed, "{code}: {:#?}", ended.events);
    assert_eq!(codes(&ended), [code], "{:#?}", ended.events);
}

#[test]
fn an_image_that_is_gone_is_not_waited_for() {
    let text = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found";
    story(|| ends_early("image-not-found", Script::fails_to_start(text)));
}

#[test]
fn a_stop_that_came_too_late_is_not_said_to_be_what_ended_the_deployment() {
    let text = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found";
    let ended_by = async |late: bool| {
        let ended = release_with(Script::fails_to_start(text), |world| {
            if late {
                let refused = ApiError::new("ConflictException", "the deployment is in ROLLBACK_IN_PROGRESS");
                world.cloud.add_rule(On::operation("StopServiceDeployment").then(Fault::Error(refused)));
            }
        });
        let ended = ended.await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        ended.verdict("backend").unwrap().reason.clone().unwrap()
    };
    story(async || {
        assert!(ended_by(false).await.contains("This tool requested the stop"));
        let reason = ended_by(true).await;
        assert!(reason.contains("circuit breaker") && !reason.contains("requested the stop"), "{reason}");
    });
}

#[test]
fn an_image_for_another_processor_is_not_waited_for() {
    let text = "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'";
    story(|| ends_early("wrong-platform", Script::fails_to_start(text)));
}

#[test]
fn a_role_that_may_not_pull_is_not_called_a_missing_image() {
    let text = "The task can't pull the image 'x' from Amazon ECR using the task execution role 'y'";
    story(|| ends_early("image-denied", Script::fails_to_start(text)));
}

#[test]
fn a_missing_secret_is_not_waited_for() {
    let text = "ResourceInitializationError: unable to pull secrets or registry auth: ResourceNotFoundException: Secrets \
                Manager can't find the specified secret";
    story(|| ends_early("secret-missing", Script::fails_to_start(text)));
}

#[test]
fn a_missing_log_group_is_not_waited_for() {
    let text =
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times";
    story(|| ends_early("log-group-missing", Script::fails_to_start(text)));
}

#[test]
fn a_program_that_exits_at_its_start_is_not_restarted_until_the_breaker_trips() {
    let script = Script::crashes(1_500, 1).printing(500, "no DATABASE_URL");
    story(|| ends_early("exits-at-start", script));
}

#[test]
fn a_health_path_that_nobody_serves_is_not_waited_for() {
    story(|| ends_early("health-status", Script::default().answering("/actuator/health", 0, 404)));
}

#[test]
fn a_program_that_never_listens_is_distinguished_from_one_that_is_slow() {
    let unchecked = Script { container_health: vec![(0, true)], ..Script::never_listens() };
    story(|| ends_early("health-refused", unchecked));
}

#[test]
fn a_blocked_security_group_is_reported_as_no_answer() {
    let silent = Script { hangs: true, container_health: vec![(0, true)], ..Script::default() };
    story(|| ends_early("health-timeout", silent));
}

#[test]
fn a_container_that_finds_itself_unhealthy_is_reported_as_such() {
    let sick = Script { container_health: vec![(0, false)], ..Script::default() };
    story(|| ends_early("container-health", sick));
}

#[test]
fn a_network_that_may_recover_is_left_to_the_circuit_breaker() {
    for (code, text) in [
        ("image-unreachable", "CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout"),
        (
            "secret-unreachable",
            "ResourceInitializationError: unable to pull secrets or registry auth: context deadline exceeded",
        ),
        (
            "network-interface",
            "Unexpected EC2 error while attempting to Create Network Interface in subnet subnet-1: busy",
        ),
        ("never-started", "TaskFailedToStart: something new"),
        (
            "capacity",
            "Capacity is unavailable at this time. Please try again later or in a different availability zone.",
        ),
        ("vcpu-limit", "You've reached the limit on the number of vCPUs you can run concurrently."),
        ("throttled", "Rate exceeded"),
    ] {
        story(|| is_left_to_the_breaker(code, Script::fails_to_start(text)));
    }
}

#[test]
fn a_program_that_does_not_fit_into_its_memory_is_not_called_a_crash_and_not_waited_for() {
    story(|| ends_early("out-of-memory", Script::runs_out_of_memory(2_000)));
}

#[test]
fn a_role_that_ecs_may_not_assume_is_not_waited_for() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services.truncate(1);
        patient_breaker(&mut world);
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        // By its ARN it is not looked up: the deploying role need not be allowed to.
        world.environment.services[0].task_role =
            Some(Lookup::Id("arn:aws:iam::123456789012:role/gone".to_owned()));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(
            (ended.exit, codes(&ended)),
            (ExitCode::Failed, vec!["role-not-assumable"]),
            "{:#?}",
            ended.events
        );
        assert!(asked_to_stop(&ended), "it was left to the circuit breaker");
    });
}

#[test]
fn a_program_for_another_processor_is_not_waited_for() {
    let script = Script::crashes(500, 255).printing(100, "exec /app/backend: exec format error");
    story(|| ends_early("exec-format", script));
}

#[test]
fn percentages_that_let_nothing_move_are_not_waited_for() {
    story(|| async {
        let ended = release_with(Script::default(), |world| {
            let deployment = &mut world.environment.services[0].deployment;
            deployment.minimum_healthy_percent = 100;
            deployment.maximum_percent = 100;
        })
        .await;
        assert_eq!(codes(&ended), ["percent-deadlock"], "{:#?}", ended.events);
        assert!(asked_to_stop(&ended), "it was waited for");
    });
}

#[test]
fn a_segmentation_fault_and_a_kill_are_distinguished() {
    story(|| is_left_to_the_breaker("segfault", Script::crashes(2_000, 139)));
    story(|| is_left_to_the_breaker("killed", Script::crashes(2_000, 137)));
}

#[test]
fn a_service_that_is_configured_to_wait_leaves_a_plain_cause_to_the_breaker() {
    let script = Script::crashes(1_500, 1);
    story(|| async {
        let wait = |world: &mut World| {
            world.environment.services[0].deployment.on_plain_cause = OnPlainCause::Wait;
        };
        let ended = release_with(script, wait).await;
        assert_eq!((ended.exit, codes(&ended)), (ExitCode::Failed, vec!["exits-at-start"]));
        assert!(!asked_to_stop(&ended), "{:?}", ended.writes);
    });
}

#[test]
fn a_first_release_with_a_plain_cause_ends_early_and_is_not_called_recovered() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services.truncate(1);
        patient_breaker(&mut world);
        world.scripts.set("ielts-backend", Script::crashes(500, 3));
        let ended = world.deploy("v1", "v1").await;
        assert_eq!((ended.exit, codes(&ended)), (ExitCode::NotRecovered, vec!["exits-at-start"]));
        assert!(asked_to_stop(&ended) && ended.secs < 120, "{} s", ended.secs);
    });
}

#[test]
fn a_task_that_somebody_stopped_is_not_called_a_crash() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services.truncate(1);
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let deployment = &mut world.environment.services[0].deployment;
        deployment.patience.roll_secs = 120;
        world.scripts.set("ielts-backend:2", Script { pull_ms: 600_000, ..Script::default() });
        let somebody = world.somebody().await;
        let stops = somebody.stops_a_task("ielts-backend:2");
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(stops));
        assert_eq!(
            (ended.exit, codes(&ended)),
            (ExitCode::Failed, vec!["stopped-by-user"]),
            "{:#?}",
            ended.events
        );
        let cause = ended.cause("backend").unwrap();
        assert!(cause.contains("to see what happens"), "{cause}");
    });
}

#[test]
fn a_slow_start_is_reported_with_the_grace_period_that_would_do() {
    story(|| async {
        let slow = (1..9).fold(Script::boots_in(300_000), |slow, n| slow.printing(n * 5_000, "loading"));
        let ended = release_with(Script { container_health: vec![(0, true)], ..slow }, patient_breaker).await;
        let remedy = ended.events.iter().find_map(|event| match event {
            Kind::Diagnosed { diagnosis, .. } => Some(diagnosis.cause.as_ref()?.remedy.clone()),
            _ => None,
        });
        let remedy = remedy.unwrap();
        assert!(remedy.starts_with("raise `health-check-grace-secs` to "), "{remedy}");
        assert!(remedy.contains("(it is 20)"), "{remedy}");
    });
}

#[test]
fn a_crash_loop_does_not_repeat_the_same_lines() {
    story(|| async {
        let ended = release_with(Script::crashes(1_500, 1), |world| {
            patient_breaker(world);
            world.environment.services[0].deployment.on_plain_cause = OnPlainCause::Wait;
        })
        .await;
        let said = ended.events.iter().filter_map(|event| match event {
            Kind::ServiceSaid { message, .. } => Some(message.as_str()),
            _ => None,
        });
        let mut texts: Vec<&str> = said.collect();
        assert!(texts.iter().any(|text| text.contains("deregistered 1 targets")), "{texts:#?}");
        let all = texts.len();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), all, "{texts:#?}");
    });
}
