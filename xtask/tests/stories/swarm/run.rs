//! One seed from an empty account to its end: the release and all that befalls it; then everything is well again, and the
//! release is run again.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::model::Service;
use futures_util::future::{Either, select};
use serde_json::json;
use sim::door::cloud::CallRecord;
use sim::workload::scripted::Script;

use super::case::Case;
use super::judge::judged;
use super::neighbour::act;
use super::truth::Truth;
use crate::ended::Ended;
use crate::somebody::ecs;
use crate::world::World;

/// Nobody waits longer for a release of two services.
const MOST: Duration = Duration::from_secs(6 * 3600);

/// Reruns that a release may take once everything is well again.
const RERUNS: u32 = 2;

/// ECS starts no task for so long where the ones before could not be started (`sim::Pace::launch_retry_max_ms`).
const BACKOFF: Duration = Duration::from_secs(900);

/// The contents of the two services' images.
pub(super) type Images = (&'static str, &'static str);

/// What a case came to.
#[derive(Default)]
pub(super) struct Run {
    /// What was found, or nothing.
    pub(super) found: Vec<String>,
    /// All that the cloud was asked.
    pub(super) calls: Vec<CallRecord>,
}

pub(super) async fn run(case: &Case, shows: bool) -> Run {
    let mut world = Box::pin(World::of(case.environment(), case.ahead_secs)).await;
    if !case.first {
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        if ended.exit != ExitCode::Done {
            let found = vec![format!("a first release without any trouble ended with {:?}", ended.exit)];
            return Run { found, ..Run::default() };
        }
    }
    world.shows = shows;
    let images: Images = ("v2", if case.both { "v2" } else { "v1" });
    let mut found = Vec::new();
    let mut before = vec![Truth::all(&world)];
    Box::pin(troubled(case, &mut world, images, &mut before, &mut found)).await;
    world.cloud.clear_rules();
    world.stop_after = None;
    behave(&world, images, &[Script::default(), Script::default()]);
    if let Some((place, _)) = case.shape.before_roll {
        world.scripts.unset(&before_roll(&world, place));
    }
    tokio::time::sleep(Duration::from_secs(case.pause_secs)).await;
    Box::pin(converges(case, &mut world, images, &mut before, &mut found)).await;
    Run { found, calls: world.cloud.calls() }
}

/// From now on new tasks of these images follow these scripts.
fn behave(world: &World, images: Images, scripts: &[Script; 2]) {
    for (image, script) in world.images(images.0, images.1).values().zip(scripts) {
        world.scripts.set(image.digest.0.as_str(), script.clone());
    }
}

/// What the task before the roll of a service goes by in the scripts.
fn before_roll(world: &World, place: usize) -> String {
    format!("run:{}", world.environment.services[place].family)
}

/// The release, with all that befalls it. Adds what is true at its end to what was `before`.
async fn troubled(
    case: &Case,
    world: &mut World,
    images: Images,
    before: &mut Vec<Vec<Truth>>,
    found: &mut Vec<String>,
) {
    behave(world, images, &case.scripts);
    if let Some((place, script)) = &case.shape.before_roll {
        world.scripts.set(&before_roll(world, *place), script.clone());
    }
    case.network.befall(world);
    world.stop_after = case.stopped_after;
    let mut rival = Box::pin(world.rival()).await;
    let neighbours = Box::pin(act(&case.acts, &mut rival, world.shows));
    let release = Box::pin(release(case, world, images));
    let (ended, rest) = match select(release, neighbours).await {
        Either::Left((ended, rest)) => (ended, Some(rest)),
        Either::Right(((), release)) => (release.await, None),
    };
    match ended {
        Some(Ok(ended)) => found.extend(judged(case, world, images, before, &ended)),
        Some(Err(_)) => found.push("the release does not end".to_owned()),
        None => {}
    }
    before.push(Truth::all(world));
    if let Some(rest) = rest {
        rest.await;
    }
}

/// `None`: the tool was killed.
async fn release(
    case: &Case,
    world: &mut World,
    images: Images,
) -> Option<Result<Ended, tokio::time::error::Elapsed>> {
    match case.killed_after {
        Some(calls) => Box::pin(world.killed_after(calls, images.0, images.1)).await.map(Ok),
        None => Some(tokio::time::timeout(MOST, Box::pin(world.deploy(images.0, images.1))).await),
    }
}

/// Everything is well again: the release gets done, and then there is nothing left to do.
async fn converges(
    case: &Case,
    world: &mut World,
    images: Images,
    before: &mut Vec<Vec<Truth>>,
    found: &mut Vec<String>,
) {
    let (mut exits, mut left, mut waited) = (Vec::new(), RERUNS, false);
    while left > 0 {
        left -= 1;
        before.push(Truth::all(world));
        let ended = Box::pin(world.deploy(images.0, images.1)).await;
        found.extend(judged(case, world, images, before, &ended).map(|it| format!("on a rerun: {it}")));
        if ended.exit == ExitCode::Done {
            found.extend(Box::pin(rests(world, images)).await);
            return;
        }
        exits.push(ended.exit);
        // Tasks that began while their image was ill go on failing until ECS has replaced them all: 0 to 100 % of them one by one,
        // each after its drain.
        let ill = !waited && Truth::all(world).iter().any(|it| it.is_ill(ended.secs * 1_000));
        waited |= ill;
        if is_obeyed(world, &ended) || ill {
            left = RERUNS;
            tokio::time::sleep(BACKOFF).await;
        }
    }
    found.push(format!("reruns do not converge: {exits:?}"));
}

/// After a success nothing is left to do. Tasks that began while their image was ill may crash even then: that is named, and proven
/// anew or not.
async fn rests(world: &mut World, images: Images) -> Option<String> {
    let mut last = None;
    for _ in 0..=RERUNS {
        let again = Box::pin(world.deploy(images.0, images.1)).await;
        if (again.exit, again.writes.len()) == (ExitCode::Done, 0) {
            return None;
        }
        last = Some(format!("a run after success ends with {:?} and writes {:?}", again.exit, again.writes));
        // Or their requests went unanswered while ECS replaced them.
        let ill = Truth::all(world).iter().any(|it| it.is_ill(again.secs * 1_000));
        if !names_a_crash(&again) && !ill {
            break;
        }
        tokio::time::sleep(BACKOFF).await;
    }
    last
}

/// Whether it says that tasks of what runs have crashed since it was proven, or crash now.
fn names_a_crash(ended: &Ended) -> bool {
    let named = |event: &Kind| match event {
        Kind::Warned { text } => text.contains("that was after its proof"),
        Kind::Failed { error, .. } => error.contains(" stopped"),
        _ => false,
    };
    ended.events.iter().any(named)
}

/// Does what the tool left to a person, who has to start a service again that somebody scaled to 0. False when there is nothing
/// like it.
fn is_obeyed(world: &World, ended: &Ended) -> bool {
    let hints: Vec<&str> = ended
        .events
        .iter()
        .filter_map(|event| match event {
            Kind::Failed { hint, .. } => hint.as_deref(),
            _ => None,
        })
        .collect();
    let asked = |service: &&Service| {
        hints.iter().any(|hint| hint.contains(&format!("cargo xtask scale {} ", service.key)))
    };
    let scaled = world.environment.services.iter().filter(asked).map(|service| {
        let body = json!({
            "cluster": world.environment.cluster,
            "service": service.name,
            "desiredCount": service.desired_count,
        });
        ecs(&world.cloud, "UpdateService", &body).is_ok()
    });
    scaled.fold(false, |any, scaled| any | scaled)
}
