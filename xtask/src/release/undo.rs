//! Undoes a release as one: all that it changed is restored, and then the account is read to see what serves.
//!
//! | how the release ended | what is restored |
//! |---|---|
//! | a step failed; a service was rolled back, failed, was stopped or deleted | everything that the release changed |
//! | a stop was asked for (Ctrl-C, SIGTERM, `abort`) | the same: half a release is no release |
//! | all settled, and the proof failed | the same: a release that does not answer is a failed one |
//! | an earlier run of it was killed | also what that one had changed, by its record ([`Undo`]) |
//! | superseded | nothing: the newer deployment is somebody else's |
//! | somebody deployed after ours was complete, and before it was proven | the other services |
//! | still in progress, unknown | nothing: what cannot be judged is not touched |
//! | another run took the lease over | nothing: it is in charge |
//! | `undo = "service"`, or `--no-rollback` | nothing |
//!
//! A service that the release created, or that has no earlier revision, cannot be rolled back. It stays, and the release is
//! not recovered; a first one that was interrupted is called that.

use std::collections::{BTreeMap, BTreeSet};

use deploy::event::{ExitCode, Kind};
use deploy::history::release_that_runs;
use deploy::model::{Desired, Observed, Pin, Release, ServiceKey, Undo as Extent, arn_name};
use deploy::plan::{Action, Plan, Refusal, Undo};
use deploy::rollout::Outcome;

use super::before::{Before, ServedBefore, before};
use super::lease::HeldLease;
use super::prove::{LOOK_EVERY, SEEN_WITHIN};
use super::restored::{self, Restored};

use super::watched::Public;
use super::{Own, Planned, ReleaseContext, carry_out, proven, revisions};
use crate::apply::ResourceIds;
use crate::aws::Kind as Problem;
use crate::host::Halt;
use crate::observe;
use crate::settle::Settled;

/// Whether a release that ended like this is undone.
fn is_undone(context: &ReleaseContext<'_>, settled: &[Settled]) -> bool {
    let judged = |settled: &Settled| {
        !matches!(
            settled.verdict.outcome,
            Outcome::Superseded { .. } | Outcome::StillMoving | Outcome::Unknown | Outcome::Unseen { .. }
        )
    };
    context.environment.undo == Extent::Release && context.roll_back && settled.iter().all(judged)
}

/// Warns of each service of a partly failed release that keeps running it: the closing line does not mention that.
fn report_half(context: &ReleaseContext<'_>, settled: &[Settled]) {
    if settled.iter().all(Settled::is_success) {
        return;
    }
    for Settled { key, revision, .. } in settled.iter().filter(|it| it.verdict.outcome == Outcome::Succeeded)
    {
        let Some(revision) = revision else { continue };
        let text = format!("{key}: runs {} of this release, not proven, and stays", arn_name(revision));
        context.events.emit(Kind::Warned { text });
    }
}

/// Restores what the release changed, and returns what was measured afterwards: 1 when all of it is as before and serves, 5
/// when not, 6 when only somebody else's newer deployment is left, 8 when that cannot be read. `None` when the release is left as it is.
pub(super) async fn undo(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    settled: &[Settled],
    lease: &HeldLease,
    public: &Public,
) -> Option<(ExitCode, String)> {
    if !is_undone(context, settled) {
        report_half(context, settled);
        return None;
    }
    // A run that lost the lease must not write: whoever holds it may be deploying over this release.
    if !lease.is_still_held(context).await {
        return None;
    }
    for key in ids.ran() {
        let text = format!("{key}: its task before the roll has run; what that changed is not undone");
        context.events.emit(Kind::Warned { text });
    }
    // A restart, or another number of tasks, is of the revision that serves: that new tasks fail is no reason to run another
    // release in its place.
    let again = |key: &ServiceKey, _: &str| planned.desired.release.pins.get(key).is_some_and(Pin::is_again);
    let crashed = proven::mark_crashed(context, planned, None, again).await;
    let before = before(context, planned, &crashed).await;
    let wanted = wanted(planned, &before, |key, before| is_touched(planned, settled, key, before));
    // The request to stop that may have led here is answered by this undo; the next one exits at once.
    let (_switch, halt) = Halt::new();
    let context = ReleaseContext { halt: &halt, ..*context };
    // A whole release within a release: on the heap, so that its futures do not add up on the stack.
    let restored = Box::pin(restore(&context, planned, ids, wanted, lease)).await;
    // Every change was refused: there is nothing to restore, even where the account cannot be read to confirm it.
    let served = planned.observed.services.values().any(|state| state.is_active());
    if served && restored.unseen && !ids.is_changed() && !planned.undo.is_resumed() {
        let nothing = "not deployed; nothing that serves was changed";
        return Some(match restored.refused {
            // Whoever may not read may not have written either.
            true => (ExitCode::Failed, nothing.to_owned()),
            false => (ExitCode::Unknown, format!("{nothing}, and what serves could not be read")),
        });
    }
    let kept = kept(planned, ids, settled, &before.services);
    let restored = Restored { ours: revisions(&context, ids), ..restored };
    let (exit, summary) = restored::closing(&context, planned, &restored, &kept, public).await;
    if exit == ExitCode::Failed {
        proven::renew(&context, planned).await;
    }
    if restored.complete {
        lease.forget(&context).await;
    } else if !restored.unseen {
        lease.ended(&context, &planned.undo).await;
    }
    Some((exit, summary))
}

