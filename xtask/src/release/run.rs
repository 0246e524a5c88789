//! A release from consent to its end: apply, settle, prove, and one sentence on how it ended.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use deploy::event::{ExitCode, Kind, Phase, ServiceRow};
use deploy::model::{ServiceKey, arn_name};
use deploy::rollout::Outcome;
use deploy::verify::Reading;
use futures_util::future::join;

use super::carry::Carried;
use super::last::last_reading;
use super::lease::{self, HeldLease, Refused, Written};
use super::proof::proof;
use super::undo::{not_undone, undo};
use super::{Planned, Public, ReleaseContext, carry_out_watched, prune};
use crate::apply::{self, ResourceIds};
use crate::report::chain;
use crate::settle::Settled;
use crate::verify::Door;

#[derive(Clone, Debug)]
pub struct Ending {
    /// The exit code. Only [`ExitCode::Done`] means that the release runs and is proven.
    pub exit: ExitCode,
    pub summary: String,
    /// Where the services are reached, as far as that is known.
    pub door: Door,
    /// The rows of the closing table, where a proof ends with them.
    pub rows: Option<Vec<ServiceRow>>,
    /// What was followed to its end, and the revision that each service runs since.
    pub(super) settled: Vec<Settled>,
    pub(super) revisions: Revisions,
}

/// The revision that each service should run, by ARN.
pub(super) type Revisions = BTreeMap<ServiceKey, String>;

impl Ending {
    pub(super) fn new(exit: ExitCode, summary: String, door: Door) -> Self {
        Self { exit, summary, door, rows: None, settled: Vec::new(), revisions: Revisions::new() }
    }
}

/// Applies a plan and proves the result; undoes it when it fails. Errors become events; the ending says what they mean.
///
/// A run that may write holds the environment's lease. If somebody else holds it, the release
/// does not start.
pub async fn run(context: &ReleaseContext<'_>, planned: &Planned) -> Ending {
    let mut ending = Box::pin(under_lease(context, planned)).await;
    if scales(planned) {
        ending.summary = ending.summary.replacen("deployed", "scaled", 1);
    } else if restarts(planned) {
        ending.summary = ending.summary.replacen("deployed", "restarted", 1);
    }
    ending
}

/// The last reading of a release that was proven.
pub(super) type Proven = OnceCell<Vec<Reading>>;

async fn under_lease(context: &ReleaseContext<'_>, planned: &Planned) -> Ending {
    let proven = &OnceCell::new();
    let last = async |ending: Ending| match ending.exit {
        // What was deleted after the proof, and tags that were written, take time.
        ExitCode::Done => {
            let read = proven.get().filter(|_| planned.plan.is_empty() && !planned.rolls());
            Box::pin(last_reading(context, planned, ending, read.cloned())).await
        }
        _ => ending,
    };
    // Also with an empty plan: what a killed run changed is undone if the proof fails, and that writes.
    let left = context.roll_back && lease::is_left(context, &planned.observed).await;
    if !left && !needs_lease(context, planned) {
        return last(Box::pin(carried(context, planned, &HeldLease::default(), proven)).await).await;
    }
    // From here a signal is answered: before it there is nothing to undo, and the default action ends the process.
    context.halt.heed(true);
    let again = async |observed| Box::pin(context.plan(planned.desired.release.clone(), observed)).await;
    let ending = match Box::pin(lease::take(context, planned, again)).await {
        Ok((lease, planned)) => {
            let work = carried(context, &planned, &lease, proven);
            let ending = Box::pin(lease.keep(context, Box::pin(work))).await;
            // A deployment that is still in progress keeps others away until the lease expires.
            let kept = context.detach && ending.exit == ExitCode::StillMoving;
            let given = async {
                if !kept {
                    Box::pin(lease.give_back(context)).await;
                }
                // The last reading may wait for what somebody else does: a signal ends it at once.
                context.halt.heed(false);
            };
            join(last(ending), given).await.0
        }
        Err(Refused { error, hint, written, .. }) => {
            context.events.emit(Kind::Failed { error, hint });
            let wrote = match written {
                Written::Nothing => "nothing was written",
                Written::Lease => "only the lease was written",
                Written::Cluster => "only the cluster was created",
            };
            let summary = format!("not started; {wrote}");
            let door = context.door(&ResourceIds::of(&planned.observed));
            Ending::new(ExitCode::Usage, summary, door)
        }
    };
    context.halt.heed(false);
    ending
}

/// Whether the plan writes, or waits for what it may have to undo.
fn needs_lease(context: &ReleaseContext<'_>, planned: &Planned) -> bool {
    !planned.plan.is_empty() || (context.roll_back && planned.rolls())
}

