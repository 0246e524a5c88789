//! Reads all services with their tasks and targets, together.

use deploy::model::{Desired, Environment, Service};
use deploy::rollout::ServiceSnapshot;
use deploy::verify::Reading;
use futures_util::future::{join, try_join_all, try_join3};

use super::Door;
use crate::aws::{Aws, Error, Kind};

/// A reading of each service, in the order of the environment.
///
/// # Errors
/// [`Error`] when any of it cannot be read: half a reading proves nothing.
pub async fn readings(aws: &Aws, environment: &Environment, door: &Door) -> Result<Vec<Reading>, Error> {
    let names: Vec<&str> = environment.services.iter().map(|service| service.name.as_str()).collect();
    let details = environment.services.iter().zip(&door.target_groups).map(|(service, target_group)| {
        let tasks =
            async |stopped| match aws.service_tasks(&environment.cluster, &service.name, stopped).await {
                // DescribeServices says of a missing service that it is missing; ListTasks fails for it.
                Err(error) if error.kind == Kind::NotFound => Ok(Vec::new()),
                read => read,
            };
        let targets = async {
            match target_group {
                Some(arn) => aws.describe_target_health(arn).await.map(Some),
                None => Ok(None),
            }
        };
        try_join3(tasks(false), tasks(true), targets)
    });
    let (services, details) =
        join(aws.describe_services(&environment.cluster, &names), try_join_all(details)).await;
    let (services, details) = (services?, details?);
    let reading = |(service, (tasks, stopped, targets)): (&Service, (_, _, _))| {
        let found = services.iter().find(|found| found.name == service.name).cloned();
        let missing = || ServiceSnapshot {
            name: service.name.clone(),
            status: "MISSING".to_owned(),
            ..ServiceSnapshot::default()
        };
        let by_checks = !service.load_balancer && service.container.health_check.is_some();
        Reading { service: found.unwrap_or_else(missing), tasks, stopped, targets, by_checks }
    };
    Ok(environment.services.iter().zip(details).map(reading).collect())
}

/// As [`readings`], with the health checks of the revisions that a rollback runs again.
pub async fn readings_of(aws: &Aws, desired: &Desired, door: &Door) -> Result<Vec<Reading>, Error> {
    let mut readings = readings(aws, &desired.environment, door).await?;
    for (service, reading) in desired.environment.services.iter().zip(&mut readings) {
        // A revision that is run again has the checks that it was registered with, not the file's.
        reading.by_checks &= !desired.release.pins.contains_key(&service.key);
    }
    Ok(readings)
}
