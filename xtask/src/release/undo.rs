//! Undoes a release as one: when a service of it fails, those that it moved go back too.
//!
//! | how the release stands | what goes back |
//! |---|---|
//! | a service was rolled back, failed, was stopped or deleted | every service that the release moved |
//! | a stop was asked for (Ctrl-C, SIGTERM) | the same: half a release is no release |
//! | all settled, and the proof failed | the same: a release that does not answer is a failed one |
//! | superseded | nothing: the newer deployment is somebody else's |
//! | an earlier run of the same release was killed | also what that one had moved |
//! | somebody deployed after ours was complete, and before it was proven | the other services |
//! | still moving, unknown | nothing: what cannot be judged is not touched |
//! | another run took the lease over | nothing: it is in charge |
//! | `undo = "service"`, or `--no-rollback` | nothing |
//!
//! A service that the release created has nothing to go back to. It stays, and the release is not recovered; a first one
//! that was interrupted is called that.

use std::collections::BTreeMap;

use deploy::event::{ExitCode, Kind, Standing};
use deploy::model::{Observed, Pin, Release, ServiceKey, Undo};
use deploy::plan::{Order, Refusal};
use deploy::rollout::Outcome;

use super::before::{Before, before};
use super::lease::Held;
use super::tell::tell;
use super::{Ground, Planned, carry_out};
use crate::apply::Known;
use crate::host::Halt;
use crate::observe;
use crate::settle::Settled;

/// Whether a release that ended like this is undone.
fn is_undone(ground: &Ground<'_>, settled: &[Settled]) -> bool {
    let judged = |settled: &Settled| {
        !matches!(
            settled.verdict.outcome,
            Outcome::Superseded { .. } | Outcome::StillMoving | Outcome::Unknown
        )
    };
    ground.environment.undo == Undo::Release && ground.put_back && settled.iter().all(judged)
}

/// Puts back what the release moved, and tells where every service stands. Gives the exit code: 1 when all are back, 5
/// when not, 6 when only somebody else's newer deployment was left; `None` when the release is left as it is.
pub(super) async fn undo(
    ground: &Ground<'_>,
    planned: &Planned,
    settled: &[Settled],
    held: &Held,
) -> Option<ExitCode> {
    if !is_undone(ground, settled) || !held.is_still_held(ground).await {
        return None;
    }
    let before = before(ground, planned).await;
    let moved = moved(planned, settled, &before);
    if moved.is_empty() {
        return None;
    }
    let mut back: BTreeMap<ServiceKey, bool> =
        settled.iter().map(|settled| (settled.key.clone(), settled.verdict.outcome.is_back())).collect();
    back.extend(moved.keys().map(|key| (key.clone(), false)));
    let pin = |key: &ServiceKey| before.get(key).map(|before| (key.clone(), before.pin.clone()));
    let pins: BTreeMap<ServiceKey, Pin> = moved.keys().filter_map(pin).collect();
    let mut theirs = Vec::new();
    if !pins.is_empty() {
        ground.events.emit(Kind::Undoing { services: pins.keys().cloned().collect() });
        // A whole release within a release: on the heap, so that its futures do not add up on the stack.
        let way = Box::pin(way_back(ground, planned, &moved, pins, held)).await;
        for settled in way.settled {
            back.insert(settled.key.clone(), settled.is_success());
        }
        theirs = way.theirs;
    }
    back.retain(|key, _| !theirs.contains(key));
    let exit = match back.values().all(|back| *back) {
        true if theirs.is_empty() => ExitCode::Failed,
        true => ExitCode::Superseded,
        false => ExitCode::NotRecovered,
    };
    let standing = |(service, back): (ServiceKey, bool)| {
        let revision = before.get(&service).map(|before| short(&before.pin.revision));
        Standing { service, back, before: revision }
    };
    let services: Vec<_> = back.into_iter().map(standing).collect();
    if !services.is_empty() {
        ground.events.emit(Kind::Undone { services });
    }
    Some(exit)
}