async fn carried(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    lease: &HeldLease,
    proven: &Proven,
) -> Ending {
    let ids = ResourceIds::of(&planned.observed);
    let public = Public::default();
    let carried = Box::pin(carry_out_watched(context, planned, &ids, lease, &public)).await;
    let door = context.door(&ids);
    let mut followed = Vec::new();
    let (exit, summary) = match carried {
        // Before anything is judged: an undo now would change what the run that holds the lease is working on.
        Ok(carried) if lease.is_lost() => {
            Box::pin(deposed(context, planned, &ids, &carried, &door, (&public, proven))).await
        }
        Ok(Carried { settled, .. }) => {
            followed = settled;
            Box::pin(judged(context, planned, &ids, &followed, &door, lease, (&public, proven))).await
        }
        Err(failed) => {
            let (error, hint) = (chain(&failed), Some(failed.hint.clone()));
            context.events.defer(Kind::Failed { error, hint });
            match Box::pin(undo(context, planned, &ids, &failed.settled, lease, &public)).await {
                Some(closing) => closing,
                None if !ids.is_changed() && !planned.undo.is_resumed() => {
                    Box::pin(not_undone(context, planned, &[], &public)).await
                }
                None => (ExitCode::NotRecovered, "failed while the plan was carried out".to_owned()),
            }
        }
    };
    public.report(context.events);
    Ending { settled: followed, revisions: revisions(context, &ids), ..Ending::new(exit, summary, door) }
}

pub(super) fn revisions(context: &ReleaseContext<'_>, ids: &ResourceIds) -> Revisions {
    let runs = |key: &ServiceKey| Some((key.clone(), ids.deployed(key)?.revision));
    context.environment.services.iter().filter_map(|service| runs(&service.key)).collect()
}

/// Whether no service was there before the release.
fn nothing_before(planned: &Planned) -> bool {
    planned.observed.services.values().all(|state| !state.is_active())
}

async fn judged(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    settled: &[Settled],
    door: &Door,
    lease: &HeldLease,
    (public, proven): (&Public, &Proven),
) -> (ExitCode, String) {
    let halted = context.halt.asked();
    let exit = ExitCode::worst(settled.iter().map(Settled::exit));
    if exit == ExitCode::Done && context.detach && planned.rolls() && !halted {
        let summary = "in progress, as asked; `cargo xtask wait` waits for it and verifies it";
        return (ExitCode::StillMoving, summary.to_owned());
    }
    if exit == ExitCode::Done && !halted {
        // Before the proof, so that the record names every service even when this run ends within it.
        unchanged(context, settled);
        let proof = tokio::select! {
            // A stop that was asked for wins over a proof that ends in the same poll.
            biased;
            () = context.halt.wait() => None,
            proof = proof(context, planned, ids, settled, door, (public, proven)) => Some(proof),
        };
        match proof {
            Some((ExitCode::Done, summary)) => {
                lease.forget(context).await;
                // After the undo record is gone: a kill between the two leaves a release that a rerun proves again. The other
                // way round it would leave a proven release with a record that undoes it when the next one fails.
                let read = proven.get().map(Vec::as_slice).unwrap_or_default();
                super::proven::mark(context, planned, ids, settled, read).await;
                if planned.rolls() {
                    // What rolled was proven anew; a neighbour that crashed before was only seen to run.
                    let known = |key: &ServiceKey, arn: &str| {
                        let rolled = settled.iter().any(|it| it.key == *key);
                        let runs = ids.deployed(key).is_some_and(|deployed| deployed.revision == arn);
                        (rolled && runs) || super::proven::is_marked(planned, ids, key)
                    };
                    let read = proven.get().cloned();
                    for arn in super::proven::mark_crashed(context, planned, read, known).await {
                        let text = format!(
                            "tasks of {} crashed since it was proven; no rollback chooses it",
                            arn_name(&arn)
                        );
                        context.events.emit(Kind::Warned { text });
                    }
                }
                // Last: what is deleted cannot be restored, and until here the release may have had to be undone.
                let deleted = delete(context, planned, ids, lease).await;
                if !planned.plan.is_empty() {
                    prune::old_revisions(context, planned, ids, proven.get()).await;
                }
                return if deleted {
                    (ExitCode::Done, summary)
                } else {
                    (ExitCode::NotRecovered, NOT_DELETED.to_owned())
                };
            }
            Some((ExitCode::NotRecovered, summary)) => {
                return match undo(context, planned, ids, settled, lease, public).await {
                    // No other release serves than the one that is not proven.
                    Some((ExitCode::Failed, _)) if planned.plan.is_empty() && !planned.rolls() => {
                        (ExitCode::NotRecovered, summary)
                    }
                    undone => undone.unwrap_or((ExitCode::NotRecovered, summary)),
                };
            }
            // A release that could not be read, or asked, is not known to be a bad one.
            Some((exit, summary)) => {
                if exit == ExitCode::Superseded {
                    lease.forget(context).await;
                }
                return (exit, summary);
            }
            None => {}
        }
    }
    let undone = undo(context, planned, ids, settled, lease, public).await;
    let halted = context.halt.asked();
    match (undone, exit) {
        // What did not run before is not lost by an interruption.
        (Some((ExitCode::NotRecovered, _)), _) if halted && nothing_before(planned) => {
            (ExitCode::Interrupted, "interrupted; nothing served before".to_owned())
        }
        (Some((ExitCode::Failed, summary)), _) if halted => {
            (ExitCode::Interrupted, summary.replacen("not deployed", "interrupted", 1))
        }
        (Some((exit, summary)), _) => (exit, summary),
        (None, exit) if halted => interrupted(exit),
        (None, ExitCode::StillMoving) if restarts(planned) && !ids.is_changed() => {
            (exit, "not restarted; the deployment that it waits for is still in progress".to_owned())
        }
        (None, ExitCode::StillMoving) => {
            (exit, "still in progress at the deadline; `cargo xtask wait` follows it".to_owned())
        }
        (None, ExitCode::Unknown) => {
            (exit, "what became of it is unknown; `cargo xtask wait` follows it".to_owned())
        }
        (None, ExitCode::Failed) => match Box::pin(not_undone(context, planned, settled, public)).await {
            (ExitCode::Failed, _) => (exit, left(exit).to_owned()),
            measured => measured,
        },
        (None, ExitCode::Superseded) => {
            // Somebody else is in charge: what this release found is not what the next one would restore.
            lease.forget(context).await;
            let summary = if is_forced(settled) { FORCED } else { left(exit) };
            (exit, summary.to_owned())
        }
        (None, exit) => (exit, left(exit).to_owned()),
    }
}

