//! Somebody else deploys while ours rolls: never our success, never our failure, and nothing of his is undone.

use std::sync::Arc;
use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::rollout::Outcome;
use serde_json::json;
use sim::workload::scripted::Script;
use tokio::sync::Notify;

use crate::ended::Ended;
use crate::somebody::{Moment, ecs};
use crate::world::{World, story};

/// A good first release; then one that somebody supersedes at this moment.
async fn superseded_at(moment: Moment) -> (World, Ended) {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    let ann = world.somebody().await;
    let meddle = async {
        ann.waits_for(moment, "ielts-backend:2").await;
        ann.deploys().await;
    };
    let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
    (world, ended)
}

#[test]
fn a_superseded_release_names_the_revision_and_who_deployed_it_at_each_moment_of_the_roll() {
    for moment in Moment::OF_A_ROLL {
        story(|| async {
            let (_, ended) = superseded_at(moment).await;
            assert_eq!(ended.exit, ExitCode::Superseded, "{moment:?}: {:#?}", ended.events);
            let outcome = &ended.verdict("backend").unwrap().outcome;
            let Outcome::Superseded { task_definition, who, release, .. } = outcome else {
                panic!("{moment:?}: {outcome:?}")
            };
            assert!(task_definition.ends_with("/ielts-backend:3"), "{task_definition}");
            assert_eq!(
                (who.as_deref(), release.as_deref()),
                (Some("ann@example.org"), Some("release-of-ann"))
            );
            let sentence = outcome.sentence();
            assert!(
                sentence.contains("ielts-backend:3") && sentence.contains("ann@example.org"),
                "{sentence}"
            );
        });
    }
}

#[test]
fn the_deployment_that_superseded_ours_is_left_to_its_end() {
    story(|| async {
        let (world, ended) = superseded_at(Moment::TargetsGetHealthy).await;
        assert_eq!(ended.rolled(), ["backend"], "nothing is undone");
        let ann = world.somebody().await;
        ann.waits_for(Moment::Complete, "ielts-backend:3").await;
    });
}

#[test]
fn a_deployment_after_the_completion_of_ours_is_not_undone_because_ours_cannot_be_proven() {
    story(|| async {
        let (world, ended) = superseded_at(Moment::Complete).await;
        assert_eq!(ended.verdict("backend").unwrap().outcome, Outcome::Succeeded, "{:#?}", ended.events);
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Superseded, vec!["backend"]));
        let ann = world.somebody().await;
        ann.waits_for(Moment::Complete, "ielts-backend:3").await;
    });
}

/// A good first release; then one of the same commit whose revision somebody forces to roll anew, which completes.
async fn forced() -> (World, Ended) {
    let mut world = World::new().await;
    world.commit = Some("c".repeat(40));
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    let ann = world.somebody().await;
    let meddle = async {
        ann.waits_for(Moment::TargetsGetHealthy, "ielts-backend:2").await;
        ann.forces_a_deployment();
    };
    let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
    ann.waits_for(Moment::Complete, "ielts-backend:2").await;
    (world, ended)
}

#[test]
fn a_forced_deployment_of_our_own_revision_is_called_that_and_not_a_release_of_somebody() {
    story(|| async {
        let (mut world, ended) = forced().await;
        assert_eq!(ended.exit, ExitCode::Superseded, "{:#?}", ended.events);
        let sentence = ended.verdict("backend").unwrap().outcome.sentence();
        assert!(sentence.starts_with("somebody forced a new deployment of the same revision"), "{sentence}");
        assert!(!sentence.contains("release"), "{sentence}");
        assert!(ended.summary.starts_with("not proven; somebody forced"), "{}", ended.summary);
        // As the summary says: the next run proves it.
        let again = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!((again.exit, again.writes.contains(&"UpdateService".into())), (ExitCode::Done, false));
    });
}

/// Deploys a service's third images, which crash, and gives what the undo says of each service.
async fn undone(world: &mut World, images: (&str, &str), crashes: &str) -> (Ended, Vec<(String, String)>) {
    world.scripts.set(crashes, Script::crashes(1_500, 1));
    let ended = Box::pin(world.deploy(images.0, images.1)).await;
    assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
    let undone = ended.events.iter().find_map(|event| match event {
        Kind::Undone { services } => Some(services.clone()),
        _ => None,
    });
    let services = undone.into_iter().flatten().map(|it| (it.service.0, it.before.unwrap())).collect();
    (ended, services)
}

#[test]
fn an_undo_restores_the_unproven_revision_that_served_and_no_older_one() {
    story(|| async {
        let (mut world, _) = forced().await;
        let (ended, services) = undone(&mut world, ("v3", "v1"), "ielts-backend:3").await;
        assert!(services.iter().all(|(_, before)| before == "ielts-backend:2"), "{services:?}");
        assert_eq!(ended.summary, "not deployed; the previous release serves");
        let backend = world.somebody().await.looks().await;
        assert!(backend.deployments[0].task_definition.ends_with(":2"), "{:?}", backend.deployments);
    });
    // Another service is the one that fails: the unproven one is none of its business.
    story(|| async {
        let (mut world, _) = forced().await;
        let (ended, _) = undone(&mut world, ("v2", "v3"), "ielts-frontend:2").await;
        assert_eq!(ended.rolled(), ["frontend"], "{:#?}", ended.events);
    });
}

