//! A shell in a running task: the one that is meant, also while a release rolls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use deploy::event::ExitCode;
use sim::fault::{Fault, On};
use sim::testing::ApiError;
use sim::workload::scripted::Script;
use xtask::exec::{Ended, Error, Streams, Target, Wanted, find, run};
use xtask::host::{ByteStream, Host, Signal, Signals};

use crate::world::{World, story};

async fn found(world: &World, task: Option<&str>, container: Option<&str>) -> Result<Target, Error> {
    let service = &world.environment.services[0];
    find(&world.aws, &world.environment, Wanted { service, task, container }).await
}

#[test]
fn a_shell_is_never_opened_in_a_task_that_is_on_its_way_out() {
    story(|| async {
        let mut world = World::new().await;
        let early = found(&world, None, None).await.unwrap_err();
        assert_eq!(early.to_string(), "service ielts-backend-service does not exist");
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let first = found(&world, None, None).await.unwrap();
        assert_eq!((first.cluster.as_str(), first.container.as_str()), ("ielts-prod-cluster", "backend"));
        assert!(first.task.starts_with("arn:aws:ecs:ap-southeast-1:123456789012:task/ielts-prod-cluster/"));
        assert!(first.takes_commands);

        // Half way: the new tasks do not run yet, the old ones do.
        world.scripts.set("ielts-backend:2", Script { pull_ms: 120_000, ..Script::default() });
        world.detaches = true;
        assert_eq!(world.deploy("v2", "v1").await.exit, ExitCode::StillMoving);
        let between = found(&world, None, None).await.unwrap_err();
        assert!(matches!(&between, Error::NoTask(text) if text.contains("RUNNING yet")), "{between}");
        let id = first.task.rsplit('/').next().unwrap();
        assert_eq!(found(&world, Some(&id[..8]), None).await.unwrap(), first);

        world.detaches = false;
        world.wait(None).await;
        let second = found(&world, None, None).await.unwrap();
        assert_ne!(second.task, first.task);
    });
}

#[test]
fn a_name_that_is_not_there_is_answered_with_those_that_are() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let container = found(&world, None, Some("sidecar")).await.unwrap_err();
        assert!(container.to_string().ends_with("has no container `sidecar`; it has backend"), "{container}");
        world.environment.account = Some("999999999999".to_owned());
        assert!(matches!(found(&world, None, None).await, Err(Error::Observe(_))));
    });
}

#[test]
fn ctrl_c_is_heard_while_the_session_opens() {
    story(|| async {
        let mut world = World::new().await;
        world.rights = None;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let target = found(&world, None, None).await.unwrap();
        // Once the agent does not run yet, once the data channel never answers.
        let away = ApiError::new(
            "TargetNotConnectedException",
            "The execute command failed due to an internal error.",
        );
        let ends = Arc::new(Mutex::new(Vec::new()));
        let silent = move || {
            let (near, far) = tokio::io::duplex(4096);
            ends.lock().unwrap().push(far);
            Box::new(near) as Box<dyn ByteStream>
        };
        for agent_runs in [false, true] {
            let guard = (!agent_runs).then(|| {
                world.cloud.guard_rule(On::operation("ExecuteCommand").then(Fault::Error(away.clone())))
            });
            let host = Host { http: world.front_door.http().dialing(silent.clone()), ..world.host.clone() };
            let (press, requests) = tokio::sync::mpsc::unbounded_channel();
            let mut output = |_: &[u8]| Ok(());
            let streams = Streams {
                input: None,
                output: &mut output,
                terminal: false,
                signals: Some(Signals::given(requests)),
            };
            let mark = world.host.clock.mark();
            let command = ["true".to_owned()];
            let (ended, ()) = tokio::join!(run(&host, &world.aws, &target, &command, streams), async {
                world.host.clock.sleep(Duration::from_secs(3)).await;
                press.send(Signal::Interrupt).unwrap();
            });
            assert_eq!(ended.unwrap(), Ended::Interrupted);
            assert!(mark.elapsed_ms() < 3_500, "{} ms", mark.elapsed_ms());
            drop(guard);
        }
    });
}
