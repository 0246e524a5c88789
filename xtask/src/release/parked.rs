//! Services that somebody scaled to 0: no release starts them, and none is undone for them.

use deploy::event::Kind;
use deploy::model::{Environment, Service, ServiceKey};
use deploy::verify::Reading;

use super::ReleaseContext;
use crate::aws::Error;
use crate::report::Recorder;
use crate::verify::{Door, readings};

/// Those that are scaled to 0, each with an event.
pub(super) async fn parked(context: &ReleaseContext<'_>, door: &Door) -> Result<Vec<ServiceKey>, Error> {
    let readings = readings(context.aws, context.environment, door).await?;
    let parked = parked_of(context.environment, &readings);
    report_parked(context.events, context.environment, &parked);
    Ok(parked)
}

/// The same of what was read already, without events.
pub fn parked_of(environment: &Environment, readings: &[Reading]) -> Vec<ServiceKey> {
    let services = environment.services.iter().zip(readings);
    let parked = services.filter(|(service, reading)| service.desired_count > 0 && reading.is_parked());
    parked.map(|(service, _)| service.key.clone()).collect()
}

pub fn report_parked(events: &Recorder, environment: &Environment, parked: &[ServiceKey]) {
    for Service { key, desired_count, .. } in
        environment.services.iter().filter(|it| parked.contains(&it.key))
    {
        events.defer(Kind::Failed {
            error: format!("{key}: scaled to 0 tasks by hand, and no release starts it again"),
            hint: Some(format!("`cargo xtask scale {key} {desired_count}`, then run this again")),
        });
    }
}

/// The environment without the checks of these services: nobody answers them.
pub fn unparked(environment: &Environment, parked: &[ServiceKey]) -> Environment {
    let mut asked = environment.clone();
    for service in asked.services.iter_mut().filter(|service| parked.contains(&service.key)) {
        service.smoke.clear();
    }
    asked
}
