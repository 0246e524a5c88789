//! Somebody presses Ctrl-C, or a job is cancelled.

use deploy::event::ExitCode;
use sim::workload::scripted::Script;

use crate::world::{World, story};

#[test]
fn a_cancelled_job_does_not_leave_half_a_release_behind() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.environment.services[0].deployment.health_check_grace_secs = 900;
        world.scripts.set("ielts-backend:2", Script::boots_in(600_000));
        world.stop_after = Some(60);
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Interrupted, "{:#?}", ended.events);
        assert!(ended.writes.contains(&"StopServiceDeployment".to_owned()), "{:?}", ended.writes);
        // The old revision serves: a deploy of it has no revision to register and nothing to roll.
        world.stop_after = None;
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.rolled().len()), (ExitCode::Done, 0), "{:#?}", back.events);
    });
}

#[test]
fn a_cancelled_first_release_is_not_called_rolled_back() {
    story(|| async {
        let mut world = World::new().await;
        world.scripts.set("ielts-backend", Script::boots_in(600_000));
        world.environment.services[0].deployment.health_check_grace_secs = 900;
        world.stop_after = Some(60);
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(ended.exit, ExitCode::Interrupted, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["backend"], "nothing is begun after the request");
    });
}

#[test]
fn a_first_release_is_called_interrupted_whenever_the_signal_came() {
    let mut whole = 0;
    story(async || whole = World::new().await.deploy("v1", "v1").await.secs);
    for part in 1..8 {
        let secs = whole * part / 8;
        story(async || {
            let mut world = World::new().await;
            world.stop_after = Some(secs);
            let ended = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Interrupted, "after {secs} s: {:#?}", ended.events);
            world.stop_after = None;
            let again = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!(again.exit, ExitCode::Done, "after {secs} s: {:#?}", again.events);
        });
    }
}

#[test]
fn a_cancelled_release_is_back_whenever_the_signal_came() {
    let mut whole = 0;
    story(async || {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        whole = world.deploy("v2", "v2").await.secs;
    });
    for part in 1..8 {
        let secs = whole * part / 8;
        story(async || {
            let mut world = World::new().await;
            world.deploy("v1", "v1").await;
            world.stop_after = Some(secs);
            let ended = Box::pin(world.deploy("v2", "v2")).await;
            assert_eq!(ended.exit, ExitCode::Interrupted, "after {secs} s: {:#?}", ended.events);
            world.stop_after = None;
            let back = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()), "after {secs} s");
        });
    }
}
