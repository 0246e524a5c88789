//! Stops deployments in progress, whoever started them: ECS rolls back to the previous revisions, and the same fold as in a
//! deploy waits for the end of that.

use deploy::event::ExitCode;
use deploy::model::{Desired, Observed, Release, ServiceKey};
use deploy::plan::{Plan, Undo};

use super::carry::follow;
use super::lease::HeldLease;
use super::watched::Public;
use super::{Ending, Planned, ReleaseContext, lease};
use crate::apply::ResourceIds;
use crate::host::Halt;
use crate::settle::Settled;

fn moving(observed: &Observed) -> Vec<&ServiceKey> {
    let services = observed.services.iter();
    services
        .filter(|(_, state)| state.is_active() && state.rollout.as_deref() == Some("IN_PROGRESS"))
        .map(|(key, _)| key)
        .collect()
}

/// Whether an abort would change something: stop what rolls, or restore what a killed run left.
pub async fn acts(context: &ReleaseContext<'_>, observed: &Observed) -> bool {
    !moving(observed).is_empty() || lease::left(context, observed).await.is_some()
}

/// Stops every deployment that is in progress, and waits for its end. It needs no lease: the holder is printed, and an expired
/// lease is removed. What a run that was killed had changed is restored; a run that lives
/// notices the stop, and restores it itself.
pub async fn abort(context: &ReleaseContext<'_>, observed: &Observed) -> Ending {
    // First: while the run that holds the lease lives, its own undo restores the rest, and a second one would race it.
    let lives = lease::clear(context, observed).await;
    let ids = ResourceIds::of(observed);
    let moving = moving(observed);
    // The request to stop is made before anything is followed.
    let (switch, halt) = Halt::new();
    halt.heed(true);
    switch.ask();
    let stopping = ReleaseContext { halt: &halt, roll_back: true, ..*context };
    let settled = Box::pin(follow(&stopping, &ids, &moving)).await;
    let (exit, summary) = judged(&settled);
    let mut closing = (exit, summary.to_owned());
    if !lives && let Some(undo) = lease::left(context, observed).await {
        let planned = killed(context, observed, undo);
        if let Some((exit, summary)) = Box::pin(super::undo::undo(
            &stopping,
            &planned,
            &ids,
            &settled,
            &HeldLease::default(),
            &Public::default(),
        ))
        .await
        {
            closing = (exit, summary.replacen("not deployed", "stopped", 1));
            if matches!(exit, ExitCode::Failed) {
                lease::discard(context, observed).await;
            }
        }
    }
    let (exit, summary) = closing;
    Ending::new(exit, summary, context.door(&ids))
}

/// What a run that was killed had planned, as far as its record says.
fn killed(context: &ReleaseContext<'_>, observed: &Observed, undo: Undo) -> Planned {
    let desired = Desired { environment: context.environment.clone(), release: Release::default() };
    let undo = Undo::default().after(undo, observed);
    Planned { desired, observed: observed.clone(), plan: Plan::default(), undo }
}

fn judged(settled: &[Settled]) -> (ExitCode, &'static str) {
    let complete = settled.iter().filter(|settled| settled.is_success()).count();
    match ExitCode::worst(settled.iter().map(Settled::exit)) {
        ExitCode::Done if settled.is_empty() => (ExitCode::Done, "no deployment is in progress"),
        ExitCode::Done => (ExitCode::Done, "complete before it could be stopped; it stays"),
        // A part of a release runs now: neither the state before it nor the one that was wanted.
        ExitCode::Failed if complete > 0 => (
            ExitCode::NotRecovered,
            "stopped in part: what was complete before stays; `cargo xtask rollback` rolls all of it back",
        ),
        ExitCode::Failed => (ExitCode::Failed, "stopped; ECS rolled back to the previous revisions"),
        ExitCode::Superseded => (ExitCode::Superseded, "a newer deployment took over before it was stopped"),
        ExitCode::StillMoving => {
            (ExitCode::StillMoving, "still in progress; `cargo xtask wait` waits for it")
        }
        ExitCode::Unknown => (ExitCode::Unknown, "what became of it is unknown"),
        _ => (ExitCode::NotRecovered, "stopped, and not rolled back"),
    }
}
