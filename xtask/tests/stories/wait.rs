//! A release is left to itself, and somebody else waits for it.

use std::time::Duration;

use deploy::event::ExitCode;
use deploy::history::{Fate, history};
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;
use xtask::observe;

use crate::ended::Ended;
use crate::world::{World, story};

/// A first release; then one with this backend whose run leaves once it rolls.
async fn left(script: Script) -> (World, Ended) {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.scripts.set("ielts-backend:2", script);
    world.detaches = true;
    let ended = world.deploy("v2", "v1").await;
    world.detaches = false;
    (world, ended)
}

async fn fate(world: &World, release: &str) -> Fate {
    let releases = history(&observe::history(&world.aws, &world.environment, 20).await.unwrap().facts);
    releases.into_iter().find(|past| past.release == release).unwrap().fate
}

#[test]
fn a_release_that_was_left_is_never_called_done_until_somebody_has_proven_it() {
    story(|| async {
        let (world, ended) = left(Script::boots_in(30_000)).await;
        assert_eq!((ended.exit, ended.rolled().len()), (ExitCode::StillMoving, 0), "{:#?}", ended.events);
        assert_eq!(fate(&world, "release-2").await, Fate::InProgress);
        let waited = world.wait(Some("release-2")).await;
        assert_eq!((waited.exit, waited.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", waited.events);
        assert_eq!(waited.summary, "release release-2: it settled, and is proven");
        assert_eq!(
            waited.writes,
            ["TagResource"],
            "who waits marks what was proven, and writes nothing else"
        );
        assert_eq!(fate(&world, "release-2").await, Fate::Live);
    });
}

#[test]
fn who_waits_without_a_name_waits_for_what_rolls() {
    story(|| async {
        let (world, _) = left(Script::default()).await;
        let waited = world.wait(None).await;
        assert_eq!((waited.exit, waited.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", waited.events);
        let again = world.wait(None).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, Vec::new()), "{:#?}", again.events);
        assert_eq!(again.summary, "release release-2: it runs, and is proven");
    });
}

#[test]
fn only_the_last_services_are_left_to_themselves() {
    story(|| async {
        let mut world = World::new().await;
        world.detaches = true;
        let ended = world.deploy("v1", "v1").await;
        world.detaches = false;
        // The frontend sees the backend's endpoint only when that is there.
        assert_eq!(
            (ended.exit, ended.rolled()),
            (ExitCode::StillMoving, vec!["backend"]),
            "{:#?}",
            ended.events
        );
        let waited = world.wait(None).await;
        assert_eq!(
            (waited.exit, waited.rolled()),
            (ExitCode::Done, vec!["frontend"]),
            "{:#?}",
            waited.events
        );
    });
}

#[test]
fn a_left_release_that_fails_is_reported_as_failed_also_to_who_comes_late() {
    story(|| async {
        let (world, _) = left(Script::crashes(1_500, 1)).await;
        let waited = world.wait(Some("release-2")).await;
        assert_eq!(waited.exit, ExitCode::Failed, "{:#?}", waited.events);
        let late = world.wait(Some("release-2")).await;
        assert_eq!((late.exit, late.writes), (ExitCode::Failed, Vec::new()), "{:#?}", late.events);
        assert_eq!(late.summary, "release release-2: it was rolled back; the previous release serves");
        // It was rolled back, and that is all that history knows: what runs instead is measured.
        world.somebody().await.scales_to(0).await;
        let down = world.wait(Some("release-2")).await;
        assert_eq!(
            (down.exit, down.summary.as_str()),
            (
                ExitCode::NotRecovered,
                "release release-2: it was rolled back; not all of what ran before serves: backend 0/0 tasks"
            )
        );
        world.cloud.add_rule(On::operation("DescribeTargetHealth").then(Fault::AccessDenied));
        assert_eq!(world.wait(Some("release-2")).await.exit, ExitCode::Unknown);
    });
}

#[test]
fn a_release_that_a_newer_one_replaced_is_reported_as_superseded() {
    story(|| async {
        let (mut world, _) = left(Script::boots_in(60_000)).await;
        world.host.clock.sleep(Duration::from_secs(5)).await;
        world.scripts.unset("ielts-backend:2");
        assert_eq!(world.deploy("v3", "v1").await.exit, ExitCode::Done);
        let late = world.wait(Some("release-2")).await;
        assert_eq!((late.exit, late.writes), (ExitCode::Superseded, Vec::new()), "{:#?}", late.events);
    });
}

#[test]
fn a_release_whose_rollback_is_in_progress_is_waited_for_whenever_one_comes() {
    for secs in [5, 30, 60, 90, 120, 150, 180, 240] {
        story(|| async {
            let (world, _) = left(Script::crashes(1_500, 1)).await;
            world.host.clock.sleep(Duration::from_secs(secs)).await;
            let waited = world.wait(Some("release-2")).await;
            let got = (waited.exit, waited.writes);
            assert_eq!(got, (ExitCode::Failed, Vec::new()), "after {secs} s: {:#?}", waited.events);
        });
    }
}

#[test]
fn a_release_that_a_newer_one_is_replacing_is_not_called_stopped() {
    story(|| async {
        let (mut world, _) = left(Script::boots_in(60_000)).await;
        world.host.clock.sleep(Duration::from_secs(5)).await;
        world.scripts.set("ielts-backend:3", Script::boots_in(30_000));
        world.detaches = true;
        assert_eq!(world.deploy("v3", "v1").await.exit, ExitCode::StillMoving);
        let waited = world.wait(Some("release-2")).await;
        assert_eq!(waited.exit, ExitCode::Superseded, "{:#?}", waited.events);
        assert_eq!(world.wait(None).await.exit, ExitCode::Done);
    });
}

#[test]
fn what_a_release_left_as_it_was_is_neither_doubted_nor_proven_by_who_waits_for_it() {
    story(|| async {
        let (mut world, _) = left(Script::default()).await;
        world.host.clock.sleep(Duration::from_secs(300)).await;
        world.detaches = true;
        assert_eq!(world.deploy("v2", "v2").await.exit, ExitCode::StillMoving);
        let waited = world.wait(None).await;
        assert_eq!(
            (waited.exit, waited.rolled()),
            (ExitCode::Done, vec!["frontend"]),
            "{:#?}",
            waited.events
        );
        assert_eq!(waited.writes, ["TagResource"]);
        assert_eq!(fate(&world, "release-2").await, Fate::Unproven, "it runs still, under a newer release");
    });
}
