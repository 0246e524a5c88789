//! Stops what rolls, whoever began it and from wherever: ECS puts the previous revisions back, and that is followed to its
//! end by the same fold as a deploy.

use deploy::event::ExitCode;
use deploy::model::{Observed, ServiceKey};

use super::carry::follow;
use super::{Ending, Ground, lease};
use crate::apply::Known;
use crate::host::Halt;
use crate::settle::Settled;

/// The services that roll.
#[must_use]
pub fn moving(observed: &Observed) -> Vec<&ServiceKey> {
    let services = observed.services.iter();
    services
        .filter(|(_, state)| state.status == "ACTIVE" && state.rollout.as_deref() == Some("IN_PROGRESS"))
        .map(|(key, _)| key)
        .collect()
}

/// Stops every deployment that moves, and awaits what becomes of it. It needs no lease: whose it is is told, and one that
/// ended and was not given back is taken away.
pub async fn abort(ground: &Ground<'_>, observed: &Observed) -> Ending {
    lease::clear(ground, observed).await;
    let known = Known::of(observed);
    let moving = moving(observed);
    // The request to stop is made before anything is followed.
    let (switch, halt) = Halt::new();
    halt.heed(true);
    switch.ask();
    let stopping = Ground { halt: &halt, put_back: true, ..*ground };
    let settled = Box::pin(follow(&stopping, &known, &moving)).await;
    let (exit, summary) = judged(&settled);
    Ending { exit, summary: summary.to_owned(), door: ground.door(&known) }
}

fn judged(settled: &[Settled]) -> (ExitCode, &'static str) {
    let complete = settled.iter().filter(|settled| settled.is_success()).count();
    match ExitCode::worst(settled.iter().map(Settled::exit)) {
        ExitCode::Done if settled.is_empty() => (ExitCode::Done, "nothing moves"),
        ExitCode::Done => (ExitCode::Done, "complete before it could be stopped; it stays"),
        ExitCode::Failed if complete > 0 => (
            ExitCode::NotRecovered,
            "stopped in part: what was complete before stays; `cargo xtask rollback` goes back as a whole",
        ),
        ExitCode::Failed => (ExitCode::Failed, "stopped; the previous revisions serve"),
        ExitCode::Superseded => (ExitCode::Superseded, "a newer deployment took over before it was stopped"),
        ExitCode::StillMoving => (ExitCode::StillMoving, "still moving; `cargo xtask wait` follows it"),
        ExitCode::Unknown => (ExitCode::Unknown, "what became of it is not known"),
        _ => (ExitCode::NotRecovered, "stopped, and nothing was put back"),
    }
}
