//! Tasks that run once as the new revision, before anything rolls.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::history::history;
use deploy::model::BeforeRoll;
use deploy::rollout::TaskSnapshot;
use sim::workload::scripted::Script;
use xtask::observe;
use xtask::release::NoRollbackTarget;

use crate::ended::Ended;
use crate::world::{FILE, World, production, story};

/// A backend whose database is migrated by each new revision.
async fn migrating(script: Script) -> World {
    let mut environment = production(FILE);
    let command = ["/app/backend", "migrate"].map(str::to_owned).to_vec();
    environment.services[0].before_roll = Some(BeforeRoll { command, timeout_secs: 300 });
    let world = World::of(environment, 0).await;
    world.scripts.set("run:ielts-backend", script);
    world
}

fn migrates() -> Script {
    Script::exits(5_000, 0).printing(1_000, "12 migrations applied")
}

async fn deployed(script: Script) -> World {
    let mut world = migrating(script).await;
    let ended = Box::pin(world.deploy("v1", "v1")).await;
    assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    world
}

/// The tasks that ran before a roll of a revision of the backend.
async fn ran(world: &World, revision: u32) -> Vec<TaskSnapshot> {
    let (cluster, family) = (&world.environment.cluster, "ielts-backend");
    let running = world.aws.family_tasks(cluster, family, false).await.unwrap();
    let stopped = world.aws.family_tasks(cluster, family, true).await.unwrap();
    let by = format!("before-roll/{family}/{revision}");
    running.into_iter().chain(stopped).filter(|task| task.started_by == by).collect()
}

fn at(ended: &Ended, write: &str) -> Option<usize> {
    ended.writes.iter().position(|it| it == write)
}

#[test]
fn a_migration_runs_once_for_a_new_revision_before_anything_rolls() {
    story(async || {
        let mut world = deployed(migrates()).await;
        let ended = Box::pin(world.deploy("v2", "v2")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert!(at(&ended, "RunTask") < at(&ended, "UpdateService"), "{:?}", ended.writes);
        let printed =
            |it: &Kind| matches!(it, Kind::Printed { lines, .. } if lines == &["12 migrations applied"]);
        assert_eq!(ended.events.iter().filter(|it| printed(it)).count(), 1, "{:#?}", ended.events);
        assert_eq!(ran(&world, 2).await.len(), 1);
        let again = Box::pin(world.deploy("v2", "v2")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
        let frontend = Box::pin(world.deploy("v2", "v3")).await;
        assert_eq!(at(&frontend, "RunTask"), None, "the backend's revision is not new");
        let read = observe::history(&world.aws, &world.environment, 10).await.unwrap();
        let migrated: Vec<bool> = history(&read.facts).iter().map(|past| past.migrated).collect();
        assert_eq!(migrated, [false, true, true]);
    });
}

#[test]
fn a_migration_that_fails_ends_the_release_with_nothing_moved() {
    story(async || {
        let mut world = deployed(migrates()).await;
        let fails = Script::exits(2_000, 3).printing(1_000, "relation users exists already");
        world.scripts.set("run:ielts-backend", fails);
        let ended = Box::pin(world.deploy("v2", "v2")).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Failed, "not deployed; the previous release serves")
        );
        assert_eq!(at(&ended, "UpdateService"), None, "{:?}", ended.writes);
        let cause = ended.events.iter().find_map(|event| match event {
            Kind::Diagnosed { diagnosis, .. } => diagnosis.cause.as_ref(),
            _ => None,
        });
        let cause = &cause.unwrap().cause;
        assert!(cause.contains("exited with code 3; it said: relation users exists already"), "{cause}");
        world.scripts.set("run:ielts-backend", migrates());
        let mended = Box::pin(world.deploy("v2", "v2")).await;
        assert_eq!(mended.exit, ExitCode::Done, "{:#?}", mended.events);
        assert_eq!(ran(&world, 2).await.len(), 2, "the one that failed is no success of its revision");
    });
}

