//! Proves a release: running digests, target health, smoke checks, and an empty second plan.

use deploy::event::{Kind, Phase};
use futures_util::future::join;

use super::{Ground, Planned};
use crate::observe;
use crate::verify::{self, Door};

/// Returns whether everything is proven; what is not is told as an event.
///
/// # Errors
/// [`observe::Error`] when the account cannot be read: then nothing is proven.
pub(super) async fn prove(
    ground: &Ground<'_>,
    planned: &Planned,
    door: &Door,
) -> Result<bool, observe::Error> {
    let Ground { host, aws, events, environment, .. } = *ground;
    events
        .emit(Kind::PhaseBegan { phase: Phase::Verify, about: "digests, targets, smoke checks".to_owned() });
    let smoke = async {
        match &door.base {
            Some(base) => verify::smoke(&host.http, &host.clock, events, environment, base).await,
            None => false,
        }
    };
    let (running, smoked) = join(verify::running(aws, events, &planned.desired, door), smoke).await;
    let running = running?;
    // A run that changed nothing has just read an account that is as planned.
    let again = if planned.plan.is_empty() { None } else { Some(second_plan(ground, planned).await?) };
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
    Ok(running && smoked && converged)
}

/// What a second plan would still change, as text; `None` when nothing.
async fn second_plan(ground: &Ground<'_>, planned: &Planned) -> Result<Option<String>, observe::Error> {
    let observed = observe::account(ground.aws, ground.environment).await?;
    let again = ground.plan(planned.desired.release.clone(), observed).await?.plan;
    Ok((!again.is_empty()).then(|| deploy::view::plan_text(&again).trim_end().to_owned()))
}
