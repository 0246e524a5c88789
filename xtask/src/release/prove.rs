//! Proves a release: running digests, target health, smoke checks, and an empty second plan.

use std::time::Duration;

use deploy::event::{Kind, Phase};
use deploy::plan::{Action, Step};
use deploy::verify::Smoke;
use futures_util::future::join;

use super::{Ground, Planned};
use crate::observe;
use crate::verify::{self, Door};

/// What was written a moment ago may not be in the first answers: a release is not doubted before they have had time to
/// show it.
const SEEN_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// What a proof came to.
pub(super) enum Proof {
    /// All of it holds. The smoke checks may not have been asked, where the file says so.
    Complete {
        /// Whether they were.
        smoked: bool,
    },
    /// Tasks, targets and settings are as wanted; the load balancer cannot be reached from this machine.
    Unreachable,
    /// Something is not as wanted.
    Refuted,
}

/// Emits an event for each thing that is not proven.
///
/// # Errors
/// [`observe::Error`] when the account cannot be read: then nothing is proven.
pub(super) async fn prove(
    ground: &Ground<'_>,
    planned: &Planned,
    door: &Door,
) -> Result<Proof, observe::Error> {
    let Ground { host, aws, events, environment, .. } = *ground;
    events
        .emit(Kind::PhaseBegan { phase: Phase::Verify, about: "digests, targets, smoke checks".to_owned() });
    let smoke = async {
        match &door.front {
            Some(front) if front.unasked.is_some() => Smoke::NotAsked,
            Some(front) => verify::smoke(&host.http, &host.clock, events, environment, front).await,
            None => Smoke::Failed,
        }
    };
    let (running, smoked) = join(verify::running(aws, events, &planned.desired, door), smoke).await;
    let running = running?;
    // A run that changed nothing has just read an account that is as planned.
    let again = if planned.plan.is_empty() { None } else { Some(converged(ground, planned).await?) };
    let converged = again.is_none_or(|differs| match differs {
        None => true,
        Some(differs) => {
            events.emit(Kind::Failed {
                error: "the account is not as planned after the deploy".to_owned(),
                hint: Some(format!("what still differs:\n{differs}")),
            });
            false
        }
    });
    Ok(match smoked {
        _ if !(running && converged) => Proof::Refuted,
        Smoke::Failed => Proof::Refuted,
        Smoke::Unreachable { error } => {
            events.emit(Kind::Failed {
                error: format!("cannot reach the load balancer from this machine: {error}"),
                hint: Some("run `cargo xtask smoke` on a machine that can".to_owned()),
            });
            Proof::Unreachable
        }
        Smoke::Passed => Proof::Complete { smoked: true },
        Smoke::NotAsked => Proof::Complete { smoked: false },
    })
}

/// What still differs, once what was just written has had its time to be seen.
async fn converged(ground: &Ground<'_>, planned: &Planned) -> Result<Option<String>, observe::Error> {
    let deadline = ground.host.clock.mark().after(SEEN_WITHIN);
    loop {
        let differs = Box::pin(second_plan(ground, planned)).await?;
        if differs.is_none() || deadline.remaining().is_zero() {
            return Ok(differs);
        }
        ground.host.clock.sleep(LOOK_EVERY).await;
    }
}

/// What a second plan would still change, as text; `None` when nothing.
async fn second_plan(ground: &Ground<'_>, planned: &Planned) -> Result<Option<String>, observe::Error> {
    let observed = observe::account(ground.aws, ground.environment).await?;
    let mut again = ground.plan(planned.desired.release.clone(), observed).await?.plan;
    // A push was seen to end well. Where the repository cannot be asked, it would be planned for ever.
    let pushed = |step: &Step| {
        matches!(step.action, Action::PushImage { .. })
            && planned.plan.steps().any(|done| done.action == step.action)
    };
    // Deletions come after the proof.
    again.after.clear();
    for lane in again.stages.iter_mut().flat_map(|stage| &mut stage.lanes) {
        lane.steps.retain(|step| !pushed(step));
    }
    Ok((!again.is_empty()).then(|| deploy::view::plan_text(&again).trim_end().to_owned()))
}
