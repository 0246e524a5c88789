//! What the public sees while a release rolls.

use std::time::Duration;

use deploy::event::{Availability, ExitCode, Kind};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::front_door::FrontDoor;
use crate::somebody::{Moment, Somebody};
use crate::world::{World, story};

fn seen(ended: &Ended) -> Option<&Availability> {
    ended.events.iter().find_map(|event| match event {
        Kind::Availability(seen) => Some(seen),
        _ => None,
    })
}

async fn update(prepare: impl FnOnce(&mut World)) -> Ended {
    let mut world = World::new().await;
    prepare(&mut world);
    let first = world.deploy("v1", "v1").await;
    assert_eq!(first.exit, ExitCode::Done);
    world.scripts.set("ielts-backend:2", Script::boots_in(20_000));
    world.deploy("v2", "v1").await
}

#[test]
fn a_roll_that_nobody_noticed_is_reported_as_such() {
    story(|| async {
        let ended = update(|world| world.environment.availability.enable = true).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let seen = seen(&ended).unwrap();
        assert_eq!((seen.failed, &seen.misses), (0, &Vec::new()));
        // One a second until the release is proven and ten in the second after each change; none while the account is read.
        let requests = u64::from(seen.requests);
        assert!(requests > ended.secs && requests <= 3 * ended.secs, "{seen:?} in {} s", ended.secs);
    });
}

#[test]
fn an_outage_is_put_beside_the_moment_of_the_roll_that_caused_it() {
    story(|| async {
        let ended = update(|world| {
            world.environment.availability.enable = true;
            // All old tasks stop before the first new one starts.
            let deployment = &mut world.environment.services[0].deployment;
            deployment.minimum_healthy_percent = 0;
            deployment.maximum_percent = 100;
        })
        .await;
        assert_eq!(ended.exit, ExitCode::Done, "what the public saw decides nothing: {:#?}", ended.events);
        let seen = seen(&ended).unwrap();
        assert!(seen.failed > 5, "{seen:?}");
        assert!(
            seen.misses.iter().all(|miss| miss.service.0 == "backend" && miss.after.is_some()),
            "{seen:#?}"
        );
    });
}

#[test]
fn where_it_is_switched_off_nothing_is_asked() {
    story(|| async {
        let ended = update(|world| world.environment.availability.enable = false).await;
        assert_eq!((ended.exit, seen(&ended)), (ExitCode::Done, None));
    });
}

/// An update that bakes for a minute. Ten seconds after its tasks are healthy, something befalls.
async fn baked(befall: impl AsyncFnOnce(FrontDoor, Somebody)) -> Ended {
    let mut world = World::new().await;
    for service in &mut world.environment.services {
        service.deployment.bake_secs = 60;
        // What is forced then takes all tasks away.
        service.deployment.minimum_healthy_percent = 0;
    }
    assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
    world.environment.availability.enable = true;
    let (door, somebody) = (world.front_door.clone(), world.somebody().await);
    let befalls = async {
        somebody.waits_for(Moment::Complete, "ielts-backend:2").await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        befall(door, somebody).await;
    };
    tokio::join!(Box::pin(world.deploy("v2", "v2")), Box::pin(befalls)).0
}

fn is_undone(ended: &Ended) -> bool {
    ended.events.iter().any(|event| matches!(event, Kind::Undoing { .. }))
}

async fn fails_for(door: FrontDoor, ms: u64) {
    door.answers(500);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    door.answers(200);
}

#[test]
fn a_release_that_fails_its_users_while_it_bakes_is_not_proven() {
    story(|| async {
        let ended = baked(async |door, _| fails_for(door, 8_000).await).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.summary, "not deployed; the previous release serves");
        let named = |event: &Kind| matches!(event, Kind::Failed { error, hint: Some(_) } if error.contains("after all tasks were healthy: GET "));
        assert!(ended.events.iter().any(named), "{:#?}", ended.events);
        assert!(seen(&ended).unwrap().failed > 5);
    });
}

#[test]
fn a_stray_failure_while_it_bakes_is_shown_and_decides_nothing() {
    story(|| async {
        let ended = baked(async |door, _| fails_for(door, 1_200).await).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert!(seen(&ended).unwrap().failed > 0);
    });
}

#[test]
fn an_outage_by_a_deployment_of_somebody_else_undoes_nothing_and_proves_nothing() {
    story(|| async {
        let ended = baked(async |_, somebody| somebody.forces_a_deployment()).await;
        assert_eq!((ended.exit, is_undone(&ended)), (ExitCode::Unknown, false), "{:#?}", ended.events);
        assert!(seen(&ended).unwrap().failed > 5);
    });
}

#[test]
fn a_first_release_is_asked_while_it_bakes() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.availability.enable = true;
        let ended = world.deploy("v1", "v1").await;
        assert_eq!((ended.exit, seen(&ended).unwrap().failed), (ExitCode::Done, 0));
    });
}
