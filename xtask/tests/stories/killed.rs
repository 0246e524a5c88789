//! The tool dies after a call, before it hears the answer, and is run again: as if nothing had happened.
//!
//! With XTASK_KILL_AFTER_EVERY_CALL set it dies after each call, which takes minutes; without, after a sample of them,
//! most of them writes.

use deploy::event::ExitCode;
use deploy::model::Environment;
use sim::fault::Surface;
use sim::workload::scripted::Script;

use crate::picture::{differences, picture};
use crate::world::{World, story};

/// The images of the two services.
type Images = (&'static str, &'static str);

const FIRST: Images = ("v1", "v1");
const NEXT: Images = ("v2", "v2");

/// An account on which these were deployed, one after the other.
async fn account(deployed: &[Images]) -> World {
    let mut world = World::new().await;
    for (backend, frontend) in deployed {
        assert_eq!(world.deploy(backend, frontend).await.exit, ExitCode::Done);
    }
    world
}

/// After which calls of an undisturbed run of `images` the tool dies: every so many-th write, and a few reads.
async fn deaths(mut world: World, images: Images, every: usize) -> Vec<usize> {
    let before = world.cloud.calls().len();
    world.deploy(images.0, images.1).await;
    let calls = world.cloud.calls().split_off(before);
    if std::env::var_os("XTASK_KILL_AFTER_EVERY_CALL").is_some() {
        return (1..=calls.len()).collect();
    }
    let (writes, reads): (Vec<_>, Vec<_>) = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.api != Surface::Registry)
        .partition(|(_, call)| call.write);
    let sample = writes.iter().step_by(every).chain(reads.iter().step_by(20 * every));
    sample.map(|(n, _)| n + 1).collect()
}

/// `images`, with another file, over what was `deployed`, killed at each of its deaths and run again.
fn survives(deployed: &'static [Images], images: Images, edit: fn(&mut Environment)) {
    let (mut calls, mut undisturbed) = (Vec::new(), String::new());
    let account = async || {
        let mut world = account(deployed).await;
        edit(&mut world.environment);
        world
    };
    story(async || {
        calls = deaths(account().await, images, 4).await;
        let mut world = account().await;
        world.deploy(images.0, images.1).await;
        undisturbed = picture(&world).await;
    });
    assert!(calls.len() > 3, "{calls:?}");
    for after in calls {
        story(async || {
            let mut world = account().await;
            let ended = world.killed_after(after, images.0, images.1).await;
            assert!(ended.is_none(), "the run ended before call {after}");
            let again = Box::pin(world.deploy(images.0, images.1)).await;
            assert_eq!(again.exit, ExitCode::Done, "killed after call {after}: {:#?}", again.events);
            let found = Box::pin(picture(&world)).await;
            assert_eq!(differences(&undisturbed, &found), [""; 0], "killed after call {after}");
            let third = Box::pin(world.deploy(images.0, images.1)).await;
            assert_eq!((third.exit, third.writes), (ExitCode::Done, vec![]), "killed after call {after}");
        });
    }
}

#[test]
fn a_first_deploy_that_is_killed_anywhere_is_finished_by_the_next_run() {
    survives(&[], FIRST, |_| ());
}

#[test]
fn an_update_that_is_killed_anywhere_is_finished_by_the_next_run() {
    survives(&[FIRST], NEXT, |_| ());
}

/// Rules, bounds, policies, health checks and service settings change with the release.
fn other_settings(environment: &mut Environment) {
    let backend = &mut environment.services[0];
    backend.target_group.health.interval_secs += 5;
    backend.target_group.deregistration_delay_secs += 5;
    backend.deployment.health_check_grace_secs += 5;
    backend.routes.iter_mut().for_each(|route| route.priority += 3);
    let scaling = backend.scaling.as_mut().unwrap();
    scaling.max += 1;
    scaling.policies[0].name = "renamed".to_owned();
}

#[test]
fn a_release_with_other_settings_that_is_killed_anywhere_is_finished_by_the_next_run() {
    survives(&[FIRST], NEXT, other_settings);
}

#[test]
fn a_failing_release_that_is_killed_anywhere_can_still_be_undone() {
    let mut calls = Vec::new();
    let failing = async || {
        let world = account(&[FIRST]).await;
        world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
        world
    };
    story(async || calls = deaths(failing().await, NEXT, 6).await);
    for after in calls {
        story(async || {
            let mut world = failing().await;
            assert!(world.killed_after(after, NEXT.0, NEXT.1).await.is_none());
            let back = Box::pin(world.deploy(FIRST.0, FIRST.1)).await;
            assert_eq!(back.exit, ExitCode::Done, "killed after call {after}: {:#?}", back.events);
            let third = Box::pin(world.deploy(FIRST.0, FIRST.1)).await;
            assert_eq!((third.exit, third.writes), (ExitCode::Done, vec![]), "killed after call {after}");
        });
    }
}
