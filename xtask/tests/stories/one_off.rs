//! `run`: a command as a task of its own.

use std::time::Duration;

use deploy::event::ExitCode;
use deploy::model::ServiceState;
use sim::workload::scripted::Script;
use xtask::aws::operations::needs;
use xtask::host::{Halt, Switch};
use xtask::observe;
use xtask::one_off::{self, Done, OneOff};

use crate::world::{World, story};

fn what<'a>(world: &'a World, state: &'a ServiceState, memory_mib: Option<u32>) -> OneOff<'a> {
    OneOff {
        service: &world.environment.services[0],
        spec: &state.spec,
        revision: state.task_definition.arn.clone(),
        command: &world.environment.services[0].container.command,
        memory_mib,
        started_by: "run/ana".to_owned(),
        token: "once".to_owned(),
    }
}

async fn run(world: &World, halt: &Halt, memory_mib: Option<u32>) -> (Result<Done, String>, Vec<String>) {
    let observed = observe::account(&world.aws, &world.environment).await.unwrap();
    let service = &world.environment.services[0];
    let state = &observed.services[&service.key];
    let mut lines = Vec::new();
    let task = match one_off::start(&world.aws, what(world, state, memory_mib)).await {
        Ok(task) => task,
        Err(error) => return (Err(error.to_string()), lines),
    };
    let place = (&world.environment, service, task.as_str());
    let mut print = |new: &[String]| lines.extend_from_slice(new);
    let done = one_off::follow(&world.aws, &world.host.clock, halt, place, &mut print).await;
    (done.map_err(|error| error.to_string()), lines)
}

fn halt() -> (Switch, Halt) {
    let (switch, halt) = Halt::new();
    halt.heed(true);
    (switch, halt)
}

async fn deployed(script: Script) -> World {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.scripts.set("run:ielts-backend", script);
    // The deploying role may not; a developer with `iam policy --run` may.
    let observed = observe::account(&world.aws, &world.environment).await.unwrap();
    let run = needs(&world.environment, true, false, false);
    let state = &observed.services[&world.environment.services[0].key];
    let denied = one_off::start(&world.aws, what(&world, state, None)).await.unwrap_err();
    assert!(denied.to_string().contains("ecs:RunTask"), "{denied}");
    let rights = crate::policy::printed_for(&world.environment, &run);
    world.rights = None;
    world.rights = Some(crate::policy::grant(&world.cloud, rights));
    world
}

#[test]
fn its_lines_and_its_exit_code_are_passed_on_and_no_secret_is() {
    story(|| async {
        let script = Script::exits(5_000, 3).printing(1_000, "12 rows").printing(4_900, "token=abc123");
        let world = deployed(script).await;
        let (_switch, halt) = halt();
        let (done, lines) = run(&world, &halt, Some(2048)).await;
        let done = done.unwrap();
        assert_eq!((done.exit_code, done.stopped), (Some(3), false));
        assert_eq!(lines, ["12 rows", "token=***"]);
        let deploy =
            world.aws.describe_services(&world.environment.cluster, &["ielts-backend-service"]).await;
        assert_eq!(deploy.unwrap()[0].running, 2, "the service has its own tasks");
    });
}

/// Between two readings more lines may come than one page has.
#[test]
fn no_line_is_lost_when_thousands_come_at_once() {
    story(|| async {
        let flood = (0..12_500)
            .fold(Script::exits(3_000, 0), |script, number| script.printing(1_000, &format!("row {number}")));
        let world = deployed(flood).await;
        let (_switch, halt) = halt();
        let (done, lines) = run(&world, &halt, None).await;
        assert_eq!(done.unwrap().exit_code, Some(0));
        let expected: Vec<_> = (0..12_500).map(|number| format!("row {number}")).collect();
        assert!(lines == expected, "{} lines, {:?} to {:?}", lines.len(), lines.first(), lines.last());
    });
}

#[test]
fn a_stop_that_is_asked_for_stops_the_task_and_shows_its_last_words() {
    story(|| async {
        let world = deployed(Script::default().printing(1_000, "working")).await;
        let (switch, halt) = halt();
        let press = async {
            world.host.clock.sleep(Duration::from_secs(60)).await;
            assert!(switch.ask());
            std::future::pending::<()>().await;
        };
        let (done, lines) = tokio::select! {
            ended = run(&world, &halt, None) => ended,
            () = press => unreachable!(),
        };
        assert!(done.unwrap().stopped);
        assert_eq!(lines, ["working"]);
        let left = world.aws.family_tasks(&world.environment.cluster, "ielts-backend", false).await.unwrap();
        assert_eq!(left.len(), 2, "only the service's tasks are left");
    });
}

#[test]
fn a_task_that_never_ran_says_why() {
    story(|| async {
        let reason = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found";
        let world = deployed(Script::fails_to_start(reason)).await;
        let (_switch, halt) = halt();
        let done = run(&world, &halt, None).await.0.unwrap();
        assert_eq!(done.exit_code, None);
        assert!(done.diagnosis.cause.is_some(), "{:#?}", done.diagnosis);
    });
}
