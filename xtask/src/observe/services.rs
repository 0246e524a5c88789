//! The services, the revisions they run, and their scaling.

use std::collections::BTreeMap;

use deploy::history::BEFORE_ROLL;
use deploy::model::spec::{EarlySuccessSpec, ScheduledActionSpec};
use deploy::model::{
    Environment, RunningTask, ScalingState, Service, ServiceKey, ServiceState, TaskDefinitionState,
};
use deploy::rollout::TaskSnapshot;
use futures_util::future::{try_join_all, try_join3};

use super::endpoints;
use super::error::Error;
use crate::aws::{self, Arns, Aws, FoundService, FoundTarget, Kind, Namespace};

#[derive(Debug, Default)]
pub(super) struct Services {
    pub(super) services: BTreeMap<ServiceKey, ServiceState>,
    pub(super) latest: BTreeMap<ServiceKey, TaskDefinitionState>,
    pub(super) scaling: BTreeMap<ServiceKey, ScalingState>,
    pub(super) warnings: Vec<String>,
}

pub(super) async fn read(
    aws: &Aws,
    environment: &Environment,
) -> Result<(Option<Namespace>, Services), Error> {
    let ((namespace, found), latest, (scaling, unscheduled)) = try_join3(
        found(aws, environment),
        try_join_all(environment.services.iter().map(|service| revision(aws, &service.family))),
        scaling(aws, environment),
    )
    .await?;
    let mut warnings: Vec<String> = unscheduled.into_iter().collect();
    let (mut revisions, mut services) = (BTreeMap::new(), Vec::new());
    for (service, latest) in environment.services.iter().zip(latest) {
        let found = found.iter().find(|found| found.spec.name == service.name);
        services.extend(found.map(|found| running(aws, service, found, latest.0.clone())));
        warnings.extend(latest.1);
        revisions.extend(latest.0.map(|latest| (service.key.clone(), latest)));
    }
    let mut all = Services { services: BTreeMap::new(), latest: revisions, scaling, warnings };
    for (key, state, warning) in try_join_all(services).await? {
        all.warnings.extend(warning);
        all.services.insert(key, state);
    }
    let created = environment.services.iter().filter_map(|service| {
        let found = found.iter().find(|found| found.spec.name == service.name)?;
        Some((service.key.clone(), found.created_ms))
    });
    let unread = endpoints::read(aws, environment, &created.collect(), &mut all.services).await?;
    all.warnings.extend(unread);
    all.warnings.dedup();
    Ok((namespace, all))
}

/// Tasks before a roll, also those that a killed run left after `before-roll` was taken out of deploy.toml.
pub(super) async fn before_roll(
    aws: &Aws,
    cluster: &str,
) -> Result<(Vec<RunningTask>, Option<String>), aws::Error> {
    let running = |task: TaskSnapshot| RunningTask { id: task.id, revision: task.task_definition };
    match aws.started_tasks(cluster, BEFORE_ROLL).await {
        Ok(tasks) => Ok((tasks.into_iter().map(running).collect(), None)),
        // There is no cluster yet.
        Err(error) if matches!(error.kind, Kind::NotFound) => Ok((Vec::new(), None)),
        Err(error) if error.is_unavailable() => {
            let text = format!("cannot tell whether a task before a roll still runs: {error}");
            Ok((Vec::new(), Some(text)))
        }
        Err(error) => Err(error),
    }
}

async fn found(
    aws: &Aws,
    environment: &Environment,
) -> Result<(Option<Namespace>, Vec<FoundService>), aws::Error> {
    let mut namespace = None;
    // Services name it by its ARN.
    let arns = async {
        let mut arns = Arns::default();
        if environment.connects() {
            namespace = aws.find_namespace(&environment.namespace).await?;
        }
        if let Some(namespace) = &namespace {
            arns.namespaces.insert(namespace.name.clone(), namespace.arn.clone());
        }
        Ok(arns)
    };
    let names: Vec<&str> = environment.services.iter().map(|service| service.name.as_str()).collect();
    let mut found = aws.find_services_beside(&environment.cluster, &names, arns).await?;
    // DescribeServices shows a namespace by its ARN. One that is not the file's gets its name, which the file would have.
    for connect in found.iter_mut().filter_map(|found| found.spec.connect.as_mut()) {
        if connect.namespace.starts_with("arn:")
            && let Ok(other) = aws.get_namespace(aws::arn_name(&connect.namespace)).await
        {
            connect.namespace = other.name;
        }
    }
    Ok((namespace, found))
}

