//! What a proof came to, as an exit code and one sentence.

use deploy::event::ExitCode;

use super::prove::{Proof, prove};
use super::run::{Proven, restarts, scales};
use super::{Planned, Public, ReleaseContext, revisions};
use crate::apply::ResourceIds;
use crate::settle::Settled;
use crate::verify::Door;

pub(super) async fn proof(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    settled: &[Settled],
    door: &Door,
    (public, proven): (&Public, &Proven),
) -> (ExitCode, String) {
    let proved = public
        .while_proving(
            context,
            planned,
            door,
            prove(context, planned, (settled, &revisions(context, ids)), door),
        )
        .await;
    let outages = public.outages(context, settled);
    public.report(context.events);
    let (exit, summary) = match proved {
        Ok(Proof::Complete { disturbed, .. }) if !outages.is_empty() => {
            outages.into_iter().for_each(|outage| context.events.defer(outage));
            match disturbed {
                true => (
                    ExitCode::Unknown,
                    "deployed, not proven: requests failed while a deployment or tasks of somebody else were in progress",
                ),
                false => (ExitCode::NotRecovered, "deployed, but not available while it baked"),
            }
        }
        Ok(Proof::Complete { smoked, read, .. }) => {
            proven.get_or_init(|| read);
            (ExitCode::Done, complete(planned, smoked))
        }
        Ok(Proof::Parked { services, rest }) => {
            let names = services.iter().map(|key| key.0.as_str()).collect::<Vec<_>>().join(" and ");
            let what = if rest { "the rest is proven" } else { "the rest is not proven" };
            // Scaled up again before it was named, it is one of what was not seen to its end.
            let summary = match names.is_empty() {
                true => "deployed, not proven: a service was scaled to 0 by hand for a while".to_owned(),
                false => format!("deployed, but scaled to 0 by hand: {names}; {what}"),
            };
            return (ExitCode::Unknown, summary);
        }
        Ok(Proof::Superseded) => {
            (ExitCode::Superseded, "deployed, not proven: somebody else deployed meanwhile")
        }
        Ok(Proof::Unreachable) => (
            ExitCode::Unknown,
            "deployed; the tasks run what was pushed and their targets are healthy, but the smoke checks could not be \
             asked from this machine",
        ),
        Ok(Proof::InProgress) if scales(planned) => {
            (ExitCode::NotRecovered, "deployed, but the tasks did not come up")
        }
        Ok(Proof::InProgress) => (
            ExitCode::StillMoving,
            "deployed, not proven: a service was not complete when the wait ended; the error names what it lacks",
        ),
        Ok(Proof::Refuted) => (ExitCode::NotRecovered, "deployed, but not proven"),
        Err(error) => {
            context.emit_failure(&error, error.hint());
            (ExitCode::Unknown, "deployed, and what runs could not be read")
        }
    };
    (exit, summary.to_owned())
}

fn complete(planned: &Planned, smoked: bool) -> &'static str {
    match planned.plan.is_empty() {
        _ if !smoked => "in place and proven; no smoke checks were asked from here",
        // Its deployment was begun by a run that was killed, or by somebody since it was asked for.
        true if restarts(planned) => "restarted and proven",
        true if planned.rolls() => "settled and proven",
        true => "nothing to change; proven",
        false if restarts(planned) => "restarted and proven",
        false if scales(planned) => "scaled and proven",
        false if !planned.desired.release.pins.is_empty() => "rolled back and proven",
        false => "deployed and proven",
    }
}