/// The services that have to go back, and what this release has them run, where that is known: those whose deployments
/// are not back by themselves, and those that an earlier run of it left.
fn moved(
    planned: &Planned,
    settled: &[Settled],
    before: &BTreeMap<ServiceKey, Before>,
) -> BTreeMap<ServiceKey, Option<String>> {
    let rolled = settled.iter().filter(|settled| !settled.verdict.outcome.is_back());
    let mut moved: BTreeMap<_, _> =
        rolled.map(|settled| (settled.key.clone(), settled.revision.clone())).collect();
    let left = before.iter().filter(|(_, before)| before.left);
    for (key, _) in left.filter(|(key, _)| !settled.iter().any(|settled| settled.key == **key)) {
        let runs = planned.observed.services.get(key).map(|state| state.task_definition.arn.clone());
        moved.insert(key.clone(), runs);
    }
    moved
}

/// What the way back came to. A service in neither list is not back.
#[derive(Default)]
struct Way {
    settled: Vec<Settled>,
    /// Services that somebody deployed meanwhile: they are left alone.
    theirs: Vec<ServiceKey>,
}

/// A plan towards what was before, carried out. What cannot be read or done leaves its services not back.
async fn way_back(
    ground: &Ground<'_>,
    planned: &Planned,
    moved: &BTreeMap<ServiceKey, Option<String>>,
    mut pins: BTreeMap<ServiceKey, Pin>,
    held: &Held,
) -> Way {
    // The request to stop that may have led here was heeded; the next one leaves at once.
    let (_switch, halt) = Halt::new();
    let ground = Ground { halt: &halt, order: Order::Reverse, ..*ground };
    let observed = match observe::account(ground.aws, ground.environment).await {
        Ok(observed) => observed,
        Err(error) => {
            tell(&ground, &error, error.hint());
            return Way::default();
        }
    };
    let theirs = theirs(&observed, moved, &pins);
    for (key, revision) in &theirs {
        pins.remove(key);
        let text = format!("{key}: {} was deployed by somebody else meanwhile, and stays", short(revision));
        ground.events.emit(Kind::Warned { text });
    }
    let theirs = theirs.into_iter().map(|(key, _)| key).collect();
    if pins.is_empty() {
        return Way { settled: Vec::new(), theirs };
    }
    let release = Release { pins, images: BTreeMap::new(), ..planned.desired.release.clone() };
    let planned = match ground.plan(release, observed).await {
        Ok(planned) => planned,
        Err(error) => {
            tell(&ground, &error, error.hint());
            return Way { settled: Vec::new(), theirs };
        }
    };
    // One service that cannot go back holds no other.
    for Refusal { what, remedy } in &planned.plan.refusals {
        ground.events.emit(Kind::Failed { error: what.clone(), hint: Some(remedy.clone()) });
    }
    ground.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
    let known = Known::of(&planned.observed);
    let mut settled = match carry_out(&ground, &planned, &known, held).await {
        Ok(carried) => carried.settled,
        Err(failed) => {
            tell(&ground, &failed, None);
            return Way { settled: Vec::new(), theirs };
        }
    };
    // What was found to run its revision from before needed no deployment.
    for (key, pin) in &planned.desired.release.pins {
        let rolls = planned.plan.stages.iter().any(|stage| stage.settle.contains(key));
        if !rolls && runs(&planned.observed, key, pin) {
            settled.push(Settled::unchanged(key.clone()));
        }
    }
    Way { settled, theirs }
}

/// Services that run neither what this release rolled out nor what was before it, and the ARN of what they run.
fn theirs(
    now: &Observed,
    moved: &BTreeMap<ServiceKey, Option<String>>,
    pins: &BTreeMap<ServiceKey, Pin>,
) -> Vec<(ServiceKey, String)> {
    let stranger = |(key, ours): (&ServiceKey, &Option<String>)| {
        let state = now.services.get(key).filter(|state| state.status == "ACTIVE")?;
        let (before, runs) = (&pins.get(key)?.revision, &state.task_definition.arn);
        let ours = ours.as_ref().is_none_or(|ours| ours == runs);
        (!ours && before != runs).then(|| (key.clone(), runs.clone()))
    };
    moved.iter().filter_map(stranger).collect()
}

fn runs(observed: &Observed, key: &ServiceKey, pin: &Pin) -> bool {
    let state = observed.services.get(key).filter(|state| state.status == "ACTIVE");
    state.is_some_and(|state| state.task_definition.arn == pin.revision)
}

fn short(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}
