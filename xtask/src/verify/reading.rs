//! Reads all services with their tasks and targets, together.

use deploy::model::{Desired, Environment, Service};
use deploy::rollout::ServiceSnapshot;
use deploy::verify::Reading;
use futures_util::future::{join3, try_join_all};

use super::Door;
use crate::aws::{Aws, Error, ServiceTasks};

/// A reading of each service, in the order of the environment.
///
/// # Errors
/// [`Error`] when any of it cannot be read: half a reading proves nothing.
pub async fn readings(aws: &Aws, environment: &Environment, door: &Door) -> Result<Vec<Reading>, Error> {
    read(aws, environment, door, true).await
}

async fn read(
    aws: &Aws,
    environment: &Environment,
    door: &Door,
    stopped: bool,
) -> Result<Vec<Reading>, Error> {
    let names: Vec<&str> = environment.services.iter().map(|service| service.name.as_str()).collect();
    let targets = door.target_groups.iter().map(async |target_group| match target_group {
        Some(arn) => aws.describe_target_health(arn).await.map(Some),
        None => Ok(None),
    });
    let (services, tasks, targets) = join3(
        aws.describe_services(&environment.cluster, &names),
        aws.tasks_of(&environment.cluster, &names, stopped),
        try_join_all(targets),
    )
    .await;
    let (services, tasks, targets) = (services?, tasks?, targets?);
    let reading = |((service, tasks), targets): ((&Service, ServiceTasks), _)| {
        let ServiceTasks { running: tasks, stopped } = tasks;
        let found = services.iter().find(|found| found.name == service.name).cloned();
        let missing = || ServiceSnapshot {
            name: service.name.clone(),
            status: "MISSING".to_owned(),
            ..ServiceSnapshot::default()
        };
        // A worker has no target: its container's health check is all that says whether it works.
        let by_checks = !service.load_balancer && service.container.health_check.is_some();
        Reading { service: found.unwrap_or_else(missing), tasks, stopped, targets, by_checks }
    };
    Ok(environment.services.iter().zip(tasks).zip(targets).map(reading).collect())
}

/// As [`readings`], with the health checks of the revisions that a rollback runs again. Where no crash counts, tasks that have
/// `stopped` need not be read.
pub async fn readings_of(
    aws: &Aws,
    desired: &Desired,
    door: &Door,
    stopped: bool,
) -> Result<Vec<Reading>, Error> {
    let mut readings = read(aws, &desired.environment, door, stopped).await?;
    for (service, reading) in desired.environment.services.iter().zip(&mut readings) {
        // A revision that is run again has the checks that it was registered with, not the file's.
        reading.by_checks &= !desired.release.pins.contains_key(&service.key);
    }
    Ok(readings)
}
