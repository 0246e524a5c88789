//! A load balancer that AWS could not set up.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::rollout::Outcome;
use sim::door::cloud::Cloud;
use sim::testing::fail;
use xtask::host::HttpError;

use crate::ended::Ended;
use crate::world::{World, story};

const REASON: &str = "The subnet does not have enough free addresses";

fn fails(cloud: &Cloud) {
    let now = cloud.clock().millis();
    cloud.with_account(|account| fail(account, now, "ielts-prod-alb", REASON));
}

/// The errors that name the load balancer, with what to do.
fn failures(ended: &Ended) -> Vec<(&str, &str)> {
    let found = ended.events.iter().filter_map(|event| match event {
        Kind::Failed { error, hint: Some(hint) } if error.contains("load balancer") => {
            Some((error.as_str(), hint.as_str()))
        }
        _ => None,
    });
    found.collect()
}

#[test]
fn a_load_balancer_that_has_failed_is_named_with_its_reason_and_nothing_is_written() {
    story(async || {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        fails(&world.cloud);
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, ended.writes.as_slice()), (ExitCode::Usage, [].as_slice()));
        let (error, hint) = failures(&ended)[0];
        assert_eq!(error, format!("load balancer `ielts-prod-alb` is in state `failed`: {REASON}"));
        assert!(hint.contains("delete it, and deploy again"), "{hint}");
    });
}

#[test]
fn a_load_balancer_that_fails_meanwhile_is_named_by_the_first_release() {
    // While the services roll, and while what is complete is proven.
    for secs in [20, 120] {
        story(async || {
            let mut world = World::new().await;
            world.front_door.closes(HttpError::Unresolved);
            let cloud = world.cloud.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(secs)).await;
                fails(&cloud);
            });
            let ended = world.deploy("v1", "v1").await;
            assert_eq!(ended.exit, ExitCode::NotRecovered, "{secs} s: {:#?}", ended.events);
            let (error, _) = failures(&ended)[0];
            assert!(error.ends_with(REASON), "{secs} s: {error}");
            if secs == 20 {
                let names =
                    |event: &Kind| matches!(event, Kind::Failed { error, .. } if error.ends_with(REASON));
                let named = ended.events.iter().position(names);
                let settled = ended.events.iter().position(|event| matches!(event, Kind::Settled { .. }));
                assert!(named < settled, "named while the first service still rolls: {:#?}", ended.events);
            }
            let proven =
                ended.verdict("frontend").is_some_and(|verdict| verdict.outcome == Outcome::Succeeded);
            assert_eq!(proven, secs == 120, "{secs} s: {:#?}", ended.events);
        });
    }
}