/// The summary of a proven release when something that is no longer in deploy.toml still exists.
const NOT_DELETED: &str =
    "deployed and proven, but not everything that is no longer in deploy.toml was deleted";

/// Carries out the deletions, which wait for the proof. Returns whether all of them succeeded.
async fn delete(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    lease: &HeldLease,
) -> bool {
    let step_context = context.step_context(planned, ids);
    for stage in &planned.plan.after {
        if !lease.is_still_held(context).await {
            return false;
        }
        context.events.emit(Kind::PhaseBegan { phase: Phase::Apply, about: stage.name.clone() });
        if let Err(failed) = apply::stage(&step_context, stage).await {
            context.emit_failure(
                &failed,
                Some("fix the cause and run it again: only the deletions are left".to_owned()),
            );
            return false;
        }
    }
    true
}

/// The end of a release that lost its lease: the deployments that it started are judged, and nothing is undone.
async fn deposed(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    carried: &Carried,
    door: &Door,
    (public, proven): (&Public, &Proven),
) -> (ExitCode, String) {
    let exit = ExitCode::worst(carried.settled.iter().map(Settled::exit));
    if exit == ExitCode::Done && !carried.cut && !context.halt.asked() {
        let (exit, summary) = proof(context, planned, ids, &carried.settled, door, (public, proven)).await;
        if exit == ExitCode::Done {
            return (exit, summary);
        }
    }
    let summary = "another run took the lease over before this one was complete";
    (ExitCode::worst([exit, ExitCode::Superseded]), summary.to_owned())
}

/// Emits an outcome for each service that needed no deployment, so that the record has one of every service.
fn unchanged(context: &ReleaseContext<'_>, settled: &[Settled]) {
    let moved = |key: &ServiceKey| settled.iter().any(|settled| settled.key == *key);
    for service in context.environment.services.iter().filter(|service| !moved(&service.key)) {
        let Settled { key, verdict, .. } = Settled::unchanged(service.key.clone());
        context.events.emit(Kind::Settled { service: key, verdict, emptied: false, elapsed_ms: 0 });
    }
}

const FORCED: &str =
    "not proven; somebody forced a new deployment of the same revision: `cargo xtask wait` waits for it";

/// Whether the release was superseded only by its own revisions, deployed again.
fn is_forced(settled: &[Settled]) -> bool {
    let forced =
        |settled: &Settled| !matches!(settled.verdict.outcome, Outcome::Superseded { forced: false, .. });
    settled.iter().all(forced)
}

/// The summary of a failed release that is left as it is.
fn left(exit: ExitCode) -> &'static str {
    match exit {
        ExitCode::Failed => "not deployed; ECS rolled it back, and nothing else was restored",
        ExitCode::Superseded => "not deployed; a newer deployment took over",
        _ => "not deployed, and not recovered",
    }
}

/// Whether it gives a service another number of tasks.
pub(super) fn scales(planned: &Planned) -> bool {
    planned.desired.release.pins.values().any(|pin| pin.count.is_some())
}

/// Whether it replaces tasks by new ones of the same revision.
pub(super) fn restarts(planned: &Planned) -> bool {
    planned.desired.release.pins.values().any(|pin| pin.replaces.is_some())
}

/// The end of a release that was asked to stop and is left as it is.
fn interrupted(exit: ExitCode) -> (ExitCode, String) {
    let (exit, summary) = match exit {
        ExitCode::Done => (ExitCode::Interrupted, "interrupted; what was complete stays"),
        ExitCode::Failed => (ExitCode::Interrupted, "interrupted; ECS rolled it back"),
        ExitCode::StillMoving => (ExitCode::Interrupted, "interrupted; still in progress"),
        ExitCode::Superseded => (exit, "interrupted; a newer deployment took over"),
        ExitCode::Unknown => (exit, "interrupted; what became of it is unknown"),
        exit => (exit, "interrupted, and not recovered"),
    };
    (exit, summary.to_owned())
}
