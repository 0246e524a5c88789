//! Compares how a release ended with what is true then.

use std::time::Duration;

use deploy::event::ExitCode;
use deploy::model::Undo;
use sim::door::cloud::CallRecord;
use sim::workload::scripted::Script;

use super::case::Case;
use super::run::Images;
use super::truth::Truth;
use crate::ended::Ended;
use crate::somebody;
use crate::world::{World, story};

/// What is not true of how a release ended, if anything. What served before is what this run found, or an earlier one of this
/// release: what those left unproven is no release to go back to.
pub(super) fn judged(
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
    let served = |place: usize| before.iter().filter_map(move |it| it[place].serves());
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
            // What serves is complete; the tasks that it replaced may still be on their way out.
            let first = served(place).next()?;
            let new = world.environment.undo == Undo::Service && now.serves() == Some(&wanted[place]);
            let was_parked =
                before.last().is_some_and(|it| it[place].is_parked()) || acted_first(world, ended);
            let parked = was_parked && now.is_parked();
            let as_before = parked || served(place).any(|digest| now.serves() == Some(digest));
            (!new && !as_before).then(|| {
                let lacks = now.lacks(first).unwrap_or_default();
                format!("{} does not run what it ran before: {lacks}", service.key)
            })
        }),
        ExitCode::Usage => {
            let allowed: &[&str] = match ended.summary.rsplit("; ").next() {
                Some("only the lease was written") => &["TagResource", "UntagResource"],
                Some("only the cluster was created") => &["CreateCluster", "TagResource", "UntagResource"],
                _ => &[],
            };
            // One that exists is not created by creating it.
            let theirs = || {
                world
                    .cloud
                    .calls()
                    .iter()
                    .any(|call| key(call) == "rival" && call.operation == "CreateCluster")
            };
            let is_allowed =
                |name: &&String| allowed.contains(&name.as_str()) || (*name == "CreateCluster" && theirs());
            let other: Vec<_> = ended.writes.iter().filter(|name| !is_allowed(name)).collect();
            (!other.is_empty()).then(|| format!("{other:?} were written: {}", ended.summary))
        }
        ExitCode::Superseded if case.acts.is_empty() => Some("nobody else is there".to_owned()),
        // A service that a neighbour scaled to 0 shows nothing of the release.
        ExitCode::Unknown if case.network.is_well() && !now.iter().any(Truth::is_parked) => {
            Some("nothing kept it from knowing".to_owned())
        }
        ExitCode::StillMoving
            if now.iter().all(|now| now.lacks(now.serves().unwrap_or_default()).is_none()) =>
        {
            Some("nothing moves".to_owned())
        }
        // A run that changed nothing saw tasks fail, or their places empty: that they were replaced meanwhile does not prove it.
        ExitCode::NotRecovered
            if ended.writes.iter().all(|name| name == "TagResource")
                && now.iter().any(|now| now.stopped_ms < ended.secs * 1_000 + REPLACED_MS) =>
        {
            None
        }
        ExitCode::NotRecovered
            if case.network.is_well() && case.acts.is_empty() && case.stopped_after.is_none() =>
        {
            let all =
                services().all(|(place, (now, _))| served(place).any(|digest| now.serves() == Some(digest)));
            all.then(|| "what served before serves".to_owned())
        }
        ExitCode::Interrupted if case.stopped_after.is_some() => None,
        ExitCode::Interrupted | ExitCode::Bug | ExitCode::ChangesPending => {
            Some("no cause for it".to_owned())
        }
        _ => None,
    };
    let unprepared = services().find(|(_, (now, _))| now.unprepared);
    let wrong = unprepared
        .map(|(_, (_, service))| format!("{} rolled before its task had succeeded", service.key))
        .or(wrong);
    let untroubled = ended.exit != ExitCode::Done && case.is_untroubled();
    let wrong = wrong.or_else(|| untroubled.then(|| "nothing kept it from its end".to_owned()))?;
    let blind_ms = blind_ms(case, world);
    let unseen = now.iter().any(|now| now.still_ms < blind_ms) || acted_ms(world) < blind_ms;
    (!unseen).then(|| format!("exit {}, and {wrong}", ended.exit.code()))
}

/// What ECS takes at most for the replacement of a task to get its requests, in these cases.
const REPLACED_MS: u64 = 60_000;

/// One look takes at most this long, from the services to their tasks and targets (`xtask::verify::running`), where no call is
/// late.
const LOOK_MS: u64 = 2_000;

/// Milliseconds since the tool last looked at the services: it still marks the release as proven and gives its lease back. What
/// changed since then it cannot know.
fn blind_ms(case: &Case, world: &World) -> u64 {
    let look = |call: &CallRecord| call.operation == "DescribeServices" && key(call) == "release";
    since(world, look).saturating_add(LOOK_MS + case.network.slowest_ms())
}

/// Milliseconds since somebody else last acted.
fn acted_ms(world: &World) -> u64 {
    since(world, |call| call.write && [somebody::ACCESS_KEY, "rival"].contains(&key(call)))
}

/// Whether somebody else acted after the release began and before it changed a service: what it found is what he left.
fn acted_first(world: &World, ended: &Ended) -> bool {
    let (calls, now) = (world.cloud.calls(), world.cloud.clock().millis());
    let of_this = |call: &&CallRecord| now.since(call.at) <= (ended.secs + 1) * 1_000;
    let theirs = |call: &CallRecord| call.write && key(call) == somebody::ACCESS_KEY;
    let ours = |call: &CallRecord| key(call) == "release" && call.operation == "UpdateService";
    let mut calls = calls.iter().filter(of_this);
    calls.find(|call| theirs(call) || ours(call)).is_some_and(theirs)
}

fn since(world: &World, last: impl Fn(&CallRecord) -> bool) -> u64 {
    let now = world.cloud.clock().millis();
    world.cloud.calls().iter().rev().find(|call| last(call)).map_or(u64::MAX, |call| now.since(call.at))
}

fn key(call: &CallRecord) -> &str {
    call.access_key.as_deref().unwrap_or_default()
}

#[test]
fn a_service_that_keeps_the_release_may_still_drain_the_tasks_that_it_replaced() {
    story(async || {
        let mut world = World::new().await;
        world.environment.undo = Undo::Service;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let before = [Truth::all(&world)];
        world.scripts.set("ielts-backend:2", Script::fails_to_start("CannotPullContainerError: not found"));
        world.environment.services[1].target_group.deregistration_delay_secs = 90;
        let ended = Box::pin(world.deploy("v2", "v2")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let alike = |case: &Case| case.network.is_well() && case.acts.is_empty() && !case.is_untroubled();
        let case = (1..).map(Case::of).find(alike).unwrap();
        // Longer than what the oracle takes for unseen.
        tokio::time::sleep(Duration::from_secs(5)).await;
        world.aws.describe_services("ielts-prod-cluster", &["ielts-backend-service"]).await.unwrap();
        assert_eq!(judged(&case, &world, ("v2", "v2"), &before, &ended), None);
        assert!(judged(&case, &world, ("v2", "v3"), &before, &ended).is_some(), "it runs another release");
    });
}
