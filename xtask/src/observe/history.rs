//! Former releases: revisions with their tags, and how their deployments ended.

use std::time::{Duration, UNIX_EPOCH};

use deploy::history::{CRASHED, Facts, Roll};
use deploy::model::{Environment, Service, TaskDefinitionState};
use deploy::rollout::ServiceDeploymentSnapshot;
use deploy::verify::crashed_since_proof;
use futures_util::future::{try_join_all, try_join4};

use super::account::guard;
use super::error::Error;
use crate::aws::{self, Aws, Kind, ServiceTasks};

/// What was read, and what an endpoint lacks: a sentence each.
#[derive(Debug, Default)]
pub struct Read {
    pub facts: Facts,
    /// Reads that were refused and without which the history shows less.
    pub warnings: Vec<String>,
}

/// Reads the newest `most` active revisions of each service, and how their deployments ended.
///
/// # Errors
/// [`Error::Account`] when the caller is of another account than the file names; [`Error::Aws`] when a call fails.
pub async fn history(aws: &Aws, environment: &Environment, most: usize) -> Result<Read, Error> {
    guard(aws, environment).await?;
    let services = &environment.services;
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let (found, revisions, rolls, tasks) = try_join4(
        aws.describe_services(&environment.cluster, &names),
        try_join_all(services.iter().map(|service| revisions(aws, &service.family, true, most))),
        try_join_all(services.iter().map(|service| rolls(aws, environment, service))),
        async { Ok(aws.tasks_of(&environment.cluster, &names, true).await) },
    )
    .await?;
    let mut read = Read::default();
    let mut tasks = tasks.unwrap_or_else(|error| {
        read.warnings
            .push(format!("cannot read whether tasks crashed since their release was proven: {error}"));
        Vec::new()
    });
    tasks.resize_with(services.len(), ServiceTasks::default);
    for (((service, found), mut revisions), tasks) in services.iter().zip(found).zip(revisions).zip(tasks) {
        let desired = found.desired;
        let primary = found.deployments.into_iter().find(|deployment| deployment.status == "PRIMARY");
        let live = revisions
            .iter_mut()
            .find(|it| primary.as_ref().is_some_and(|primary| primary.task_definition == it.arn));
        // Only the next release writes the tag: `history` writes nothing, and must not call live well what crashes now.
        if let Some(live) = live.filter(|live| crashed_since_proof(live, &tasks.stopped, desired, |_| true)) {
            let now = UNIX_EPOCH + Duration::from_millis(aws.now_ms());
            live.tags.insert(CRASHED.to_owned(), humantime::format_rfc3339_seconds(now).to_string());
        }
        read.facts.live.extend(primary.map(|primary| (service.key.clone(), primary.task_definition)));
        read.facts.revisions.insert(service.key.clone(), revisions);
    }
    for (rolls, warning) in rolls {
        read.facts.rolls.extend(rolls);
        read.warnings.extend(warning);
    }
    read.warnings.dedup();
    Ok(read)
}

/// Revisions of a release that were deregistered, among the newest `most` of each service: nothing can be
/// started from them any more.
pub async fn inactive(
    aws: &Aws,
    environment: &Environment,
    release: &str,
    most: usize,
) -> Result<Vec<TaskDefinitionState>, Error> {
    let read = environment.services.iter().map(|service| revisions(aws, &service.family, false, most));
    let found = try_join_all(read).await?.into_iter().flatten();
    Ok(found.filter(|revision| revision.tags.get("release").is_some_and(|of| of == release)).collect())
}

async fn revisions(
    aws: &Aws,
    family: &str,
    active: bool,
    most: usize,
) -> Result<Vec<TaskDefinitionState>, aws::Error> {
    let arns = aws.list_task_definitions(family, active, most).await?;
    try_join_all(arns.iter().map(|arn| aws.describe_task_definition(arn))).await
}

type Rolls = (Vec<Roll>, Option<String>);

/// How the deployments of a service ended, as far as ECS keeps them (90 days); none for a service that does not exist.
async fn rolls(aws: &Aws, environment: &Environment, service: &Service) -> Result<Rolls, aws::Error> {
    let listed = match aws.list_service_deployments(&environment.cluster, &service.name, &[]).await {
        Ok(listed) => listed,
        Err(error) if matches!(error.kind, Kind::NotFound) => return Ok(Rolls::default()),
        Err(error) if error.is_unavailable() => {
            return Ok((Vec::new(), Some(format!("cannot read how deployments ended: {error}"))));
        }
        Err(error) => return Err(error),
    };
    // A service deployment names a service revision, and only that names the task definition.
    let targets: Vec<String> = listed.iter().filter_map(|listed| listed.target_revision.clone()).collect();
    let revisions = aws.describe_service_revisions(&targets).await?;
    let roll = |listed: ServiceDeploymentSnapshot| {
        let target = listed.target_revision?;
        let revision = revisions.iter().find(|revision| revision.arn == target)?;
        let revision = revision.task_definition.clone();
        let ServiceDeploymentSnapshot { status, reason, created_ms, finished_ms, .. } = listed;
        Some(Roll { revision, status, reason, created_ms, finished_ms })
    };
    Ok((listed.into_iter().filter_map(roll).collect(), None))
}