#[test]
fn a_migration_that_does_not_end_is_stopped() {
    story(async || {
        let mut world = deployed(migrates()).await;
        world.scripts.set("run:ielts-backend", Script::default());
        let ended = Box::pin(world.deploy("v2", "v2")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert!(at(&ended, "StopTask").is_some(), "{:?}", ended.writes);
        let said = |event: &Kind| matches!(event, Kind::Failed { error, .. } if error.contains("still running after 300 s (backend RUNNING)"));
        assert!(ended.events.iter().any(said), "{:#?}", ended.events);
    });
}

/// How many calls of a second release come before RunTask.
fn calls_before_the_task() -> usize {
    let mut calls = 0;
    story(async || {
        let mut world = deployed(migrates()).await;
        let before = world.cloud.calls().len();
        Box::pin(world.deploy("v2", "v1")).await;
        calls = world.cloud.calls()[before..].iter().position(|call| call.operation == "RunTask").unwrap();
    });
    calls
}

#[test]
fn the_migration_of_a_killed_run_is_over_before_that_of_another_revision_starts() {
    let calls = calls_before_the_task();
    // The first ends by itself, the second never does.
    for (left, stopped) in [(Script::exits(200_000, 0), false), (Script::default(), true)] {
        story(async || {
            let mut world = deployed(migrates()).await;
            world.scripts.set("run:ielts-backend", left.clone());
            assert!(Box::pin(world.killed_after(calls + 2, "v2", "v1")).await.is_none());
            // Its container starts, with the script that it has by now.
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(ran(&world, 2).await[0].last_status, "RUNNING");
            world.scripts.set("run:ielts-backend", migrates());
            let ended = Box::pin(world.deploy("v3", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
            assert_eq!(at(&ended, "StopTask").is_some(), stopped, "{:?}", ended.writes);
            let (earlier, own) = (&ran(&world, 2).await[0], &ran(&world, 3).await[0]);
            assert!(earlier.stopped_ms.unwrap() <= own.started_ms.unwrap(), "{earlier:?} {own:?}");
            let named = |event: &Kind| matches!(event, Kind::Warned { text } if text.contains("before the roll of ielts-backend:2 still runs"));
            assert_eq!(ended.events.iter().filter(|it| named(it)).count(), 1, "{:#?}", ended.events);
        });
    }
}

#[test]
fn a_run_that_was_killed_meanwhile_leaves_a_migration_that_the_next_one_follows() {
    let calls = calls_before_the_task();
    // After RunTask, while it runs, and once it is over.
    for killed_after in [calls + 1, calls + 2, calls + 5, calls + 9] {
        story(async || {
            let mut world = deployed(migrates()).await;
            assert!(Box::pin(world.killed_after(killed_after, "v2", "v1")).await.is_none());
            let ended = Box::pin(world.deploy("v2", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Done, "{killed_after}: {:#?}", ended.events);
            assert_eq!(ran(&world, 2).await.len(), 1, "{killed_after}");
        });
    }
}

#[test]
fn a_rollback_past_a_migration_is_asked_for() {
    story(async || {
        let mut world = deployed(migrates()).await;
        assert_eq!(Box::pin(world.deploy("v2", "v2")).await.exit, ExitCode::Done);
        let refused = Box::pin(world.rollback(None)).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the task before the roll of ielts-backend:2 has run since release release-1"
        );
        assert!(matches!(refused, NoRollbackTarget::PastMigration { .. }));
        world.past_migration = true;
        let ended = Box::pin(world.rollback(None)).await.unwrap();
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert_eq!(at(&ended, "RunTask"), None, "what runs again needs no migration");
    });
}

#[test]
fn a_release_that_fails_after_its_migration_says_that_this_is_not_undone() {
    story(async || {
        let mut world = deployed(migrates()).await;
        world.scripts.set("ielts-backend:2", Script::crashes(2_000, 1));
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let said = |event: &Kind| matches!(event, Kind::Warned { text } if text.contains("what that changed is not undone"));
        assert!(ended.events.iter().any(said), "{:#?}", ended.events);
        // Its task succeeded, and is not repeated for the same revision.
        tokio::time::sleep(Duration::from_secs(7_200)).await;
        world.scripts.set("ielts-backend:2", Script::default());
        let again = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!((again.exit, at(&again, "RunTask")), (ExitCode::Done, None), "{:#?}", again.events);
    });
}
