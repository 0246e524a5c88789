//! A shell in a running task: the one that is meant, also while a release rolls.

use deploy::event::ExitCode;
use sim::workload::scripted::Script;
use xtask::exec::{Error, Target, Wanted, find};

use crate::world::{World, story};

async fn found(world: &World, task: Option<&str>, container: Option<&str>) -> Result<Target, Error> {
    find(&world.aws, &world.environment, Wanted { service: "backend", task, container }).await
}

#[test]
fn a_shell_is_never_opened_in_a_task_that_is_on_its_way_out() {
    story(|| async {
        let mut world = World::new().await;
        let early = found(&world, None, None).await.unwrap_err();
        assert!(matches!(early, Error::NotDeployed(_)), "{early}");
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
        let wanted = Wanted { service: "web", task: None, container: None };
        let service = find(&world.aws, &world.environment, wanted).await.unwrap_err();
        assert_eq!(service.to_string(), "deploy.toml has no service `web`; it has backend, frontend");
        world.environment.account = Some("999999999999".to_owned());
        assert!(matches!(found(&world, None, None).await, Err(Error::Observe(_))));
    });
}
