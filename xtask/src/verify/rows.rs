//! The closing table's rows: what runs now, service by service.

use deploy::event::ServiceRow;
use deploy::model::{Environment, Kind, Service, arn_name};
use deploy::rollout::{ServiceSnapshot, TargetSnapshot, TaskSnapshot};
use deploy::verify::Reading;
use futures_util::future::{join_all, join3};

use super::Front;
use crate::aws::{Aws, Error};

/// Where a service is reached from outside.
#[derive(Clone, Debug)]
pub struct Door {
    /// The service's target group's ARN, by the service's name in the order of the environment.
    pub target_groups: Vec<Option<String>>,
    /// The load balancer's front door, once it has a name.
    pub front: Option<Front>,
}

/// Reads all services of the environment, their tasks and their targets, and makes a row of each.
///
/// # Errors
/// [`Error`] when the services cannot be read. Tasks and targets that cannot be read leave a `?`.
pub async fn rows(aws: &Aws, environment: &Environment, door: &Door) -> Result<Vec<ServiceRow>, Error> {
    let names: Vec<&str> = environment.services.iter().map(|service| service.name.as_str()).collect();
    let targets = door.target_groups.iter().map(async |target_group| match target_group {
        Some(arn) => aws.describe_target_health(arn).await.ok(),
        None => Some(Vec::new()),
    });
    let (services, tasks, targets) = join3(
        aws.describe_services(&environment.cluster, &names),
        aws.tasks_of(&environment.cluster, &names, false),
        join_all(targets),
    )
    .await;
    let mut tasks = tasks.unwrap_or_default().into_iter().map(|of| of.running);
    let services = services?;
    let row = |(service, targets): (&Service, Option<Vec<_>>)| {
        let found = services.iter().find(|found| found.name == service.name);
        row(environment, door, service, found, tasks.next().as_deref(), targets.as_deref())
    };
    Ok(environment.services.iter().zip(targets).map(row).collect())
}

/// The rows of what was read already.
pub fn rows_of(environment: &Environment, door: &Door, readings: &[Reading]) -> Vec<ServiceRow> {
    let row = |(service, reading): (&Service, &Reading)| {
        let Reading { service: found, tasks, targets, .. } = reading;
        row(environment, door, service, Some(found), Some(tasks), targets.as_deref())
    };
    environment.services.iter().zip(readings).map(row).collect()
}

fn row(
    environment: &Environment,
    door: &Door,
    service: &Service,
    found: Option<&ServiceSnapshot>,
    tasks: Option<&[TaskSnapshot]>,
    targets: Option<&[TargetSnapshot]>,
) -> ServiceRow {
    let base = door.front.as_ref().map(|front| front.url.as_str());
    // DescribeServices reports an unknown name as a failure with the reason MISSING, and as no error.
    let Some(found) = found.filter(|found| found.status != "MISSING") else {
        return ServiceRow {
            key: service.key.clone(),
            service: service.name.clone(),
            status: "MISSING".to_owned(),
            rollout: "-".to_owned(),
            revision: "-".to_owned(),
            targets: "-".to_owned(),
            console: console(environment, service),
            ..ServiceRow::default()
        };
    };
    let primary = found.primary();
    let running = tasks.unwrap_or_default().iter().filter(|task| task.is_running());
    let mut digests: Vec<_> = running
        .flat_map(|task| &task.containers)
        .filter(|container| container.name == service.container.name)
        .filter_map(|container| container.digest.clone())
        .collect();
    digests.sort();
    digests.dedup();
    let revision = primary.map(|entry| arn_name(&entry.task_definition).to_owned());
    ServiceRow {
        key: service.key.clone(),
        service: found.name.clone(),
        status: found.status.clone(),
        running: found.running,
        desired: found.desired,
        deployments: u32::try_from(found.deployments.len()).unwrap_or(u32::MAX),
        rollout: primary.and_then(|entry| entry.rollout_state.clone()).unwrap_or_else(|| "-".to_owned()),
        revision: revision.unwrap_or_else(|| "-".to_owned()),
        // During a roll two revisions run: no single digest would be true.
        digest: if digests.len() == 1 { digests.pop() } else { None },
        targets: match service.group() {
            Some(_) => targets.map_or_else(|| "?".to_owned(), healthy),
            None => "-".to_owned(),
        },
        console: console(environment, service),
        url: base
            .zip(public_path(service))
            .map(|(base, path)| format!("{}{path}", base.trim_end_matches('/'))),
    }
}

/// The service's page. Partitions other than `aws` have consoles of their own, which are not linked.
fn console(environment: &Environment, service: &Service) -> Option<String> {
    let Environment { region, cluster, .. } = environment;
    let standard = !["cn-", "us-gov-", "us-iso"].iter().any(|other| region.starts_with(other));
    (environment.kind == Kind::Aws && standard).then(|| {
        format!(
            "https://{region}.console.aws.amazon.com/ecs/v2/clusters/{cluster}/services/{}/health?region={region}",
            service.name
        )
    })
}

fn healthy(targets: &[TargetSnapshot]) -> String {
    // A draining target belongs to a task that leaves: it is not one that is missing.
    let current: Vec<_> = targets.iter().filter(|target| !target.state.contains("draining")).collect();
    let healthy = current.iter().filter(|target| target.is_healthy()).count();
    format!("{healthy}/{} healthy", current.len())
}

/// The widest route of a service: the pattern itself, and for the one that matches everything a link.
pub fn public_path(service: &Service) -> Option<&str> {
    let route = service.routes.iter().max_by_key(|route| route.priority)?;
    let path = route.paths().next().map_or("/*", String::as_str);
    Some(if path == "/*" { "/" } else { path })
}
