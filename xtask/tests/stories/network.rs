//! Calls that fail on the way: they decide no verdict and duplicate nothing.

use deploy::event::ExitCode;
use sim::fault::{Fault, Lateness, On};
use sim::workload::scripted::Script;

use crate::world::{World, story};

#[test]
fn throttling_during_the_poll_does_not_fail_a_good_release() {
    story(|| async {
        let mut world = World::new().await;
        world.cloud.add_rule(On::operation("DescribeServices").nth(3..=9).then(Fault::Throttle));
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    });
}

#[test]
fn a_server_error_on_each_first_write_does_not_fail_a_good_release() {
    story(|| async {
        let mut world = World::new().await;
        for operation in
            ["CreateCluster", "CreateTargetGroup", "CreateService", "RegisterScalableTarget", "CreateRule"]
        {
            world.cloud.add_rule(On::operation(operation).nth(1..=1).then(Fault::ServerError(503)));
        }
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    });
}

#[test]
fn lost_replies_create_nothing_twice() {
    story(|| async {
        let mut world = World::new().await;
        for operation in [
            "CreateService",
            "RegisterTaskDefinition",
            "CreateTargetGroup",
            "CreateLoadBalancer",
            "CreateRule",
        ] {
            world.cloud.add_rule(On::operation(operation).nth(1..=1).then(Fault::LoseReply));
        }
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let registered = ended.writes.iter().filter(|name| *name == "RegisterTaskDefinition").count();
        assert_eq!(registered, 2, "one revision for each service");
    });
}

#[test]
fn an_endpoint_without_service_deployments_costs_a_warning_and_not_the_deploy() {
    story(|| async {
        let mut world = World::new().await;
        world.cloud.add_rule(On::operation("DescribeServiceDeployments").then(Fault::AccessDenied));
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    });
}

#[test]
fn a_service_that_is_not_shown_right_after_its_creation_is_not_called_deleted() {
    story(|| async {
        let mut world = World::new().await;
        world.cloud.add_rule(Lateness::new(world.cloud.clock().clone(), 4_000));
        let ended = world.deploy("v1", "v1").await;
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Done, vec!["backend", "frontend"]));
    });
}

#[test]
fn a_machine_whose_clock_is_off_follows_its_releases_all_the_same() {
    for secs in [-280, 280] {
        story(|| async {
            let mut world = World::ahead_of_the_cloud(secs).await;
            world.deploy("v1", "v1").await;
            world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1).printing(500, "no DATABASE_URL"));
            let ended = world.deploy("v2", "v1").await;
            assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
            assert!(ended.cause("backend").unwrap().contains("no DATABASE_URL"), "{:#?}", ended.events);
        });
    }
}
