//! An endpoint that lacks something, or a caller who may not do it: less is reported, and nothing else changes.

use deploy::event::{ExitCode, Kind};
use deploy::rollout::Outcome;
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::somebody::Moment;
use crate::world::{World, story};

fn outcome(ended: &Ended) -> &Outcome {
    &ended.verdict("backend").unwrap().outcome
}

/// A good first release; from then on nobody may call these.
async fn without(operations: &[&str]) -> World {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    for operation in operations {
        world.cloud.add_rule(On::operation(operation).then(Fault::AccessDenied));
    }
    world
}

const SERVICE_DEPLOYMENTS: [&str; 3] =
    ["DescribeServiceDeployments", "ListServiceDeployments", "StopServiceDeployment"];

#[test]
fn a_rollback_is_no_success_where_service_deployments_cannot_be_read() {
    story(|| async {
        let mut world = without(&SERVICE_DEPLOYMENTS).await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Failed, &Outcome::RolledBack));
    });
}

#[test]
fn a_plain_cause_is_left_to_the_breaker_where_deployments_cannot_be_stopped() {
    story(|| async {
        let mut world = without(&["StopServiceDeployment"]).await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Failed, &Outcome::RolledBack));
    });
}

#[test]
fn a_slow_roll_that_cannot_be_stopped_is_reported_as_in_progress() {
    story(|| async {
        let mut world = without(&["StopServiceDeployment"]).await;
        world.environment.services[0].deployment.patience.roll_secs = 60;
        world.environment.services[0].deployment.health_check_grace_secs = 900;
        world.scripts.set("ielts-backend:2", Script::boots_in(300_000));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::StillMoving, &Outcome::StillMoving));
    });
}

#[test]
fn a_superseded_release_is_reported_as_such_where_service_deployments_cannot_be_read() {
    for moment in Moment::OF_A_ROLL {
        story(|| async {
            let mut world = without(&SERVICE_DEPLOYMENTS).await;
            let ann = world.somebody().await;
            let meddle = async {
                ann.waits_for(moment, "ielts-backend:2").await;
                ann.deploys().await;
            };
            let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
            assert_eq!(ended.exit, ExitCode::Superseded, "{moment:?}: {:#?}", ended.events);
        });
    }
}

#[test]
fn a_stop_whose_reply_was_lost_is_not_called_somebody_else_s() {
    story(|| async {
        let mut world = without(&[]).await;
        world.environment.services[0].deployment.patience.roll_secs = 60;
        world.environment.services[0].deployment.health_check_grace_secs = 900;
        world.scripts.set("ielts-backend:2", Script::boots_in(300_000));
        world.cloud.add_rule(On::operation("StopServiceDeployment").nth(1..=1).then(Fault::LoseReply));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Failed, &Outcome::RolledBack));
    });
}

#[test]
fn tasks_that_cannot_be_read_hide_no_failure() {
    story(|| async {
        let mut world = without(&["ListTasks", "DescribeTasks"]).await;
        world.scripts.set("ielts-backend:2", Script::never_listens());
        let ended = world.deploy("v2", "v1").await;
        let warned =
            |kind: &&Kind| matches!(kind, Kind::Warned { text } if text.starts_with("cannot read tasks"));
        assert_eq!(ended.events.iter().filter(warned).count(), 1, "{:#?}", ended.events);
        // That ECS rolled back is read; whether the tasks that serve now are the previous ones is not.
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Unknown, &Outcome::RolledBack));
    });
}

#[test]
fn a_good_release_that_cannot_be_proven_is_neither_called_proven_nor_undone() {
    story(|| async {
        let mut world = without(&["ListTasks", "DescribeTasks"]).await;
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Unknown, &Outcome::Succeeded));
        assert_eq!(ended.rolled(), ["backend"], "{:#?}", ended.events);
    });
}
