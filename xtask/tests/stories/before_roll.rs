//! Tasks that run once as the new revision, before anything rolls.

use std::sync::Arc;
use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::history::history;
use deploy::model::{BeforeRoll, Condition, Container, Sidecar};
use deploy::rollout::TaskSnapshot;
use sim::workload::scripted::Script;
use tokio::sync::Notify;
use xtask::observe;
use xtask::release::{NoRollbackTarget, Removal};

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
    let of = format!("/{family}:{revision}");
    let is = |task: &TaskSnapshot| task.started_by == "before-roll" && task.task_definition.ends_with(&of);
    running.into_iter().chain(stopped).filter(is).collect()
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
fn a_migration_that_does_not_end_is_stopped_and_says_what_it_was_at() {
    let sidecar = |world: &mut World| {
        let container = Container { name: "slow".to_owned(), ..Container::default() };
        let slow = Sidecar { essential: false, container, ..Sidecar::default() };
        let service = &mut world.environment.services[0];
        service.sidecars = vec![slow];
        service.container.depends_on = [("slow".to_owned(), Condition::Success)].into();
    };
    let cases: [(Script, bool, &str, &str); 3] = [
        (
            Script::default().printing(1_000, "waiting for the lock"),
            false,
            "(backend RUNNING)",
            "the command of `before-roll` still ran after 300 s; the last line that it printed is: waiting for the lock",
        ),
        (Script::default(), false, "(backend RUNNING)", "still ran after 300 s; it printed nothing"),
        (
            Script::default(),
            true,
            "slow RUNNING",
            "container `backend` did not start within 300 s: it waits for `slow` (SUCCESS), which is RUNNING",
        ),
    ];
    for (script, waits, state, wanted) in cases {
        story(async || {
            let mut world = deployed(migrates()).await;
            world.scripts.set("run:ielts-backend", script.clone());
            if waits {
                sidecar(&mut world);
                world.scripts.set("ielts-backend/slow", Script::default());
            }
            let ended = Box::pin(world.deploy("v2", "v2")).await;
            assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
            assert!(at(&ended, "StopTask").is_some(), "{:?}", ended.writes);
            let said = |event: &Kind| matches!(event, Kind::Failed { error, .. } if error.contains("still running after 300 s") && error.contains(state));
            assert!(ended.events.iter().any(said), "{:#?}", ended.events);
            let found = |event: &Kind| match event {
                Kind::Diagnosed { diagnosis, .. } => diagnosis.cause.clone(),
                _ => None,
            };
            let cause = ended.events.iter().find_map(found).unwrap();
            assert!(cause.cause.contains(wanted), "{cause:?}");
            assert!(
                cause.remedy.contains("raise `timeout-secs` of `[service.backend.before-roll]`"),
                "{cause:?}"
            );
            assert!(ran(&world, 2).await.iter().all(|task| task.last_status == "STOPPED"));
        });
    }
}

