//! What was released is remembered by the account itself, and can be run again.

use std::collections::BTreeMap;
use std::time::Duration;

use deploy::event::ExitCode;
use deploy::history::{Fate, Past, history};
use deploy::output::History;
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;
use xtask::observe;
use xtask::release::{NoRollbackTarget, ReleaseContext, attach};

use crate::schema;
use crate::world::{World, story};

async fn releases(world: &World) -> Vec<Past> {
    let releases = history(&observe::history(&world.aws, &world.environment, 20).await.unwrap().facts);
    schema::check("History", &History { environment: "prod", releases: &releases });
    releases
}

async fn fates(world: &World) -> Vec<(String, Fate)> {
    releases(world).await.into_iter().map(|past| (past.release, past.fate)).collect()
}

fn named(fates: &[(&str, Fate)]) -> Vec<(String, Fate)> {
    fates.iter().map(|(name, fate)| ((*name).to_owned(), *fate)).collect()
}

async fn expiring(world: &World) -> Vec<String> {
    observe::with_expiry(&world.aws, &world.environment).await.unwrap().1
}

/// Three proven releases: both services, the backend alone, the frontend alone.
async fn three() -> World {
    let mut world = World::new().await;
    for (backend, frontend) in [("v1", "v1"), ("v2", "v1"), ("v2", "v2")] {
        assert_eq!(world.deploy(backend, frontend).await.exit, ExitCode::Done);
    }
    world
}

#[test]
fn before_the_first_release_there_is_nothing_to_go_to_or_to_wait_for() {
    story(|| async {
        let world = World::new().await;
        let none = world.rollback(None).await.unwrap_err();
        let expected = ("nothing was released yet", Some("`cargo xtask deploy` makes the first release"));
        assert_eq!((none.to_string().as_str(), none.hint().as_deref()), expected);
        let waits = async |context: &ReleaseContext<'_>| {
            let none = attach(context, None).await.unwrap_err();
            assert_eq!((none.to_string().as_str(), none.hint().as_deref()), expected);
            (ExitCode::Usage, String::new())
        };
        world.act(&BTreeMap::new(), false, waits).await;
    });
}

#[test]
fn a_failed_release_is_never_remembered_as_a_good_one() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        world.deploy("v2", "v1").await;
        world.deploy("v3", "v1").await;
        let expected =
            [("release-3", Fate::Live), ("release-2", Fate::RolledBack), ("release-1", Fate::Proven)];
        assert_eq!(fates(&world).await, named(&expected));
        let failed = &releases(&world).await[1];
        let why = failed.reason.as_deref().unwrap();
        // Its cause was plain, so the tool had ECS stop it; ECS calls the tool a user.
        assert_eq!(why, "Service deployment rolled back because it was stopped by a user.");
        assert!(failed.took_ms.is_some_and(|took| (10_000..3_600_000).contains(&took)), "{failed:?}");
        // The way back leads over the failed one.
        let ended = world.rollback(None).await.unwrap();
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", ended.events);
        assert_eq!(fates(&world).await[2], ("release-1".to_owned(), Fate::Live));
    });
}

