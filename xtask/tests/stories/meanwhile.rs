//! What happens to a service beside its roll, or after it: scaling, churn, a call that fails next to one that does not.

use std::sync::Arc;
use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::history::{Fate, history};
use deploy::rollout::Outcome;
use serde_json::{Value, json};
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;
use tokio::sync::Notify;
use xtask::observe;

use crate::ended::Ended;
use crate::somebody::{Moment, ecs};
use crate::wants::asked;
use crate::world::{World, story};

/// The highest desired count that was reported of a roll.
fn most_desired(ended: &Ended) -> u32 {
    let desired = |event: &Kind| match event {
        Kind::Rolling { desired, .. } => Some(*desired),
        _ => None,
    };
    ended.events.iter().filter_map(desired).max().unwrap_or_default()
}

#[test]
fn a_scale_out_in_the_middle_of_a_roll_is_neither_undone_nor_miscounted() {
    for moment in Moment::OF_A_ROLL {
        story(|| async {
            let mut world = World::new().await;
            world.deploy("v1", "v1").await;
            let scaling = world.somebody().await;
            let scale_out = async {
                scaling.waits_for(moment, "ielts-backend:2").await;
                scaling.scales_to(5).await;
            };
            let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(scale_out));
            assert_eq!(ended.exit, ExitCode::Done, "{moment:?}: {:#?}", ended.events);
            assert_eq!(ended.verdict("backend").unwrap().outcome, Outcome::Succeeded, "{moment:?}");
            assert_eq!(most_desired(&ended), 5, "{moment:?}: {:#?}", ended.events);
            let service = scaling.looks().await;
            assert_eq!((service.desired, service.running), (5, 5), "{moment:?}");
        });
    }
}

#[test]
fn a_deploy_keeps_the_tasks_that_autoscaling_wanted() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        let scaling = world.somebody().await;
        scaling.scales_to(7).await;
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, scaling.looks().await.desired), (ExitCode::Done, 7));
    });
}

#[test]
fn tasks_that_crash_after_the_release_make_it_no_failed_one_and_are_not_hidden() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        // Long enough for the release to be complete and proven.
        world.scripts.set("ielts-backend:2", Script::crashes(400_000, 1));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, ended.secs < 400), (ExitCode::Done, true), "{} s", ended.secs);
        world.scripts.set("ielts-backend:2", Script::fails_to_start("CannotPullContainerError: i/o timeout"));
        tokio::time::sleep(Duration::from_secs(500)).await;
        let down = world.deploy("v2", "v1").await;
        assert_eq!((down.exit, down.rolled().len()), (ExitCode::NotRecovered, 0), "{:#?}", down.events);
        assert_eq!(down.writes, ["TagResource"], "it is no release to roll back to; and it is not undone");
        let text = format!("{:?}", down.events);
        assert!(text.contains("no task of ielts-backend-service runs"), "{text}");
        world.scripts.unset("ielts-backend:2");
        tokio::time::sleep(Duration::from_secs(1_200)).await;
        let up = world.deploy("v2", "v1").await;
        assert_eq!((up.exit, &*up.writes.join(" ")), (ExitCode::Done, "TagResource"), "{:#?}", up.events);
        assert_eq!(
            fate(&world).await,
            Fate::Live,
            "its tasks stayed up for the bake time, and it is proven once more"
        );
    });
}

/// What became of the newest release.
async fn fate(world: &World) -> Fate {
    history(&observe::history(&world.aws, &world.environment, 20).await.unwrap().facts)[0].fate
}

/// A release whose backend crashed at once some time after its proof, and whose new tasks do as this script says, once all of them
/// run again.
async fn crashed(again: Script) -> World {
    let mut world = World::new().await;
    world.scripts.set("ielts-backend:1", Script::crashes(400_000, 1));
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.scripts.set("ielts-backend:1", again);
    let somebody = world.somebody().await;
    while somebody.looks().await.running == 2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    while somebody.looks().await.running < 2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(fate(&world).await, Fate::LiveCrashed);
    world
}