/// A release that was killed while its task ran, so many calls after RunTask.
async fn killed(world: &mut World, backend: &str, calls: usize) {
    let (dead, mut count) = (Arc::new(Notify::new()), None);
    let death = dead.clone();
    world.cloud.watch_calls(move |call| {
        count = count.map(|count| count + 1).or_else(|| (call.operation == "RunTask").then_some(0));
        if count == Some(calls) {
            death.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = dead.notified() => {}
        _ = Box::pin(world.deploy(backend, "v1")) => panic!("it was done by then"),
    }
    world.cloud.watch_calls(|_| {});
    // Its container starts, with the script that it has by now.
    tokio::time::sleep(Duration::from_secs(60)).await;
}

fn title(ended: &Ended, part: &str) -> bool {
    ended.events.iter().any(|event| matches!(event, Kind::StepBegan { step, .. } if step.contains(part)))
}

/// The first task ends by itself, the second never does.
fn tasks() -> [(Script, bool); 2] {
    [(Script::exits(200_000, 0), false), (Script::default(), true)]
}

#[test]
fn the_migration_of_a_killed_run_is_over_before_that_of_another_revision_starts() {
    for (left, stopped) in tasks() {
        story(async || {
            let mut world = deployed(migrates()).await;
            world.scripts.set("run:ielts-backend", left.clone());
            killed(&mut world, "v2", 1).await;
            assert_eq!(ran(&world, 2).await[0].last_status, "RUNNING");
            world.scripts.set("run:ielts-backend", migrates());
            let ended = Box::pin(world.deploy("v3", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
            assert_eq!(at(&ended, "StopTask").is_some(), stopped, "{:?}", ended.writes);
            let (earlier, own) = (&ran(&world, 2).await[0], &ran(&world, 3).await[0]);
            assert!(earlier.stopped_ms.unwrap() <= own.started_ms.unwrap(), "{earlier:?} {own:?}");
            assert!(title(&ended, "before the roll of ielts-backend:2, and stop it after 300 s"));
        });
    }
}

#[test]
fn whoever_comes_next_ends_the_migration_of_a_killed_run() {
    for (left, stopped) in tasks() {
        // A file without `before-roll`.
        story(async || {
            let mut world = deployed(migrates()).await;
            world.scripts.set("run:ielts-backend", left.clone());
            killed(&mut world, "v2", 1).await;
            world.environment.services[0].before_roll = None;
            let ended = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!(
                (ended.exit, at(&ended, "StopTask").is_some()),
                (ExitCode::Done, stopped),
                "{:#?}",
                ended.events
            );
            assert!(title(&ended, "before the roll of ielts-backend:2, and stop it after 900 s"));
            assert_eq!(ran(&world, 2).await[0].last_status, "STOPPED");
            let again = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
        });
        // A rollback.
        story(async || {
            let mut world = deployed(migrates()).await;
            assert_eq!(Box::pin(world.deploy("v2", "v1")).await.exit, ExitCode::Done);
            world.scripts.set("run:ielts-backend", left.clone());
            killed(&mut world, "v3", 1).await;
            world.past_migration = true;
            world.claim.take = Some("the run was killed".to_owned());
            let back = Box::pin(world.rollback(None)).await.unwrap();
            assert_eq!(
                (back.exit, at(&back, "StopTask").is_some()),
                (ExitCode::Done, stopped),
                "{:#?}",
                back.events
            );
            assert_eq!(ran(&world, 3).await[0].last_status, "STOPPED");
        });
    }
}

#[test]
fn an_environment_that_is_taken_down_takes_the_migration_of_a_killed_run_with_it() {
    story(async || {
        let mut world = deployed(migrates()).await;
        world.scripts.set("run:ielts-backend", Script::default());
        killed(&mut world, "v2", 1).await;
        world.rights = None;
        world.claim.take = Some("the run was killed".to_owned());
        let down = world.remove(Removal::Everything).await;
        assert_eq!(
            (down.exit, at(&down, "StopTask")),
            (ExitCode::Done, Some(1)),
            "{:?} {:#?}",
            down.writes,
            down.events
        );
    });
}

#[test]
fn who_stops_a_release_during_its_migration_reads_what_goes_on() {
    story(async || {
        let mut world = deployed(migrates()).await;
        world.scripts.set("run:ielts-backend", Script::exits(150_000, 0));
        world.stop_after = Some(60);
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(
            (ended.exit, at(&ended, "StopTask"), at(&ended, "UpdateService")),
            (ExitCode::Interrupted, None, None)
        );
        let said = |event: &&Kind| matches!(event, Kind::Warned { text } if text.contains("before the roll continues, because cut off it may leave its work half done: waiting for its end, at most"));
        assert_eq!(ended.events.iter().filter(said).count(), 1, "{:#?}", ended.events);
        assert_eq!(ran(&world, 2).await[0].last_status, "STOPPED");
    });
}

#[test]
fn a_run_that_was_killed_meanwhile_leaves_a_migration_that_the_next_one_follows() {
    // After RunTask, while it runs, and once it is over.
    for calls in [0, 1, 4, 8] {
        story(async || {
            let mut world = deployed(migrates()).await;
            killed(&mut world, "v2", calls).await;
            let ended = Box::pin(world.deploy("v2", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Done, "{calls}: {:#?}", ended.events);
            assert_eq!(ran(&world, 2).await.len(), 1, "{calls}");
        });
    }
}

#[test]
fn a_plan_says_that_a_migration_runs_now() {
    story(async || {
        let mut world = deployed(migrates()).await;
        world.scripts.set("run:ielts-backend", Script::exits(200_000, 0));
        killed(&mut world, "v2", 1).await;
        let id = ran(&world, 2).await[0].id[..8].to_owned();
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!((ended.exit, at(&ended, "RunTask")), (ExitCode::Done, None), "{:#?}", ended.events);
        let follows = format!("follow task {id}, which runs `/app/backend migrate` as ielts-backend:2 now");
        assert!(title(&ended, &follows), "{:#?}", ended.events);
    });
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
