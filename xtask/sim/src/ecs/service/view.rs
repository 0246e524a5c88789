//! A service as DescribeServices shows it.

use serde_json::{Value, json};

use super::model::{Service, ServiceStatus};
use crate::ecs::capacity::Share;
use crate::ecs::connect;
use crate::ecs::connect::configuration::ConnectConfiguration;
use crate::ecs::deployment::model::Deployment;
use crate::ecs::deployment::view::counts;
use crate::ecs::key::ServiceKey;
use crate::ecs::reference::cluster_arn;
use crate::ecs::region::Region;
use crate::ecs::task::model::{Task, TaskStatus};

/// The service; null when there is none.
pub(super) fn view(region: &Region<'_>, key: &ServiceKey, with_tags: bool) -> Value {
    let Some(service) = region.ecs.services.get(key) else { return Value::Null };
    let tasks: Vec<&Task> = region.ecs.tasks.live_of(key).collect();
    let (running, pending, _) = tally(&tasks);
    let spec = &service.primary.spec;
    let knobs = &service.knobs;
    // A service that uses capacity providers shows no launch type.
    let (strategy, launch_type) = capacity(service);
    let grace = knobs.health_check_grace_period.or((!spec.load_balancers.is_empty()).then_some(0));
    let mut view = json!({
        "serviceArn": service.arn,
        "serviceName": key.service,
        "clusterArn": cluster_arn(region.base, &key.cluster),
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": running,
        "pendingCount": pending,
        "taskDefinition": spec.task_definition,
        "loadBalancers": spec.load_balancers,
        "serviceRegistries": spec.service_registries,
        "platformVersion": spec.platform_version,
        "platformFamily": "Linux",
        "networkConfiguration": { "awsvpcConfiguration": spec.network },
        "deploymentConfiguration": knobs.deployment,
        "deploymentController": { "type": "ECS" },
        "deployments": [],
        "events": service.events.view(),
        "createdAt": service.created_at.epoch_secs(),
        "createdBy": service.created_by,
        "roleArn": format!(
            "arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
            region.base.settings.account
        ),
        "schedulingStrategy": "REPLICA",
        "placementConstraints": [],
        "placementStrategy": [],
        "enableECSManagedTags": knobs.managed_tags,
        "propagateTags": knobs.propagate_tags,
        "enableExecuteCommand": knobs.execute_command,
        "availabilityZoneRebalancing": if knobs.az_rebalancing { "ENABLED" } else { "DISABLED" },
        "healthCheckGracePeriodSeconds": grace,
        "launchType": launch_type,
        "capacityProviderStrategy": strategy,
        "tags": with_tags.then(|| region.base.tags.of(&service.arn)),
    });
    if service.status != ServiceStatus::Inactive {
        let primary = std::iter::once(deployment_view(region, service, &service.primary, true, &tasks));
        let older = service.older.iter().map(|older| deployment_view(region, service, older, false, &tasks));
        view["deployments"] = primary.chain(older).collect();
        view["currentServiceDeployment"] = json!(service.current_service_deployment);
        view["currentServiceRevisions"] = revisions(region, service);
    }
    view
}

/// The capacity provider strategy, or the launch type where there is none.
fn capacity(service: &Service) -> (Option<&[Share]>, Option<&str>) {
    match service.knobs.capacity_provider_strategy.as_slice() {
        [] => (None, service.knobs.launch_type.as_deref()),
        strategy => (Some(strategy), None),
    }
}

/// Running, pending and wanted tasks.
fn tally(tasks: &[&Task]) -> (u32, u32, u32) {
    let (mut running, mut pending, mut wanted) = (0, 0, 0);
    for task in tasks {
        wanted += u32::from(task.desired_running);
        match task.status {
            TaskStatus::Running => running += 1,
            status if status < TaskStatus::Running && task.desired_running => pending += 1,
            _ => {}
        }
    }
    (running, pending, wanted)
}

fn revisions(region: &Region<'_>, service: &Service) -> Value {
    let mut seen: Vec<&str> = Vec::new();
    let mut views = Vec::new();
    for (index, deployment) in service.deployments().enumerate() {
        // A rollback has the revision of an older deployment: it is counted once.
        if !seen.contains(&deployment.revision.as_str()) {
            seen.push(&deployment.revision);
            let requested = (index == 0).then_some(service.desired);
            views.push(counts(region, service, &deployment.revision, requested));
        }
    }
    Value::Array(views)
}

fn deployment_view(
    region: &Region<'_>,
    service: &Service,
    deployment: &Deployment,
    primary: bool,
    tasks: &[&Task],
) -> Value {
    let own: Vec<&Task> = tasks.iter().filter(|task| task.deployment == deployment.id).copied().collect();
    let (running, pending, wanted) = tally(&own);
    let spec = &deployment.spec;
    let desired = if primary && deployment.launches() { service.desired } else { wanted };
    let (strategy, launch_type) = capacity(service);
    let resources = ConnectConfiguration::enabled(spec.connect.as_ref())
        .map(|_| connect::resources(region, &service.key, &deployment.endpoints));
    let mut view = json!({
        "id": deployment.id,
        "status": if primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": spec.task_definition,
        "desiredCount": desired,
        "pendingCount": pending,
        "runningCount": running,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at.epoch_secs(),
        "updatedAt": deployment.updated_at.epoch_secs(),
        "platformVersion": spec.platform_version,
        "platformFamily": "Linux",
        "networkConfiguration": { "awsvpcConfiguration": spec.network },
        "rolloutState": deployment.rollout,
        "rolloutStateReason": deployment.reason,
        "launchType": launch_type,
        "capacityProviderStrategy": strategy,
        "serviceConnectConfiguration": spec.connect,
        "serviceConnectResources": resources,
    });
    let lists = [("volumeConfigurations", &spec.volumes), ("vpcLatticeConfigurations", &spec.vpc_lattice)];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        view[name] = json!(list);
    }
    view
}