#[test]
fn a_deploy_that_changes_nothing_after_a_crash_names_it_and_proves_the_release_anew() {
    story(|| async {
        let mut world = crashed(Script::default()).await;
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Done, "nothing to change; proven"),
            "{:#?}",
            ended.events
        );
        let named = |it: &Kind| {
            matches!(it, Kind::Warned { text } if text.contains("stopped with exit code 1 after")
            && text.ends_with("that was after its proof, so its tasks have to stay up for 30 s"))
        };
        assert!(ended.events.iter().any(named) && ended.secs >= 30, "{:#?}", ended.events);
        assert_eq!(fate(&world).await, Fate::Live, "one command does not say proven, and the other crashed");
        let again = world.deploy("v1", "v1").await;
        assert_eq!((again.exit, again.secs < 30, again.writes), (ExitCode::Done, true, Vec::new()));
    });
    story(|| async {
        let mut world = crashed(Script::crashes(25_000, 1)).await;
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(
            (ended.exit, &*ended.summary, ended.rolled().len()),
            (ExitCode::NotRecovered, "deployed, but not proven", 0),
            "{:#?}",
            ended.events
        );
        assert_eq!(fate(&world).await, Fate::LiveCrashed);
    });
}

#[test]
fn a_release_of_the_frontend_names_a_backend_that_crashed_since_it_was_proven() {
    story(|| async {
        let mut world = crashed(Script::default()).await;
        let ended = world.deploy("v1", "v2").await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Done, "deployed and proven"),
            "{:#?}",
            ended.events
        );
        let text = "tasks of ielts-backend:1 crashed since it was proven; no rollback chooses it";
        assert!(ended.events.iter().any(|it| matches!(it, Kind::Warned { text: of } if of == text)));
    });
}

#[test]
fn a_backend_that_rolls_beside_a_frontend_that_is_refused_is_not_left_rolling() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.cloud.add_rule(On::operation("UpdateService").nth(2..=2).then(Fault::AccessDenied));
        let ended = world.deploy("v2", "v2").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        // The remedy stands below the undo's lines.
        let Some(Kind::Failed { error, hint: Some(hint) }) = ended.events.last() else {
            panic!("{:#?}", ended.events)
        };
        assert!(error.contains("may not ecs:UpdateService"), "{error}");
        assert!(hint.contains("ecs:UpdateService"), "{hint}");
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}

/// Deploys over `v1`, and changes the backend when the lease is given back: the proof is over, and the table is still to be read.
async fn changed_after_the_proof(update: Value) -> (World, Ended) {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    let proven = Arc::new(Notify::new());
    let over = proven.clone();
    world.cloud.watch_calls(move |call| {
        if call.operation == "UntagResource" {
            over.notify_one();
        }
    });
    let cloud = world.cloud.clone();
    let somebody = async {
        proven.notified().await;
        ecs(&cloud, "UpdateService", &update).unwrap();
    };
    let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), somebody);
    (world, ended)
}

#[test]
fn a_service_scaled_to_0_after_the_proof_is_not_called_proven_below_its_own_table() {
    story(async || {
        let update =
            json!({ "cluster": "ielts-prod-cluster", "service": "ielts-backend-service", "desiredCount": 0 });
        let (_, ended) = changed_after_the_proof(update).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Unknown, "proven, and scaled to 0 by hand since")
        );
    });
}

#[test]
fn a_deployment_that_somebody_forces_after_the_proof_is_waited_for() {
    story(async || {
        let update = json!({ "cluster": "ielts-prod-cluster", "service": "ielts-backend-service", "forceNewDeployment": true });
        let (world, ended) = changed_after_the_proof(update).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Done, "deployed and proven"),
            "{:#?}",
            ended.events
        );
        let deployments = world.somebody().await.looks().await.deployments;
        assert_eq!((deployments.len(), deployments[0].rollout_state.as_deref()), (1, Some("COMPLETED")));
    });
}

#[test]
fn a_revision_that_somebody_deploys_after_the_proof_is_not_called_ours() {
    story(async || {
        let update = json!({ "cluster": "ielts-prod-cluster", "service": "ielts-backend-service", "taskDefinition": "ielts-backend:1" });
        let (_, ended) = changed_after_the_proof(update).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Superseded, "proven; a newer deployment took over since"),
            "{:#?}",
            ended.events
        );
    });
}

/// The proof counts the healthy targets that the release needs; the table shows the other one too.
#[test]
fn a_target_that_somebody_registered_by_hand_does_not_keep_a_release_from_its_end() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let group = world.aws.find_target_groups(&["ielts-backend-tg"]).await.unwrap().remove(0).state.arn;
        let target = "Targets.member.1.Id=10.0.1.250&Targets.member.1.Port=8080";
        let query = format!("Action=RegisterTargets&Version=2015-12-01&TargetGroupArn={group}&{target}");
        asked(&world.cloud, None, &query);
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Done, "deployed and proven"),
            "{:#?}",
            ended.events
        );
    });
}
