//! A network that fails all the way through: throttled calls, old news after every write, and each reply lost once.

use std::collections::BTreeMap;

use deploy::event::ExitCode;
use deploy::rollout::Outcome;
use sim::door::clock::SimClock;
use sim::fault::{Call, Fault, On, Rule};
use sim::testing::Millis;
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::picture::{differences, picture};
use crate::world::{World, story};

/// Of each operation two calls a second pass, and the others are throttled.
fn throttles_throughout(clock: SimClock) -> impl Rule {
    let mut passed: BTreeMap<String, Millis> = BTreeMap::new();
    move |call: &Call<'_>| {
        let now = clock.millis();
        let full = passed.get(call.operation).is_some_and(|last| now.since(*last) < 500);
        if !full {
            passed.insert(call.operation.to_owned(), now);
        }
        full.then_some(Fault::Throttle)
    }
}

/// After each write so many reads answer what they answered before it.
fn old_news_after_each_write(reads: u32) -> impl Rule {
    let mut left = 0;
    move |call: &Call<'_>| {
        if call.write {
            left = reads;
            return None;
        }
        let stale = left > 0;
        left = left.saturating_sub(1);
        stale.then_some(Fault::StaleRead)
    }
}

/// A first release, an update, a rerun and an update that fails: what became of each is reported as on any other network.
async fn outcomes_are_true(mut world: World) {
    let first = Box::pin(world.deploy("v1", "v1")).await;
    assert_eq!(first.exit, ExitCode::Done, "{:#?}", first.events);
    let update = Box::pin(world.deploy("v2", "v2")).await;
    assert_eq!((update.exit, update.rolled().len()), (ExitCode::Done, 2), "{:#?}", update.events);
    let again = Box::pin(world.deploy("v2", "v2")).await;
    assert_eq!((again.exit, again.rolled().len()), (ExitCode::Done, 0), "{:#?}", again.events);
    world.scripts.set("ielts-backend:3", Script::crashes(1_500, 1));
    let failing = Box::pin(world.deploy("v3", "v2")).await;
    assert_eq!(failing.exit, ExitCode::Failed, "{:#?}", failing.events);
    assert_eq!(failing.verdict("backend").unwrap().outcome, Outcome::RolledBack);
    let cause = failing.cause("backend").unwrap();
    assert!(cause.contains("exited with code 1"), "{cause}");
}

#[test]
fn throttling_throughout_changes_no_outcome() {
    story(async || {
        let world = World::new().await;
        world.cloud.add_rule(throttles_throughout(world.cloud.clock().clone()));
        Box::pin(outcomes_are_true(world)).await;
    });
}

#[test]
fn reads_that_are_older_than_the_last_write_change_no_outcome() {
    for reads in [1, 20] {
        story(async || {
            let world = World::new().await;
            world.cloud.add_rule(old_news_after_each_write(reads));
            Box::pin(outcomes_are_true(world)).await;
        });
    }
}

#[test]
fn old_news_after_a_change_without_a_roll_does_not_undo_it() {
    for reads in [5, 30] {
        story(async || {
            let mut world = World::new().await;
            world.deploy("v1", "v1").await;
            world.cloud.add_rule(old_news_after_each_write(reads));
            if let Some(scaling) = &mut world.environment.services[0].scaling {
                scaling.max += 1;
            }
            let ended = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!((ended.exit, ended.rolled().len()), (ExitCode::Done, 0), "{:#?}", ended.events);
        });
    }
}

/// The writes of an undisturbed run over what `prepare` left, each with its number among those of its name.
async fn writes(mut world: World, images: (&str, &str)) -> Vec<(String, u64)> {
    let ended = world.deploy(images.0, images.1).await;
    let mut numbered = Vec::new();
    for name in ended.writes {
        let same = numbered.iter().filter(|(known, _)| *known == name).count();
        numbered.push((name, same as u64 + 1));
    }
    numbered
}

async fn account(deployed: &[(&str, &str)]) -> World {
    let mut world = World::new().await;
    for (backend, frontend) in deployed {
        assert_eq!(world.deploy(backend, frontend).await.exit, ExitCode::Done);
    }
    world
}

/// Over how many runs the losses are spread.
const RUNS: usize = 3;

/// Spoils the reply of each write of a deploy of `images`, in one of the runs.
fn no_reply_is_missed(fault: Fault, deployed: &'static [(&str, &str)], images: (&'static str, &'static str)) {
    let (mut all, mut undisturbed) = (Vec::new(), String::new());
    story(async || {
        all = writes(account(deployed).await, images).await;
        let mut world = account(deployed).await;
        world.deploy(images.0, images.1).await;
        undisturbed = picture(&world).await;
    });
    if fault != Fault::LoseReply {
        // The registry's protocol has statuses and headers for success: another is an error, and nothing rolls.
        all.retain(|(name, _)| !name.contains(' '));
    }
    if matches!(fault, Fault::Status { .. }) {
        // A reply about tags has no members: that nothing was tagged shows in the next run only, which tags it.
        all.retain(|(name, _)| !["TagResource", "UntagResource"].contains(&name.as_str()));
    }
    for run in 0..RUNS {
        let lost: Vec<_> = all.iter().skip(run).step_by(RUNS).collect();
        assert!(!lost.is_empty(), "{all:?}");
        story(async || {
            let mut world = account(deployed).await;
            for (name, nth) in &lost {
                world.cloud.add_rule(On::operation(name).nth(*nth..=*nth).then(fault.clone()));
            }
            let Ended { exit, events, .. } = Box::pin(world.deploy(images.0, images.1)).await;
            assert_eq!(exit, ExitCode::Done, "{lost:?}: {events:#?}");
            world.cloud.clear_rules();
            let found = Box::pin(picture(&world)).await;
            assert_eq!(differences(&undisturbed, &found), [""; 0], "{lost:?}");
            let again = Box::pin(world.deploy(images.0, images.1)).await;
            assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{lost:?}");
        });
    }
}

#[test]
fn a_first_deploy_misses_no_reply() {
    no_reply_is_missed(Fault::LoseReply, &[], ("v1", "v1"));
}

#[test]
fn an_update_misses_no_reply() {
    no_reply_is_missed(Fault::LoseReply, &[("v1", "v1")], ("v2", "v2"));
}

#[test]
fn a_first_deploy_takes_an_empty_success_for_no_reply() {
    no_reply_is_missed(Fault::EmptyReply, &[], ("v1", "v1"));
}

#[test]
fn an_update_takes_an_empty_success_for_no_reply_whether_or_not_it_was_carried_out() {
    let nothing_done = Fault::Status { code: 200, body: String::new(), content_type: String::new() };
    for fault in [Fault::EmptyReply, nothing_done] {
        no_reply_is_missed(fault, &[("v1", "v1")], ("v2", "v2"));
    }
}

#[test]
fn a_forced_deployment_whose_reply_is_lost_is_not_started_twice() {
    for fault in [Fault::LoseReply, Fault::LoseRequest] {
        story(async || {
            let mut world = World::new().await;
            world.environment.services.truncate(1);
            world.scripts.set("ielts-backend", Script::crashes(500, 3));
            assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::NotRecovered);
            // The same revision once more, since its only deployment failed.
            world.scripts.unset("ielts-backend");
            world.cloud.add_rule(On::operation("UpdateService").nth(1..=1).then(fault.clone()));
            let ended = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
            let found = Box::pin(picture(&world)).await;
            assert!(found.contains("backend: 1 revisions, 2 service deployments"), "{found}");
        });
    }
}
