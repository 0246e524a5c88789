//! Somebody stops a release that another run began.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::lease::TAG;
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

/// An account with a good first release, on which the next backend boots slowly.
async fn slow() -> (World, World) {
    let mut world = World::new().await;
    assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
    world.environment.services[0].deployment.health_check_grace_secs = 900;
    world.scripts.set("ielts-backend:2", Script::boots_in(600_000));
    let other = world.rival().await;
    (world, other)
}

async fn aborts(other: &World, after_secs: u64) -> Ended {
    other.host.clock.sleep(Duration::from_secs(after_secs)).await;
    Box::pin(other.abort()).await
}

fn warned(ended: &Ended, part: &str) -> bool {
    ended.events.iter().any(|event| matches!(event, Kind::Warned { text } if text.contains(part)))
}

async fn has_lease(world: &World) -> bool {
    let cluster = world.aws.describe_cluster(&world.environment.cluster).await.unwrap().unwrap();
    world.aws.list_ecs_tags(&cluster.arn).await.unwrap().contains_key(TAG)
}

#[test]
fn a_release_that_is_stopped_from_elsewhere_is_back_before_that_is_said() {
    story(|| async {
        let (mut world, other) = slow().await;
        let (ours, theirs) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(aborts(&other, 60)));
        assert_eq!(theirs.exit, ExitCode::Failed, "{:#?}", theirs.events);
        assert_eq!(theirs.writes, ["StopServiceDeployment"]);
        assert!(
            warned(&theirs, "prod is being deployed by story in https://ci.test/story"),
            "{:#?}",
            theirs.events
        );
        assert_eq!(ours.exit, ExitCode::Failed, "{:#?}", ours.events);
        let back = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((back.exit, back.rolled().len()), (ExitCode::Done, 0), "{:#?}", back.events);
    });
}

#[test]
fn a_first_release_that_is_stopped_is_not_called_rolled_back() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services[0].deployment.health_check_grace_secs = 900;
        world.scripts.set("ielts-backend", Script::boots_in(600_000));
        let other = world.rival().await;
        let (_, theirs) = tokio::join!(Box::pin(world.deploy("v1", "v1")), Box::pin(aborts(&other, 60)));
        assert_eq!(theirs.exit, ExitCode::NotRecovered, "{:#?}", theirs.events);
    });
}

#[test]
fn an_abort_with_nothing_in_progress_touches_nothing() {
    story(|| async {
        let (_, other) = slow().await;
        let ended = aborts(&other, 0).await;
        assert_eq!((ended.exit, ended.writes), (ExitCode::Done, vec![]), "{:#?}", ended.events);
    });
}

#[test]
fn a_lease_is_only_taken_away_once_it_has_ended() {
    story(|| async {
        let (mut world, other) = slow().await;
        let killed = tokio::time::timeout(Duration::from_secs(40), Box::pin(world.deploy("v2", "v1"))).await;
        assert!(killed.is_err());
        let ended = aborts(&other, 0).await;
        assert_eq!(
            (ended.exit, ended.writes.as_slice()),
            (ExitCode::Failed, &["StopServiceDeployment".to_owned()][..])
        );
        assert!(has_lease(&world).await);
        let ended = aborts(&other, 200).await;
        assert!(warned(&ended, "was not given back"), "{:#?}", ended.events);
        // The killed run had raised the grace period, too: that is restored, and its record removed.
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.writes, ["UntagResource", "UpdateService", "UntagResource"]);
        assert!(!has_lease(&world).await);
        let again = aborts(&other, 0).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}