#[test]
fn a_service_that_stays_at_a_release_whose_other_service_was_superseded_is_named() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services[1].depends_on.clear();
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let ann = world.somebody().await;
        let meddle = async {
            ann.waits_for(Moment::TargetsGetHealthy, "ielts-backend:2").await;
            ann.deploys().await;
        };
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v2")), Box::pin(meddle));
        assert_eq!(ended.exit, ExitCode::Superseded, "{:#?}", ended.events);
        let named = ended.events.iter().any(|event| {
            matches!(event, Kind::Warned { text }
            if text == "frontend: runs ielts-frontend:2 of this release, not proven, and stays")
        });
        assert!(named, "{:#?}", ended.events);
    });
}

/// A release of the frontend alone, and somebody who deploys the backend meanwhile.
async fn a_frontend_beside_a_foreign_backend(frontend: Script) -> (Ended, String) {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.scripts.set("ielts-frontend:2", frontend);
    let ann = world.somebody().await;
    let meddle = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        ann.deploys().await;
    };
    let (ended, ()) = tokio::join!(Box::pin(world.deploy("v1", "v2")), Box::pin(meddle));
    let backend = ann.looks().await.deployments[0].task_definition.clone();
    (ended, backend)
}

#[test]
fn a_service_that_the_release_leaves_and_somebody_else_deploys_is_named_and_nothing_is_undone() {
    story(|| async {
        let (ended, backend) = a_frontend_beside_a_foreign_backend(Script::default()).await;
        assert_eq!(ended.exit, ExitCode::Superseded, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["frontend"], "it works, and nothing says that it is to blame");
        assert!(backend.ends_with("ielts-backend:2"), "{backend}");
    });
}

#[test]
fn a_failed_release_does_not_say_that_the_previous_one_serves_beside_a_foreign_backend() {
    story(|| async {
        let (ended, backend) = a_frontend_beside_a_foreign_backend(Script::crashes(1_500, 1)).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Superseded, "not deployed; a newer deployment took over"),
            "{:#?}",
            ended.events
        );
        assert!(backend.ends_with("ielts-backend:2"), "{backend}");
    });
}

/// Somebody rolls the backend's first revision by hand, just after the release's nth call of this operation.
fn rolls_after(world: &World, operation: &'static str, nth: usize) -> impl Future<Output = ()> + use<> {
    let written = Arc::new(Notify::new());
    let (over, mut count) = (written.clone(), 0);
    world.cloud.watch_calls(move |call| {
        count += usize::from(call.operation == operation && call.access_key.as_deref() == Some("release"));
        if count == nth {
            over.notify_one();
        }
    });
    let cloud = world.cloud.clone();
    async move {
        written.notified().await;
        let update = json!({ "cluster": "ielts-prod-cluster", "service": "ielts-backend-service", "taskDefinition": "ielts-backend:1" });
        ecs(&cloud, "UpdateService", &update).unwrap();
    }
}

async fn runs(world: &World) -> String {
    world.somebody().await.looks().await.deployments[0].task_definition.clone()
}

#[test]
fn a_deployment_that_somebody_made_between_plan_and_write_is_not_overwritten() {
    story(|| async {
        let mut world = World::new().await;
        for version in ["v1", "v2"] {
            assert_eq!(world.deploy(version, "v1").await.exit, ExitCode::Done);
        }
        let rival = rolls_after(&world, "RegisterTaskDefinition", 1);
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v3", "v1")), rival);
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Superseded, "not deployed; a newer deployment took over"),
            "{:#?}",
            ended.events
        );
        let named = |it: &Kind| {
            matches!(it, Kind::Failed { error, .. }
            if error == "backend: somebody deployed ielts-backend:1 since the plan was made")
        };
        assert!(ended.events.iter().any(named), "{:#?}", ended.events);
        assert!(
            !ended.writes.contains(&"UpdateService".to_owned()) && runs(&world).await.ends_with("backend:1")
        );
    });
}

#[test]
fn a_deployment_that_somebody_made_while_a_release_is_undone_is_left_and_named() {
    story(|| async {
        let mut world = World::new().await;
        for version in ["v1", "v2"] {
            assert_eq!(world.deploy(version, "v1").await.exit, ExitCode::Done);
        }
        // Its settings are restored first, and that is the moment.
        world.environment.services[0].target_group.health.interval_secs += 5;
        world.front_door.new_revisions_answer(500);
        let rival = rolls_after(&world, "ModifyTargetGroup", 2);
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v3", "v1")), rival);
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Superseded, "not deployed; a newer deployment took over"),
            "{:#?}",
            ended.events
        );
        let left = "backend: left as it is: somebody else deployed ielts-backend:1 meanwhile";
        let named = |it: &Kind| matches!(it, Kind::Warned { text } if text == left);
        assert!(ended.events.iter().any(named), "{:#?}", ended.events);
        assert!(runs(&world).await.ends_with("ielts-backend:1"));
        let group = world.aws.find_target_groups(&["ielts-backend-tg"]).await.unwrap().remove(0).state.spec;
        assert_eq!(
            group.health.interval_secs,
            world.environment.services[0].target_group.health.interval_secs - 5
        );
    });
}
