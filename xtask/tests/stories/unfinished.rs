//! A run is killed while its release rolls, and the next run of the same release fails: what goes back goes back to what
//! served before both.

use std::sync::Arc;
use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::model::OnPlainCause;
use sim::workload::scripted::Script;
use tokio::sync::Notify;

use crate::ended::Ended;
use crate::somebody::Moment;
use crate::world::{World, story};

/// A good first release; then one whose frontend never gets well, whose run is killed after `secs`.
async fn killed_after(secs: u64) -> World {
    let mut world = World::new().await;
    let frontend = &mut world.environment.services[1].deployment;
    frontend.circuit_breaker.threshold = 50;
    frontend.on_plain_cause = OnPlainCause::Wait;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
    let killed = tokio::time::timeout(Duration::from_secs(secs), Box::pin(world.deploy("v2", "v2"))).await;
    assert!(killed.is_err(), "it was over by then: {killed:#?}");
    world.environment.services[1].deployment.on_plain_cause = OnPlainCause::RollBack;
    world
}

#[test]
fn a_rerun_that_fails_does_not_call_the_killed_run_s_revision_the_one_from_before() {
    // The backend still rolls, drains, or is complete and was not proven.
    for secs in [20, 60, 150] {
        story(async || {
            let mut world = killed_after(secs).await;
            let ended = Box::pin(world.deploy("v2", "v2")).await;
            assert_eq!(ended.exit, ExitCode::Failed, "killed after {secs} s: {:#?}", ended.events);
            let undone = ended.events.iter().find_map(|event| match event {
                Kind::Undone { services } => Some(services.clone()),
                _ => None,
            });
            for standing in undone.unwrap() {
                let before = standing.before.unwrap();
                assert!(standing.back && before.ends_with(":1"), "killed after {secs} s: {before}");
                let instead = standing.instead.unwrap();
                assert!(
                    instead.starts_with("instead of ielts-") && instead.contains(":2, which"),
                    "{instead}"
                );
            }
            let back = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!((back.exit, back.writes), (ExitCode::Done, vec![]), "killed after {secs} s");
        });
    }
}

#[test]
fn a_backend_that_another_release_left_unproven_is_not_touched_when_the_frontend_fails() {
    story(async || {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        // It runs and answers, and what ran could not be read.
        world.roll_back = false;
        world.front_door.answers(500);
        assert_eq!(world.deploy("v2", "v1").await.exit, ExitCode::NotRecovered);
        world.roll_back = true;
        world.front_door.answers(200);
        world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
        let ended = world.deploy("v2", "v2").await;
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Failed, vec!["frontend"]), "{:#?}", ended.events);
    });
}

#[test]
fn a_service_that_somebody_deleted_is_made_again_once_its_tasks_have_drained() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.somebody().await.deletes().await;
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    });
}

/// The steps of the plan that the run followed.
fn steps(ended: &Ended) -> Vec<String> {
    let plan = |it: &Kind| match it {
        Kind::Planned { plan } => Some(plan.steps().map(|step| step.action.title()).collect()),
        _ => None,
    };
    ended.events.iter().find_map(plan).unwrap()
}

#[test]
fn a_client_that_a_killed_run_left_without_its_servers_new_endpoint_is_redeployed_by_the_next_one() {
    for roll_back in [true, false] {
        story(|| async {
            let mut world = World::new().await;
            assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
            world.environment.services[0].connect.as_mut().unwrap().own.alias.port = 9090;
            world.roll_back = roll_back;
            let updated = Arc::new(Notify::new());
            let written = updated.clone();
            world.cloud.watch_calls(move |call| {
                if call.operation == "UpdateService" {
                    written.notify_one();
                }
            });
            tokio::select! {
                biased;
                () = updated.notified() => {}
                ended = Box::pin(world.deploy("v1", "v1")) => panic!("{ended:#?}"),
            }
            world.somebody().await.waits_for(Moment::Complete, "ielts-backend:1").await;
            let again = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!(
                (again.exit, steps(&again)),
                (ExitCode::Done, vec!["redeploy service ielts-frontend-service".to_owned()]),
                "{:#?}",
                again.events
            );
            // Its clients know it, also where its server alone rolls later.
            assert_eq!(Box::pin(world.deploy("v2", "v1")).await.rolled(), ["backend"]);
            let nothing = Box::pin(world.deploy("v2", "v1")).await;
            assert_eq!((nothing.exit, nothing.writes), (ExitCode::Done, Vec::new()));
        });
    }
}
