//! What one poll shows, in the rollout's own types.

use aws_sdk_ecs::types::{
    Container, Deployment, Service, ServiceDeployment, ServiceDeploymentBrief, ServiceEvent, Task,
};
use deploy::model::{CONNECT_PROXY, ImageDigest};
use deploy::rollout::{
    ContainerSnapshot, DeploymentSnapshot, ServiceDeploymentSnapshot, ServiceEvent as Event, ServiceSnapshot,
    TaskSnapshot,
};

use crate::aws::names::{arn_name, count, millis};

pub(super) fn service(found: &Service) -> ServiceSnapshot {
    let mut deployments: Vec<_> = found.deployments().iter().map(deployment).collect();
    // The API promises no order, and whoever takes the first one means PRIMARY.
    deployments.sort_by_key(|deployment| deployment.status != "PRIMARY");
    ServiceSnapshot {
        name: text(found.service_name()),
        status: text(found.status()),
        desired: count(found.desired_count()),
        running: count(found.running_count()),
        pending: count(found.pending_count()),
        deployments,
        events: found.events().iter().map(event).collect(),
        service_deployment: found.current_service_deployment().map(str::to_owned),
    }
}

fn deployment(found: &Deployment) -> DeploymentSnapshot {
    DeploymentSnapshot {
        id: text(found.id()),
        status: text(found.status()),
        rollout_state: found.rollout_state().map(|state| state.as_str().to_owned()),
        rollout_reason: found.rollout_state_reason().map(str::to_owned),
        task_definition: text(found.task_definition()),
        desired: count(found.desired_count()),
        running: count(found.running_count()),
        pending: count(found.pending_count()),
        failed: count(found.failed_tasks()),
        created_ms: millis(found.created_at()),
        updated_ms: millis(found.updated_at()),
    }
}

fn event(found: &ServiceEvent) -> Event {
    Event { id: text(found.id()), at_ms: millis(found.created_at()), message: text(found.message()) }
}

pub(super) fn service_deployment(found: &ServiceDeployment) -> ServiceDeploymentSnapshot {
    let breaker = found.deployment_circuit_breaker();
    ServiceDeploymentSnapshot {
        arn: text(found.service_deployment_arn()),
        status: found.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: found.status_reason().map(str::to_owned),
        target_revision: found
            .target_service_revision()
            .and_then(|revision| revision.arn())
            .map(str::to_owned),
        breaker: breaker.map(|breaker| (count(breaker.failure_count()), count(breaker.threshold()))),
        breaker_status: breaker.and_then(|breaker| breaker.status()).map(|status| status.as_str().to_owned()),
        alarms: found.alarms().map(|alarms| alarms.triggered_alarm_names().to_vec()).unwrap_or_default(),
        rollback_reason: found.rollback().and_then(|rollback| rollback.reason()).map(str::to_owned),
        created_ms: millis(found.created_at()),
        finished_ms: found.finished_at().map(|at| millis(Some(at))),
    }
}

/// A list's entry, which has neither circuit breaker nor rollback.
pub(super) fn service_deployment_brief(found: &ServiceDeploymentBrief) -> ServiceDeploymentSnapshot {
    ServiceDeploymentSnapshot {
        arn: text(found.service_deployment_arn()),
        status: found.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: found.status_reason().map(str::to_owned),
        target_revision: found.target_service_revision_arn().map(str::to_owned),
        breaker: None,
        breaker_status: None,
        alarms: Vec::new(),
        rollback_reason: None,
        created_ms: millis(found.created_at()),
        finished_ms: found.finished_at().map(|at| millis(Some(at))),
    }
}

pub(super) fn task(found: &Task) -> TaskSnapshot {
    let mut containers: Vec<_> = found.containers().iter().map(container).collect();
    // ECS lists its proxy first. What failed is looked for in the service's own containers before.
    containers.sort_by_key(|it| it.name.starts_with(CONNECT_PROXY));
    TaskSnapshot {
        id: arn_name(found.task_arn().unwrap_or_default()).to_owned(),
        task_definition: text(found.task_definition_arn()),
        started_by: text(found.started_by()),
        last_status: text(found.last_status()),
        desired_status: text(found.desired_status()),
        health: found.health_status().map(|health| health.as_str().to_owned()).unwrap_or_default(),
        private_ip: private_ip(found),
        zone: found.availability_zone().map(str::to_owned),
        execute_command: found.enable_execute_command(),
        stop_code: found.stop_code().map(|code| code.as_str().to_owned()),
        stopped_reason: found.stopped_reason().map(str::to_owned),
        created_ms: millis(found.created_at()),
        started_ms: found.started_at().map(|at| millis(Some(at))),
        stopping_ms: found.stopping_at().map(|at| millis(Some(at))),
        stopped_ms: found.stopped_at().map(|at| millis(Some(at))),
        containers,
    }
}

/// Containers show it only once they run, the network interface as soon as there is one.
fn private_ip(task: &Task) -> Option<String> {
    let detail = |name: &str| {
        let interfaces =
            task.attachments().iter().filter(|it| it.r#type() == Some("ElasticNetworkInterface"));
        let mut details = interfaces.flat_map(|it| it.details());
        details.find(|pair| pair.name() == Some(name)).and_then(|pair| pair.value()).map(str::to_owned)
    };
    let interfaces = task.containers().iter().flat_map(|container| container.network_interfaces());
    let mut addresses = interfaces.filter_map(|interface| interface.private_ipv4_address());
    addresses.next().map(str::to_owned).or_else(|| detail("privateIPv4Address"))
}

fn container(found: &Container) -> ContainerSnapshot {
    ContainerSnapshot {
        name: text(found.name()),
        image: text(found.image()),
        digest: found.image_digest().map(|digest| ImageDigest(digest.to_owned())),
        last_status: text(found.last_status()),
        health: found.health_status().map(|health| health.as_str().to_owned()).unwrap_or_default(),
        exit_code: found.exit_code(),
        reason: found.reason().map(str::to_owned),
    }
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}