#[test]
fn going_back_twice_goes_two_releases_back_and_then_says_that_there_is_no_more() {
    story(|| async {
        let world = three().await;
        let first = world.rollback(None).await.unwrap();
        assert_eq!((first.exit, first.rolled()), (ExitCode::Done, vec!["frontend"]), "{:#?}", first.events);
        let second = world.rollback(None).await.unwrap();
        assert_eq!((second.exit, second.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", second.events);
        assert!(matches!(world.rollback(None).await, Err(NoRollbackTarget::NothingProven { crashed: None })));
        assert!(!second.writes.contains(&"RegisterTaskDefinition".to_owned()), "a way back is by digest");
    });
}

#[test]
fn a_rollback_that_is_killed_and_run_again_goes_no_release_further() {
    for secs in [3, 15] {
        story(|| async {
            let world = three().await;
            tokio::select! {
                biased;
                ended = Box::pin(world.rollback(None)) => panic!("{ended:#?}"),
                () = world.host.clock.sleep(Duration::from_secs(secs)) => {}
            }
            let again = world.rollback(None).await.unwrap();
            assert_eq!(again.exit, ExitCode::Done, "{:#?}", again.events);
            let live: Vec<_> =
                fates(&world).await.into_iter().filter(|(_, fate)| *fate == Fate::Live).collect();
            assert_eq!(live, named(&[("release-2", Fate::Live)]), "killed after {secs} s");
            // Who waits for what runs does not wait for the release that was rolled back from.
            let waits = world.wait(None).await;
            assert_eq!(waits.exit, ExitCode::Done, "{}", waits.summary);
            // It is over: the next one goes further.
            assert_eq!(world.rollback(None).await.unwrap().exit, ExitCode::Done);
            assert_eq!(fates(&world).await[2], ("release-1".to_owned(), Fate::Live));
        });
    }
}

#[test]
fn both_services_roll_back_to_a_named_release_at_the_same_time() {
    story(|| async {
        let world = three().await;
        let ended = world.rollback(Some("release-1")).await.unwrap();
        assert_eq!(
            (ended.exit, ended.rolled()),
            (ExitCode::Done, vec!["frontend", "backend"]),
            "{:#?}",
            ended.events
        );
        let again = world.rollback(Some("release-1")).await.unwrap();
        assert_eq!((again.exit, again.writes), (ExitCode::Done, Vec::new()), "{:#?}", again.events);
    });
}

#[test]
fn a_release_that_is_gone_is_refused_with_the_reason_and_nothing_is_written() {
    story(|| async {
        let world = three().await;
        let arn = &releases(&world).await[2].runs.values().next().unwrap().revision.clone();
        world.aws.deregister_task_definition(arn).await.unwrap();
        let before = world.cloud.calls().len();
        let refused = world.rollback(Some("release-1")).await.unwrap_err();
        assert_eq!(refused.to_string(), "release release-1 is gone: ielts-backend:1 deregistered");
        let refused = world.rollback(Some("release-9")).await.unwrap_err();
        assert_eq!(refused.to_string(), "there is no release release-9");
        assert!(world.cloud.calls().split_off(before).iter().all(|call| !call.write));
    });
}

#[test]
fn a_rollback_that_fails_leaves_what_ran_before_it() {
    story(|| async {
        let mut world = three().await;
        world.scripts.set("ielts-backend:1", Script::crashes(1_500, 1));
        let ended = world.rollback(Some("release-1")).await.unwrap();
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let live = world.deploy("v2", "v2").await;
        assert_eq!((live.exit, live.writes), (ExitCode::Done, Vec::new()), "{:#?}", live.events);
    });
}

#[test]
fn a_tool_killed_before_it_marked_the_release_marks_it_when_it_is_run_again() {
    story(|| async {
        let mut world = World::new().await;
        let refused =
            sim::fault::On::operation("TagResource").nth(1..=9).then(sim::fault::Fault::AccessDenied);
        world.cloud.add_rule(refused);
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(
            ended.exit,
            ExitCode::Done,
            "a release that runs is not a failed one: {:#?}",
            ended.events
        );
        assert_eq!(fates(&world).await, named(&[("release-1", Fate::LiveUnproven)]));
        world.cloud.clear_rules();
        let again = world.deploy("v1", "v1").await;
        assert_eq!(again.writes, ["TagResource", "TagResource"]);
        assert_eq!(fates(&world).await, named(&[("release-1", Fate::Live)]));
    });
}

#[test]
fn a_release_that_failed_its_proof_is_not_called_proven_for_what_the_next_commit_finds() {
    story(|| async {
        let mut world = World::new().await;
        world.roll_back = false;
        world.front_door.answers(500);
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::NotRecovered);
        world.front_door.answers(200);
        world.commit = Some("f".repeat(40));
        let again = world.deploy("v1", "v1").await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
        assert_eq!(fates(&world).await, named(&[("release-1", Fate::LiveUnproven)]));
    });
}

#[test]
fn old_revisions_are_deregistered_and_a_rollback_stays_possible() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.services[0].keep_revisions = 3;
        for version in ["v1", "v2", "v3"] {
            let ended = world.deploy(version, "v1").await;
            assert!(!ended.writes.contains(&"DeregisterTaskDefinition".to_owned()), "{version}");
        }
        // Two that fail: what was proven before them is all there is to go back to.
        for (revision, version) in [("ielts-backend:4", "v4"), ("ielts-backend:5", "v5")] {
            world.scripts.set(revision, Script::crashes(1_500, 1));
            assert_eq!(world.deploy(version, "v1").await.exit, ExitCode::Failed);
        }
        let ended = world.deploy("v6", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let left = world.aws.list_task_definitions("ielts-backend", true, 99).await.unwrap();
        let left: Vec<&str> = left.iter().map(|arn| arn.rsplit(':').next().unwrap()).collect();
        assert_eq!(left, ["6", "5", "4", "3"], "3 is the last good one");
        let back = world.rollback(None).await.unwrap();
        assert_eq!((back.exit, back.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", back.events);
    });
}

#[test]
fn an_image_that_was_rolled_back_to_and_would_soon_expire_is_warned_about() {
    story(|| async {
        let mut world = World::new().await;
        for service in &mut world.environment.services {
            service.repository.keep_images = 4;
        }
        for backend in ["v1", "v2", "v3"] {
            world.deploy(backend, "v1").await;
            assert_eq!(expiring(&world).await, Vec::<String>::new());
        }
        world.rollback(Some("release-1")).await.unwrap();
        assert_eq!(
            expiring(&world).await,
            [
                "backend: 2 images of ielts/backend are newer than the one that runs, and 4 are kept: 2 more pushes \
                 expire it, and then no task can start from it; raise `repository.keep-images` in deploy.toml"
            ]
        );
        world.cloud.add_rule(On::operation("DescribeImages").then(Fault::AccessDenied));
        let unknown = "cannot say when ielts/backend expires the image that runs: ";
        assert!(expiring(&world).await[0].starts_with(unknown));
    });
}

#[test]
fn a_release_that_brought_a_service_can_be_rolled_back_and_the_service_stays() {
    story(|| async {
        let mut world = World::new().await;
        let both = world.environment.services.clone();
        world.environment.services.truncate(1);
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.environment.services = both;
        assert_eq!(world.deploy("v2", "v1").await.exit, ExitCode::Done);
        let ended = world.rollback(None).await.unwrap();
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", ended.events);
        assert_eq!(releases(&world).await[1].release, "release-1");
    });
}
