//! What happens to a service beside its roll, or after it: scaling, churn, a call that fails next to one that does not.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::rollout::Outcome;
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::somebody::Moment;
use crate::world::{World, story};

/// The most tasks that a roll was told to want.
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
        let told = format!("{:?}", down.events);
        assert!(told.contains("no task of ielts-backend-service runs"), "{told}");
        world.scripts.unset("ielts-backend:2");
        tokio::time::sleep(Duration::from_secs(1_200)).await;
        let up = world.deploy("v2", "v1").await;
        assert_eq!((up.exit, up.writes), (ExitCode::Done, Vec::new()), "{:#?}", up.events);
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
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "{:#?}", back.events);
    });
}