/// How a release closes of which ECS rolled services back and nothing else is to be restored: the others must serve what they run
/// now.
pub(super) async fn not_undone(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    settled: &[Settled],
    public: &Public,
) -> (ExitCode, String) {
    let before = before(context, planned, &BTreeSet::new()).await;
    let is_back = |key: &ServiceKey| settled.iter().any(|it| it.key == *key && it.verdict.outcome.is_back());
    let ours = |it: &Settled| Some((it.key.clone(), it.revision.clone()?));
    let found = planned.observed.services.iter();
    let found = found.map(|(key, state)| (key.clone(), state.task_definition.arn.clone()));
    let ours = found.chain(settled.iter().filter_map(ours)).collect();
    let restored = Restored { complete: true, ours, ..wanted(planned, &before, |key, _| is_back(key)) };
    restored::closing(context, planned, &restored, &BTreeSet::new(), public).await
}

/// What services are to run again, and why some of it is not what was found.
fn wanted(
    planned: &Planned,
    before: &ServedBefore,
    is_meant: impl Fn(&ServiceKey, &Before) -> bool,
) -> Restored {
    let meant = || before.services.iter().filter(|(key, before)| is_meant(key, before));
    let pins = meant().map(|(key, before)| (key.clone(), before.pin.clone())).collect();
    let instead = meant().filter_map(|(key, before)| {
        let found = arn_name(&planned.observed.services.get(key)?.task_definition.arn);
        Some((key.clone(), format!("instead of {found}, {}", before.why?)))
    });
    let instead = instead.collect();
    let mut runs: BTreeMap<&ServiceKey, &str> = planned
        .observed
        .services
        .iter()
        .filter(|(_, state)| state.is_active())
        .map(|(key, state)| (key, state.task_definition.arn.as_str()))
        .collect();
    runs.extend(meant().map(|(key, before)| (key, before.pin.revision.as_str())));
    let together = match release_that_runs(&before.releases, &runs) {
        Some(past) => format!("release {} serves", past.release),
        None if before.releases.is_empty() => "what ran before serves".to_owned(),
        None => {
            let runs: Vec<_> = runs.iter().map(|(key, arn)| format!("{key} {}", arn_name(arn))).collect();
            format!("{} serve, which were no release together", runs.join(" and "))
        }
    };
    Restored { pins, instead, together, ..Restored::default() }
}

/// Whether a release, or an earlier run of it, can have changed a service.
fn is_touched(planned: &Planned, settled: &[Settled], key: &ServiceKey, before: &Before) -> bool {
    let rolled = settled.iter().any(|settled| settled.key == *key);
    rolled || before.left || planned.undo.touches(key)
}

/// The services that the release created, or rolled out over something that never served, such as a first release that
/// failed. They keep running this release.
fn kept(
    planned: &Planned,
    ids: &ResourceIds,
    settled: &[Settled],
    before: &BTreeMap<ServiceKey, Before>,
) -> BTreeSet<ServiceKey> {
    let made = planned.plan.steps().filter_map(|step| match &step.action {
        Action::CreateService { service, .. } => Some(service),
        _ => None,
    });
    let made = made.filter(|key| ids.deployed(key).is_some_and(|it| !it.adopted));
    let rolled = settled.iter().filter(|it| !it.verdict.outcome.is_back() && !before.contains_key(&it.key));
    made.chain(rolled.map(|it| &it.key)).cloned().collect()
}

