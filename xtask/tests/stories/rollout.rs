//! Releases that go well.

use deploy::event::ExitCode;
use deploy::model::{Cleanup, EarlySuccess};
use deploy::rollout::{Outcome, ServiceEvent};

use crate::world::{World, story};

#[test]
fn an_empty_account_becomes_the_production_that_the_owner_describes() {
    story(|| async {
        let mut world = World::new().await;
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["backend", "frontend"]);
    });
}

#[test]
fn a_rerun_writes_nothing_and_registers_nothing() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        let again = world.deploy("v1", "v1").await;
        assert_eq!(again.exit, ExitCode::Done, "{:#?}", again.events);
        for service in ["backend", "frontend"] {
            assert_eq!(again.verdict(service).unwrap().outcome, Outcome::NoChange);
        }
        assert_eq!(again.writes, Vec::<String>::new());
    });
}

#[test]
fn a_changed_backend_does_not_restart_the_frontend() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        let update = world.deploy("v2", "v1").await;
        assert_eq!(update.exit, ExitCode::Done, "{:#?}", update.events);
        assert_eq!(update.rolled(), ["backend"]);
        let services: Vec<_> = update.writes.iter().filter(|name| name.ends_with("Service")).collect();
        assert_eq!(services, ["UpdateService"]);
    });
}

#[test]
fn both_services_roll_at_the_same_time_when_no_endpoint_changes() {
    story(|| async {
        let mut world = World::new().await;
        let first = world.deploy("v1", "v1").await;
        let both = world.deploy("v2", "v2").await;
        assert_eq!(both.exit, ExitCode::Done, "{:#?}", both.events);
        // One after the other as at first, each roll would also wait for the drain of its old tasks.
        let one = world.deploy("v3", "v2").await;
        assert!(
            both.secs < one.secs * 3 / 2,
            "both {} s, one {} s, first {} s",
            both.secs,
            one.secs,
            first.secs
        );
    });
}

#[test]
fn a_release_that_ecs_calls_successful_early_is_proven_once_the_old_tasks_are_gone() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        let early = EarlySuccess { healthy_percent: 100, cleanup: Cleanup::Deferred };
        world.environment.services[0].deployment.early_success = Some(early);
        let update = world.deploy("v2", "v1").await;
        assert_eq!(update.exit, ExitCode::Done, "{:#?}", update.events);
        let tasks =
            world.aws.service_tasks("ielts-prod-cluster", "ielts-backend-service", false).await.unwrap();
        let old = tasks.iter().filter(|task| task.task_definition.ends_with(":1")).count();
        assert_eq!(old, 0, "proven while {old} old tasks run");
    });
}

#[test]
fn a_roll_that_is_over_is_not_left_unseen_until_the_next_poll() {
    story(async || {
        let mut world = World::new().await;
        world.environment.timeouts.poll_secs = 15;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        assert_eq!(Box::pin(world.deploy("v2", "v1")).await.exit, ExitCode::Done);
        let (cluster, backend) = ("ielts-prod-cluster", "ielts-backend-service");
        let service = world.aws.describe_services(cluster, &[backend]).await.unwrap().remove(0);
        let completed = |event: &&ServiceEvent| event.message.contains("deployment completed");
        let over_ms = service.events.iter().find(completed).unwrap().at_ms;
        let (clock, now_ms) = (world.cloud.clock().millis(), world.aws.now_ms());
        let seen = world.cloud.calls().into_iter().filter_map(|call| {
            let late = (now_ms - clock.since(call.at)).checked_sub(over_ms)?;
            (call.operation == "DescribeServices").then_some(late)
        });
        let late_ms = seen.min().unwrap();
        assert!(late_ms <= 1_100, "seen after {late_ms} ms");
    });
}
