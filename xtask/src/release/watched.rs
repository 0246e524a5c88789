//! The plan carried out with an eye on its users and on the clock: the public paths are asked meanwhile, and the time it
//! took is compared with the one that was predicted.

use std::time::Duration;

use deploy::event::Kind;
use deploy::view::place;

use super::carry::{Carried, Stuck};
use super::lease::Held;
use super::{Ground, Planned, carry_out};
use crate::apply::Known;
use crate::settle::Settled;
use crate::verify::{Watched, while_asking};

/// Carries out, and reports how long it took where that was predicted.
///
/// # Errors
/// As [`carry_out`].
pub(super) async fn carry_out_watched(
    ground: &Ground<'_>,
    planned: &Planned,
    known: &Known,
    held: &Held,
) -> Result<Carried, Stuck> {
    let mark = ground.events.clock().mark();
    let carried = asked(ground, planned, known, held).await;
    let predicted = ground.events.events().into_iter().find_map(|event| match event.kind {
        Kind::Forecast(forecast) => Some(forecast.total_ms),
        _ => None,
    });
    if let (Some(predicted_ms), Ok(Carried { settled, cut: false })) = (predicted, &carried) {
        // What failed or was stopped took another way than the predicted one.
        if settled.iter().all(Settled::is_success) && !ground.halt.asked() {
            ground.events.emit(Kind::ForecastMet { predicted_ms, took_ms: mark.elapsed_ms() });
        }
    }
    carried
}

/// Carries out, and asks meanwhile what was up before: a service that this release makes has nothing to lose. What the
/// requests tell decides nothing.
async fn asked(ground: &Ground<'_>, planned: &Planned, known: &Known, held: &Held) -> Result<Carried, Stuck> {
    let Ground { host, events, environment, .. } = *ground;
    let work = Box::pin(carry_out(ground, planned, known, held));
    let rolls = planned.plan.stages.iter().any(|stage| !stage.settle.is_empty());
    let checks: Vec<_> = environment
        .services
        .iter()
        .filter(|service| {
            let before = planned.observed.services.get(&service.key);
            before.is_some_and(|state| state.status == "ACTIVE" && state.running > 0)
        })
        .flat_map(|service| service.smoke.iter().map(|check| (&service.key, check)))
        .collect();
    let front = ground.door(known).front.filter(|front| front.unasked.is_none());
    let (Some(per_second), Some(front), true) =
        (environment.availability.rate(), front, rolls && !checks.is_empty())
    else {
        return work.await;
    };
    let every = Duration::from_secs_f64(1.0 / per_second.clamp(0.1, 10.0));
    let watched = Watched { http: &host.http, events, front: &front, checks, every };
    let (carried, mut availability) = while_asking(&watched, work).await;
    place(&mut availability, &events.events());
    events.emit(Kind::Availability(availability));
    carried
}
