//! One seed from an empty account to its end: the release and all that befalls it; then everything is well again, and the
//! release is run again.

use std::time::Duration;

use deploy::event::ExitCode;
use deploy::model::Undo;
use futures_util::future::{Either, select};
use sim::workload::scripted::Script;

use super::case::Case;
use super::neighbour::act;
use super::truth::{Truth, UNSEEN};
use crate::somebody;
use crate::world::{Ended, World};

/// Nobody waits longer for a release of two services.
const MOST: Duration = Duration::from_secs(6 * 3600);

/// Reruns that a release may take once everything is well again.
const RERUNS: u32 = 2;

type Images = (&'static str, &'static str);

/// Runs a case and gives what it found, or nothing.
pub(super) async fn run(case: &Case, shows: bool) -> Vec<String> {
    let mut world = Box::pin(World::of(case.environment(), case.ahead_secs)).await;
    if !case.first {
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        if ended.exit != ExitCode::Done {
            return vec![format!("a first release without any trouble ended with {:?}", ended.exit)];
        }
    }
    world.shows = shows;
    let images: Images = ("v2", if case.both { "v2" } else { "v1" });
    let mut found = Vec::new();
    let before = Truth::all(&world);
    Box::pin(troubled(case, &mut world, images, &before, &mut found)).await;
    world.cloud.clear_rules();
    behave(&world, images, &[Script::default(), Script::default()]);
    tokio::time::sleep(Duration::from_secs(case.pause_secs)).await;
    Box::pin(converges(case, &mut world, images, &before, &mut found)).await;
    found
}

/// From now on new tasks of these images follow these scripts.
fn behave(world: &World, images: Images, scripts: &[Script; 2]) {
    for (image, script) in world.images(images.0, images.1).values().zip(scripts) {
        world.scripts.set(image.digest.0.as_str(), script.clone());
    }
}

/// The release, with all that befalls it.
async fn troubled(case: &Case, world: &mut World, images: Images, before: &[Truth], found: &mut Vec<String>) {
    behave(world, images, &case.scripts);
    case.network.befall(world);
    let mut rival = Box::pin(world.rival()).await;
    let neighbours = Box::pin(act(&case.acts, &mut rival, world.shows));
    let release = Box::pin(release(case, world, images));
    let (ended, rest) = match select(release, neighbours).await {
        Either::Left((ended, rest)) => (ended, Some(rest)),
        Either::Right(((), release)) => (release.await, None),
    };
    match ended {
        Some(Ok(ended)) => found.extend(judged(case, world, images, &[before.to_vec()], &ended)),
        Some(Err(_)) => found.push("the release does not end".to_owned()),
        None => {}
    }
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
async fn converges(case: &Case, world: &mut World, images: Images, first: &[Truth], found: &mut Vec<String>) {
    let mut exits = Vec::new();
    for _ in 0..RERUNS {
        let before = [Truth::all(world), first.to_vec()];
        let ended = Box::pin(world.deploy(images.0, images.1)).await;
        found.extend(judged(case, world, images, &before, &ended).map(|it| format!("on a rerun: {it}")));
        if ended.exit == ExitCode::Done {
            let again = Box::pin(world.deploy(images.0, images.1)).await;
            if (again.exit, again.writes.len()) != (ExitCode::Done, 0) {
                found.push(format!(
                    "a run after success ends with {:?} and writes {:?}",
                    again.exit, again.writes
                ));
            }
            return;
        }
        exits.push(ended.exit);
    }
    found.push(format!("reruns do not converge: {exits:?}"));
}

/// What is not true of how a release ended, if anything. What served before is what this run found, or the first one of this
/// release: what that one left unproven is no release to go back to.
fn judged(
    case: &Case,
    world: &World,
    images: Images,
    before: &[Vec<Truth>],
    ended: &Ended,
) -> Option<String> {
    let now = Truth::all(world);
    if world.shows {
        println!("exit {}: {now:#?}", ended.exit.code());
    }
    let wanted: Vec<String> =
        world.images(images.0, images.1).into_values().map(|image| image.digest.0).collect();
    let served = |place: usize| before.iter().filter_map(move |it| it[place].runs());
    let services = || now.iter().zip(&world.environment.services).enumerate();
    let wrong = match ended.exit {
        ExitCode::Done => services().find_map(|(place, (now, service))| {
            now.lacks(&wanted[place])
                .map(|lacks| format!("{} does not run the release: {lacks}", service.key))
        }),
        ExitCode::Failed if services().all(|(place, _)| served(place).next().is_none()) => {
            Some("nothing served before".to_owned())
        }
        ExitCode::Failed => services().find_map(|(place, (now, service))| {
            let mut lacks = served(place).map(|digest| now.lacks(digest));
            let first = lacks.next()??;
            let new = world.environment.undo == Undo::Service && now.lacks(&wanted[place]).is_none();
            (!new && lacks.all(|lacks| lacks.is_some()))
                .then(|| format!("{} does not run what it ran before: {first}", service.key))
        }),
        ExitCode::Usage if !ended.writes.is_empty() => Some(format!("{:?} were written", ended.writes)),
        ExitCode::Superseded if case.acts.is_empty() => Some("nobody else is there".to_owned()),
        ExitCode::Unknown if case.network.is_well() => Some("nothing kept it from knowing".to_owned()),
        ExitCode::StillMoving if now.iter().all(|now| now.runs().is_some()) => {
            Some("nothing moves".to_owned())
        }
        ExitCode::NotRecovered if case.network.is_well() && case.acts.is_empty() => {
            let all =
                services().all(|(place, (now, _))| served(place).any(|digest| now.runs() == Some(digest)));
            all.then(|| "what served before serves".to_owned())
        }
        ExitCode::Interrupted | ExitCode::Bug | ExitCode::ChangesPending => {
            Some("no cause for it".to_owned())
        }
        _ => None,
    };
    let untroubled = ended.exit != ExitCode::Done && case.is_untroubled();
    let wrong = wrong.or_else(|| untroubled.then(|| "nothing kept it from its end".to_owned()))?;
    let unseen = now.iter().any(Truth::just_changed) || just_acted(world);
    (!unseen).then(|| format!("exit {}, and {wrong}", ended.exit.code()))
}

/// Whether somebody acted too late for the tool to see it.
fn just_acted(world: &World) -> bool {
    let now = world.cloud.clock().millis();
    let theirs = |key: &str| [somebody::ACCESS_KEY, "rival"].contains(&key);
    let mut last = world.cloud.calls().into_iter().rev();
    last.find(|call| call.write && call.access_key.as_deref().is_some_and(theirs))
        .is_some_and(|call| now.since(call.at) < UNSEEN.as_millis() as u64)
}
