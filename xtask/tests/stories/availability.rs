//! What the public sees while a release rolls.

use deploy::event::{Availability, ExitCode, Kind};
use sim::workload::scripted::Script;

use crate::ended::Ended;
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
    assert_eq!(
        (first.exit, seen(&first)),
        (ExitCode::Done, None),
        "nobody is there before the first release"
    );
    world.scripts.set("ielts-backend:2", Script::boots_in(20_000));
    world.deploy("v2", "v1").await
}

#[test]
fn a_roll_that_nobody_noticed_is_told_as_such() {
    story(|| async {
        let ended = update(|world| world.environment.availability.enable = true).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let seen = seen(&ended).unwrap();
        assert_eq!((seen.failed, &seen.misses), (0, &Vec::new()));
        // One a second over the roll and ten in the second after each change; none while the account is read and the
        // release is proven.
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
