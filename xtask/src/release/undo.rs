//! Undoes a release as one: when a service of it fails, those that it moved go back too.
//!
//! | how the release stands | what goes back |
//! |---|---|
//! | a service was rolled back, failed, was stopped or deleted | every service that the release moved |
//! | a stop was asked for (Ctrl-C, SIGTERM) | the same: half a release is no release |
//! | all settled, and the proof failed | the same: a release that does not answer is a failed one |
//! | superseded | nothing: the newer deployment is somebody else's |
//! | still moving, unknown | nothing: what cannot be judged is not touched |
//! | `undo = "service"`, or `--no-rollback` | nothing |
//!
//! A service that the release created has nothing to go back to. It stays, and the release is not recovered.

use std::collections::BTreeMap;

use deploy::event::{ExitCode, Kind, Standing};
use deploy::history::PROVEN;
use deploy::model::{Observed, Pin, Release, ServiceKey, Undo};
use deploy::plan::{Order, Refusal};
use deploy::rollout::Outcome;

use super::run::tell;
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
/// when not; `None` when the release is left as it is.
pub(super) async fn undo(ground: &Ground<'_>, planned: &Planned, settled: &[Settled]) -> Option<ExitCode> {
    let moved: Vec<&Settled> = settled.iter().filter(|settled| !settled.verdict.outcome.is_back()).collect();
    if moved.is_empty() || !is_undone(ground, settled) {
        return None;
    }
    let pins = pins(&planned.observed, &moved);
    let mut back: BTreeMap<ServiceKey, bool> =
        settled.iter().map(|settled| (settled.key.clone(), settled.verdict.outcome.is_back())).collect();
    if !pins.is_empty() {
        ground.events.emit(Kind::Undoing { services: pins.keys().cloned().collect() });
        // A whole release within a release: on the heap, so that its futures do not add up on the stack.
        for settled in Box::pin(way_back(ground, planned, pins.clone())).await {
            back.insert(settled.key.clone(), settled.is_success());
        }
    }
    let all = back.values().all(|back| *back);
    let services = back
        .into_iter()
        .map(|(service, back)| {
            let before = planned.observed.services.get(&service);
            let revision = before.map(|before| short(&before.task_definition.arn));
            Standing { service, back, before: revision }
        })
        .collect();
    ground.events.emit(Kind::Undone { services });
    Some(if all { ExitCode::Failed } else { ExitCode::NotRecovered })
}

/// Revision and settings from before the release, of each moved service that had any.
fn pins(before: &Observed, moved: &[&Settled]) -> BTreeMap<ServiceKey, Pin> {
    let pin = |settled: &&Settled| {
        let state = before.services.get(&settled.key).filter(|state| state.status == "ACTIVE")?;
        let proven = state.task_definition.tags.contains_key(PROVEN);
        let pin =
            Pin { revision: state.task_definition.arn.clone(), proven, settings: Some(state.spec.clone()) };
        Some((settled.key.clone(), pin))
    };
    moved.iter().filter_map(pin).collect()
}

/// A plan towards what was before, carried out. What cannot be read or done leaves its services not back.
async fn way_back(ground: &Ground<'_>, planned: &Planned, pins: BTreeMap<ServiceKey, Pin>) -> Vec<Settled> {
    // The request to stop that may have led here was heeded; the next one leaves at once.
    let (_switch, halt) = Halt::new();
    let ground = Ground { halt: &halt, order: Order::Reverse, ..*ground };
    let release = Release { pins, images: BTreeMap::new(), ..planned.desired.release.clone() };
    let observed = match observe::account(ground.aws, ground.environment).await {
        Ok(observed) => observed,
        Err(error) => {
            tell(&ground, &error, error.hint());
            return Vec::new();
        }
    };
    let planned = match ground.plan(release, observed).await {
        Ok(planned) => planned,
        Err(error) => {
            tell(&ground, &error, error.hint());
            return Vec::new();
        }
    };
    // One service that cannot go back holds no other.
    for Refusal { what, remedy } in &planned.plan.refusals {
        ground.events.emit(Kind::Failed { error: what.clone(), hint: Some(remedy.clone()) });
    }
    ground.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
    let known = Known::of(&planned.observed);
    let mut settled = match carry_out(&ground, &planned, &known).await {
        Ok(settled) => settled,
        Err(failed) => {
            tell(&ground, &failed, None);
            return Vec::new();
        }
    };
    // What was found to run its revision from before needed no deployment.
    for (key, pin) in &planned.desired.release.pins {
        let rolls = planned.plan.stages.iter().any(|stage| stage.settle.contains(key));
        if !rolls && runs(&planned.observed, key, pin) {
            settled.push(Settled::unchanged(key.clone()));
        }
    }
    settled
}

fn runs(observed: &Observed, key: &ServiceKey, pin: &Pin) -> bool {
    let state = observed.services.get(key).filter(|state| state.status == "ACTIVE");
    state.is_some_and(|state| state.task_definition.arn == pin.revision)
}

fn short(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}
