//! Proves a release: complete services, running digests, healthy targets, smoke checks, and an empty second plan.

use std::pin::pin;
use std::time::Duration;

use deploy::event::{Kind, Phase};
use deploy::model::ServiceKey;
use deploy::plan::{Action, Step};
use deploy::verify::{Reading, Smoke};
use futures_util::future::{Either, join, select};

use super::parked::{self, parked_of, report_parked, unparked};

use super::{Planned, ReleaseContext, Revisions, proven};
use crate::observe;
use crate::settle::Settled;
use crate::verify::{self, Door, Running, Wanted};

/// Reads lag behind writes: a difference counts only after this time.
pub(super) const SEEN_WITHIN: Duration = Duration::from_secs(30);
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(3);

/// What a proof came to.
pub(super) enum Proof {
    /// All of it is as wanted. The smoke checks may not have been sent, where the file says so.
    Complete {
        smoked: bool,
        /// Whether somebody else's deployment or tasks were in progress meanwhile.
        disturbed: bool,
        /// The last reading, which proves it.
        read: Vec<Reading>,
    },
    /// Somebody scaled services to 0: those run nothing. `rest` says whether the others are as in [`Complete`](Self::Complete).
    Parked { services: Vec<ServiceKey>, rest: bool },
    /// Somebody deployed a service that this release leaves as it is.
    Superseded,
    /// Tasks, targets and settings are as wanted; the load balancer cannot be reached from this machine.
    Unreachable,
    /// A deployment that somebody else began, or tasks that start, did not come to an end.
    InProgress,
    /// At least one thing is not as wanted.
    Refuted,
}