/// Carries out the plan that restores, and plans again to see what is left of it. What cannot be read or done is an event.
async fn restore(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    wanted: Restored,
    lease: &HeldLease,
) -> Restored {
    let mut restored = wanted;
    // What is restored is planned from the account as it is, not from the plan: a lost reply hides a change that AWS made.
    let own = Own { planned, ids };
    let now = match look(context, own).await {
        Ok(now) => now,
        Err(refused) => return Restored { unseen: true, refused, ..restored },
    };
    let desired = leave_theirs(context, own, &mut restored, &now);
    let plan = deploy::plan::undo(&planned.undo, &desired, &now);
    // One service that cannot be rolled back does not keep the others from it.
    for Refusal { what, remedy } in &plan.refusals {
        context.events.emit(Kind::Failed { error: what.clone(), hint: Some(remedy.clone()) });
    }
    if plan.stages.is_empty() {
        restored.complete = plan.refusals.is_empty();
        restored.not_back = not_back(&plan, &now, &restored.pins);
        return restored;
    }
    context.events.emit(Kind::Undoing { services: restored.pins.keys().cloned().collect() });
    context.events.emit(Kind::Planned { plan: Box::new(plan.clone()) });
    let ids = ResourceIds::of(&now);
    // A plan for each stage: `carry_out` stops at the first stage that fails, and the others must be restored all the same.
    for stage in plan.stages {
        let plan = Plan { stages: vec![stage], ..Plan::default() };
        let part = Planned { desired: desired.clone(), observed: now.clone(), plan, undo: Undo::default() };
        match carry_out(context, &part, &ids, lease, own).await {
            Err(failed) if !failed.theirs => context.emit_failure(&failed, None),
            _ => {}
        }
    }
    if let Ok(now) = look(context, own).await {
        let desired = leave_theirs(context, own, &mut restored, &now);
        let left = deploy::plan::undo(&planned.undo, &desired, &now);
        restored.left = left.steps().map(|step| step.action.title()).collect();
        restored.complete = left.stages.is_empty() && left.refusals.is_empty();
        restored.not_back = not_back(&left, &now, &restored.pins);
    } else {
        // Not read is not restored: the closing sentence claims nothing that nobody saw.
        restored.not_back = restored.pins.keys().cloned().collect();
    }
    restored
}

/// Takes what somebody else deployed out of what is restored, and returns what is left to want.
fn leave_theirs(
    context: &ReleaseContext<'_>,
    own: Own<'_>,
    restored: &mut Restored,
    now: &Observed,
) -> Desired {
    for (key, revision) in own.theirs(now, &restored.pins) {
        restored.pins.remove(&key);
        let text = format!("{key}: left as it is: somebody else deployed {} meanwhile", arn_name(&revision));
        context.events.emit(Kind::Warned { text });
        restored.theirs.insert(key, revision);
    }
    let desired = &own.planned.desired;
    let release = Release { pins: restored.pins.clone(), images: BTreeMap::new(), ..desired.release.clone() };
    Desired { release, ..desired.clone() }
}

/// The services that do not run what they ran, by the plan that would still restore them.
fn not_back(left: &Plan, now: &Observed, pins: &BTreeMap<ServiceKey, Pin>) -> BTreeSet<ServiceKey> {
    let planned = |key: &ServiceKey| {
        let step =
            |action: &Action| matches!(action, Action::UpdateService { service, .. } if service == key);
        left.steps().any(|it| step(&it.action)) || left.stages.iter().any(|stage| stage.settle.contains(key))
    };
    let lives = |key: &ServiceKey| now.services.get(key).is_some_and(|state| state.is_active());
    pins.keys().filter(|key| planned(key) || !lives(key)).cloned().collect()
}

/// The account; where it cannot be read, whether AWS refused that.
///
/// Reads of ECS go backwards: one that shows what the release replaced would make the undo believe that nothing is left to do.
async fn look(context: &ReleaseContext<'_>, own: Own<'_>) -> Result<Observed, bool> {
    let deadline = context.host.clock.mark().after(SEEN_WITHIN);
    loop {
        let now = observe::account(context.aws, context.environment).await.map_err(|error| {
            context.emit_failure(&error, error.hint());
            let observe::Error::Aws(error) = &error else { return false };
            matches!(
                error.kind,
                Problem::AccessDenied { .. } | Problem::Credentials(_) | Problem::ExpiredToken
            )
        })?;
        let Some(key) = own.outdated(&now) else { return Ok(now) };
        if deadline.remaining().is_zero() {
            let error = format!(
                "{key}: ECS shows the deployment before this release, {SEEN_WITHIN:?} after it was replaced"
            );
            context.events.emit(Kind::Failed { error, hint: None });
            return Err(false);
        }
        context.host.clock.sleep(LOOK_EVERY).await;
    }
}