/// Adds the revision that the service runs, which mostly is the family's latest.
async fn running(
    aws: &Aws,
    service: &Service,
    found: &FoundService,
    latest: Option<TaskDefinitionState>,
) -> Result<(ServiceKey, ServiceState, Option<String>), aws::Error> {
    // A call less for each service: the revision that runs mostly is the latest of its family.
    let (task_definition, warning) = match latest.filter(|latest| latest.arn == found.task_definition) {
        Some(latest) => (Some(latest), None),
        None => revision(aws, &found.task_definition).await?,
    };
    // A revision that DeleteTaskDefinitions has removed: an empty definition differs from any that is wanted.
    let deleted =
        || TaskDefinitionState { arn: found.task_definition.clone(), ..TaskDefinitionState::default() };
    let task_definition = task_definition.unwrap_or_else(deleted);
    let mut spec = found.spec.clone();
    // Some endpoints take these settings and do not show them. Where a release of this tool wrote them, assume that they
    // are as desired; otherwise every plan would write them again.
    if task_definition.tags.contains_key("release") {
        let wanted = &service.deployment;
        if found.hides_threshold {
            spec.circuit_breaker_threshold = deploy::plan::breaker_threshold(service);
        }
        if found.hides_early_success {
            spec.early_success = wanted.early_success.map(|early| EarlySuccessSpec {
                healthy_percent: early.healthy_percent,
                cleanup: early.cleanup.wire().to_owned(),
            });
        }
    }
    let snapshot = &found.snapshot;
    let primary = snapshot.deployments.first().filter(|deployment| deployment.status == "PRIMARY");
    let state = ServiceState {
        arn: found.arn.clone(),
        status: snapshot.status.clone(),
        spec,
        task_definition,
        primary: primary.map(|primary| primary.id.clone()),
        rollout: primary.and_then(|primary| primary.rollout_state.clone()),
        service_deployment: snapshot.service_deployment.clone(),
        desired: snapshot.desired,
        running: snapshot.running,
        foreign_way: found.foreign_way.clone(),
        deployments: u32::try_from(snapshot.deployments.len()).unwrap_or(u32::MAX),
        deployed_at_ms: primary.map(|primary| primary.created_ms),
        endpoints_since_ms: None,
    };
    Ok((service.key.clone(), state, warning))
}

/// A revision by ARN, or the latest of a family; `None` when there is none.
async fn revision(
    aws: &Aws,
    name: &str,
) -> Result<(Option<TaskDefinitionState>, Option<String>), aws::Error> {
    match aws.describe_task_definition(name).await {
        Ok(state) => Ok((Some(state), None)),
        Err(error) if matches!(error.kind, Kind::NotFound) => Ok((None, None)),
        // Where the call with `include: [TAGS]` is refused, the definition may still be readable without.
        Err(error) if error.is_unavailable() => {
            let warning = format!("cannot read the tags that name releases: {error}");
            match aws.describe_untagged_task_definition(name).await {
                Ok(state) => Ok((Some(state), Some(warning))),
                Err(error) if matches!(error.kind, Kind::NotFound) => Ok((None, None)),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

async fn scaling(
    aws: &Aws,
    environment: &Environment,
) -> Result<(BTreeMap<ServiceKey, ScalingState>, Option<String>), aws::Error> {
    // Where no service is to scale the account may lack the API, its endpoint and the right to call it.
    if environment.services.iter().all(|service| service.scaling.is_none()) {
        return Ok((BTreeMap::new(), None));
    }
    let resource = |service: &Service| format!("service/{}/{}", environment.cluster, service.name);
    let resources: Vec<String> = environment.services.iter().map(resource).collect();
    let (targets, policies, (schedules, warning)) = try_join3(
        aws.describe_scalable_targets(&resources),
        aws.describe_scaling_policies(&resources),
        schedules(aws, &resources),
    )
    .await?;
    let mut found = BTreeMap::new();
    for (service, resource) in environment.services.iter().zip(&resources) {
        let target = targets.iter().find(|target| target.spec.resource_id == *resource).cloned();
        let policies: Vec<_> = policies.iter().filter(|it| it.resource_id == *resource).cloned().collect();
        let schedules = schedules.iter().filter(|it| it.resource_id == *resource).cloned().collect();
        if target.is_some() || !policies.is_empty() {
            let of = |it: FoundTarget| (it.arn, Some(it.spec), it.suspended);
            let (arn, target, suspended) = target.map_or((None, None, Vec::new()), of);
            found.insert(service.key.clone(), ScalingState { arn, target, policies, schedules, suspended });
        }
    }
    Ok((found, warning))
}

/// Scheduled actions, which some endpoints do not know.
pub(super) async fn schedules(
    aws: &Aws,
    resources: &[String],
) -> Result<(Vec<ScheduledActionSpec>, Option<String>), aws::Error> {
    match aws.describe_scheduled_actions(resources).await {
        Ok(schedules) => Ok((schedules, None)),
        Err(error) if error.is_unavailable() => {
            let text = format!(
                "scheduled actions cannot be read, and those that are not in deploy.toml stay: {error}"
            );
            Ok((Vec::new(), Some(text)))
        }
        Err(error) => Err(error),
    }
}