/// Emits an event for each thing that is not proven.
///
/// # Errors
/// [`observe::Error`] when the account cannot be read: then nothing is proven.
pub(super) async fn prove(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    (settled, revisions): (&[Settled], &Revisions),
    door: &Door,
) -> Result<Proof, observe::Error> {
    let ReleaseContext { host, aws, events, environment, .. } = *context;
    let about = environment.balancer().map_or("digests", |_| "digests, targets, smoke checks");
    events.emit(Kind::PhaseBegan { phase: Phase::Verify, about: about.to_owned() });
    // Where nothing was done, the plan has just read which services are at 0.
    let deploys = planned.desired.release.pins.is_empty();
    let idle = deploys && planned.plan.is_empty() && settled.is_empty();
    let read = if idle { None } else { Some(verify::readings_of(aws, &planned.desired, door, true).await?) };
    let parked = match &read {
        Some(read) => parked_of(environment, read),
        None => planned.plan.parked.clone(),
    };
    report_parked(events, environment, &parked);
    // Nobody answers for a service without tasks: its checks would refute a release that did not start it on purpose.
    let asked = unparked(environment, &parked);
    let outside = async {
        match &door.front {
            Some(front) if front.unasked.is_some() => Smoke::NotAsked,
            Some(front) => {
                verify::smoke(&host.http, &host.clock, events, &asked, front, !planned.plan.is_empty()).await
            }
            // Workers answer nobody: their tasks are the whole proof.
            None if environment.balancer().is_none() => Smoke::Passed,
            None => Smoke::Failed,
        }
    };
    let smoke = async {
        let (outside, inside) = join(outside, verify::inside(host, aws, events, &asked)).await;
        outside.and(inside)
    };
    let wanted = Wanted { desired: &planned.desired, door, settled, revisions, parked: &parked, bakes: &[] };
    let running = |read| verify::running(aws, events, wanted, read);
    let (runs, smoked) = match read {
        // Side by side: a service that starts slowly answers the smoke checks and passes its health checks at about the same time.
        Some(read) => match select(pin!(running(Some(read))), pin!(smoke)).await {
            // A crash is refuted whatever the checks say, and they may be asked for two minutes.
            Either::Left((runs, smoke)) => match runs {
                Ok(Running::Complete { .. }) => (runs, smoke.await),
                _ => (runs, Smoke::NotAsked),
            },
            Either::Right((smoked, runs)) => (runs.await, smoked),
        },
        None => (Ok(Running::Complete { disturbed: false, read: Vec::new() }), smoke.await),
    };
    // What somebody else deployed is not as planned, however often it is read.
    let theirs = matches!(runs, Ok(Running::Superseded(_)));
    // The first reading and the smoke checks ran side by side: a task may have stopped since. The second one is the proof, read
    // together with the second plan.
    let complete = matches!(runs, Ok(Running::Complete { .. }));
    let read_again = async { if complete { Some(running(None).await) } else { None } };
    let second = async {
        // A run that changed nothing has just read that the account is as planned.
        let changed = !planned.plan.is_empty() && !theirs;
        if changed { Box::pin(second_plan(context, planned)).await } else { Ok(None) }
    };
    let (mut last, mut differs) = join(read_again, second).await;
    if matches!(differs, Ok(Some(_))) {
        differs = converged(context, planned).await;
        if let Some(Ok(Running::Complete { .. })) = last {
            last = Some(running(None).await);
        }
    }
    let converged = match differs {
        Ok(None) => true,
        Ok(Some(differs)) => {
            events.emit(Kind::Failed {
                error: "the account is not as planned after the deploy".to_owned(),
                hint: Some(format!("what still differs:\n{differs}")),
            });
            false
        }
        // What a release needs was there when it began: a new load balancer takes minutes to come up, or to fail.
        Err(error @ observe::Error::Landing(_)) => {
            context.emit_failure(&error, error.hint());
            return Ok(Proof::Refuted);
        }
        Err(error) => return Err(error),
    };
    let mut disturbed = false;
    if let Ok(Running::Complete { disturbed: before, .. }) = runs {
        disturbed = before;
    }
    let mut runs = last.unwrap_or(runs);
    if !planned.rolls()
        && settled.is_empty()
        && let Ok(Running::Complete { read, .. }) = &runs
    {
        // Nothing rolled, so nothing was observed: what crashed since its proof is proven anew, or not at all.
        let crashed = proven::crashed(context, planned, read);
        if !crashed.is_empty() {
            let bakes: Vec<ServiceKey> = crashed.iter().map(|(service, _)| service.key.clone()).collect();
            for (service, text) in crashed {
                let secs = service.deployment.bake_secs;
                let text =
                    format!("{text}; that was after its proof, so its tasks have to stay up for {secs} s");
                events.emit(Kind::Warned { text });
            }
            let read = read.clone();
            runs = verify::running(aws, events, Wanted { bakes: &bakes, ..wanted }, Some(read)).await;
        }
    }
    Ok(match (runs?, smoked) {
        (Running::InProgress, _) => Proof::InProgress,
        // Whatever else failed is no reason to undo the other services.
        (Running::Parked, _) => Proof::Parked {
            services: parked::parked(context, door).await?,
            // The reading ended at the service that is at 0: the others were not read to their end.
            rest: false,
        },
        // One that this release does not roll: nothing of the release is at fault, and there is nothing of it to undo.
        (Running::Superseded(key), _) if !context.roll_back || settled.iter().all(|it| it.key != key) => {
            Proof::Superseded
        }
        // Whose deployment runs is found once more before the others are undone.
        (Running::Refuted | Running::Superseded(_), _) => Proof::Refuted,
        _ if !converged => Proof::Refuted,
        (_, Smoke::Failed) => Proof::Refuted,
        (_, Smoke::Unreachable { error }) => {
            events.emit(Kind::Failed {
                error: format!("cannot reach the load balancer from this machine: {error}"),
                hint: Some("run `cargo xtask smoke` on a machine that can".to_owned()),
            });
            Proof::Unreachable
        }
        _ if !parked.is_empty() => Proof::Parked { services: parked, rest: true },
        (Running::Complete { disturbed: again, read }, smoke) => {
            Proof::Complete { smoked: smoke == Smoke::Passed, disturbed: disturbed || again, read }
        }
    })
}

/// What still differs after reads had time to show the last writes.
async fn converged(
    context: &ReleaseContext<'_>,
    planned: &Planned,
) -> Result<Option<String>, observe::Error> {
    let deadline = context.host.clock.mark().after(SEEN_WITHIN);
    loop {
        let differs = Box::pin(second_plan(context, planned)).await?;
        if differs.is_none() || deadline.remaining().is_zero() {
            return Ok(differs);
        }
        context.host.clock.sleep(LOOK_EVERY).await;
    }
}

/// What a second plan would still change, as text; `None` when nothing.
async fn second_plan(
    context: &ReleaseContext<'_>,
    planned: &Planned,
) -> Result<Option<String>, observe::Error> {
    let observed = observe::account(context.aws, context.environment).await?;
    let mut again = context.plan(planned.desired.release.clone(), observed).await?.plan;
    // The push succeeded. Where the repository cannot be read, the second plan would contain it for ever.
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
