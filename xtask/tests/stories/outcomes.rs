//! Ends of a roll that are neither success nor a plain rollback: each is reported as what it was.

use deploy::event::ExitCode;
use deploy::rollout::Outcome;
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::somebody::Moment;
use crate::world::{World, story};

fn outcome(ended: &Ended) -> &Outcome {
    &ended.verdict("backend").unwrap().outcome
}

fn without_rollback(world: &mut World) {
    world.environment.services[0].deployment.circuit_breaker.rollback = false;
}

/// What the owner's `deploy.toml` leads to, but for plain causes: the circuit breaker decides.
async fn left_to_the_breaker() -> World {
    let mut world = World::new().await;
    for service in &mut world.environment.services {
        service.deployment.on_plain_cause = deploy::model::OnPlainCause::Wait;
    }
    world
}

#[test]
fn a_breaker_that_trips_in_the_first_deployment_ever_does_not_roll_back() {
    story(|| async {
        let mut world = left_to_the_breaker().await;
        world.scripts.set("ielts-backend", Script::crashes(1_500, 1));
        let ended = world.deploy("v1", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::NotRecovered, &Outcome::Failed));
        let reason = ended.verdict("backend").unwrap().reason.clone().unwrap();
        assert!(reason.contains("circuit breaker"), "{reason}");
    });
}

#[test]
fn a_breaker_that_rolls_back_is_followed_until_the_old_revision_is_back() {
    story(|| async {
        let mut world = left_to_the_breaker().await;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Failed, &Outcome::RolledBack));
        let back = world.somebody().await.looks().await;
        assert_eq!(back.deployments.len(), 1, "{back:#?}");
        assert!(back.deployments[0].task_definition.ends_with("ielts-backend:1"));
    });
}

#[test]
fn a_breaker_without_rollback_is_not_reported_as_one_that_rolled_back() {
    story(|| async {
        let mut world = left_to_the_breaker().await;
        without_rollback(&mut world);
        world.environment.undo = deploy::model::Undo::Service;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::NotRecovered, &Outcome::Failed));
    });
}

#[test]
fn what_a_breaker_without_rollback_left_is_restored_with_the_release() {
    story(|| async {
        let mut world = left_to_the_breaker().await;
        without_rollback(&mut world);
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(
            (ended.exit, outcome(&ended)),
            (ExitCode::Failed, &Outcome::Failed),
            "{:#?}",
            ended.events
        );
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}

#[test]
fn a_rollback_whose_own_tasks_fail_is_not_called_recovered() {
    story(|| async {
        let mut world = left_to_the_breaker().await;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        world.scripts.set("ielts-backend:1", Script::crashes(2_500, 2));
        // The old tasks go at once, so that the rollback has to start new ones.
        world.environment.services[0].deployment.minimum_healthy_percent = 0;
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(
            (ended.exit, outcome(&ended)),
            (ExitCode::NotRecovered, &Outcome::Failed),
            "{:#?}",
            ended.events
        );
    });
}

/// A good first release; then one whose roll somebody stops while its targets get healthy.
async fn stopped_by_somebody(stop_type: &str) -> (World, Ended) {
    let mut world = World::new().await;
    world.deploy("v1", "v1").await;
    let ann = world.somebody().await;
    let meddle = async {
        let service = ann.waits_for(Moment::TargetsGetHealthy, "ielts-backend:2").await;
        ann.stops(&service, stop_type);
    };
    let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
    (world, ended)
}

#[test]
fn a_release_that_somebody_stopped_does_not_blame_the_circuit_breaker() {
    story(|| async {
        let (mut world, ended) = stopped_by_somebody("ROLLBACK").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Failed, &Outcome::Stopped { back: true }));
        let sentence = outcome(&ended).sentence();
        assert!(sentence.contains("somebody else stopped"), "{sentence}");
        let text = format!("{:?}", ended.events);
        assert!(!text.contains("ircuit breaker"), "{text}");
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}

#[test]
fn a_release_that_somebody_aborted_is_restored_by_us() {
    story(|| async {
        let (mut world, ended) = stopped_by_somebody("ABORT").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Failed, &Outcome::Stopped { back: false }));
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}

#[test]
fn a_first_release_that_somebody_stopped_is_not_called_recovered() {
    story(|| async {
        let mut world = World::new().await;
        let ann = world.somebody().await;
        let meddle = async {
            let service = ann.waits_for(Moment::BeforeAnyTask, "ielts-backend:1").await;
            ann.stops(&service, "ROLLBACK");
        };
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v1", "v1")), Box::pin(meddle));
        assert_eq!(
            (ended.exit, outcome(&ended)),
            (ExitCode::NotRecovered, &Outcome::Stopped { back: false })
        );
    });
}

#[test]
fn a_service_that_is_deleted_under_the_roll_is_reported_as_deleted() {
    // It drains for some polls; and it is INACTIVE at the next one.
    for delay in [30, 0] {
        story(|| async {
            let mut world = World::new().await;
            world.environment.services[0].target_group.deregistration_delay_secs = delay;
            world.deploy("v1", "v1").await;
            let ann = world.somebody().await;
            let meddle = async {
                ann.waits_for(Moment::TargetsGetHealthy, "ielts-backend:2").await;
                ann.deletes().await;
            };
            let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
            let expected = (ExitCode::NotRecovered, &Outcome::Deleted);
            assert_eq!((ended.exit, outcome(&ended)), expected, "{delay} s: {:#?}", ended.events);
        });
    }
}

#[test]
fn a_release_over_a_rollback_in_progress_restores_what_served_before_both() {
    story(|| async {
        let mut world = left_to_the_breaker().await;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        world.scripts.set("ielts-backend:3", Script::crashes(1_500, 1));
        // The first of them is left to itself, and the second begins while ECS puts the old revision back.
        world.roll_back = false;
        world.environment.services[0].deployment.patience.roll_secs = 10;
        let left = world.deploy("v2", "v1").await;
        assert_eq!(left.exit, ExitCode::StillMoving, "{:#?}", left.events);
        world.roll_back = true;
        world.environment.services[0].deployment.patience.roll_secs = 900;
        let somebody = world.somebody().await;
        somebody.waits_for(Moment::BeforeAnyTask, "ielts-backend:1").await;
        let ended = world.deploy("v3", "v1").await;
        assert_eq!(
            (ended.exit, outcome(&ended)),
            (ExitCode::Failed, &Outcome::Failed),
            "{:#?}",
            ended.events
        );
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}
