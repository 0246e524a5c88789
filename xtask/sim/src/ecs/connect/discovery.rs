//! What ECS keeps in Cloud Map: the services of Service Connect, and a running task as an instance of each service that it
//! answers for.

use std::collections::BTreeMap;

use super::endpoint::existing;
use crate::account::{Account, Millis};
use crate::ecs::service::Service;
use crate::ecs::task::{HealthStatus, Task, TaskStatus};
use crate::ecs::task_definition::revision_of;
use crate::workload::TaskId;

/// A Cloud Map service that stands for an endpoint.
#[derive(Debug)]
pub(crate) struct ConnectedService {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) created: Millis,
}

/// A task as Cloud Map shows it.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) task: TaskId,
    pub(crate) healthy: bool,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// The Cloud Map services of all endpoints.
pub(crate) fn connect_services(account: &Account) -> Vec<ConnectedService> {
    let endpoints = existing(account, None).into_iter();
    endpoints
        .map(|endpoint| {
            let id = endpoint.cloud_map_id();
            ConnectedService {
                arn: account.arn("servicediscovery", &format!("service/{id}")),
                id,
                created: account.ecs.services.get(&endpoint.service).map_or(Millis(0), |own| own.created_at),
                name: endpoint.discovery_name,
                namespace: endpoint.namespace,
            }
        })
        .collect()
}

/// The tasks that run as instances of the Cloud Map service with this ARN.
pub(crate) fn instances_of(account: &Account, arn: &str) -> Vec<Instance> {
    let connected = existing(account, None).into_iter().find_map(|endpoint| {
        let own = account.arn("servicediscovery", &format!("service/{}", endpoint.cloud_map_id()));
        (own == arn).then_some((endpoint.service, endpoint.port_name))
    });
    let mut found = Vec::new();
    for service in account.ecs.services.values().filter(|service| service.is_alive()) {
        let port_name =
            connected.as_ref().filter(|(own, _)| *own == service.key).map(|(_, name)| name.as_str());
        let registered = service.primary.spec.service_registries.iter().any(|own| own["registryArn"] == *arn);
        if port_name.is_some() || registered {
            let tasks = account.ecs.tasks.live_of(&service.key);
            found.extend(
                tasks
                    .filter(|task| is_registered(task))
                    .map(|task| instance(account, service, task, port_name)),
            );
        }
    }
    found
}

fn is_registered(task: &Task) -> bool {
    task.status == TaskStatus::Running && task.desired_running
}

/// The attributes that ECS gives (developer guide, "Service discovery concepts").
fn instance(account: &Account, service: &Service, task: &Task, port_name: Option<&str>) -> Instance {
    let healthy = task.health() != HealthStatus::Unhealthy;
    let definition = account.ecs.families.by_arn(&task.task_definition);
    let port = port_name.and_then(|name| definition?.spec.named_port(name));
    let family = revision_of(&task.task_definition).rsplit_once(':').map_or("", |(family, _)| family);
    let facts = [
        ("AVAILABILITY_ZONE", Some(task.zone().to_owned())),
        ("AWS_INIT_HEALTH_STATUS", Some(if healthy { "HEALTHY" } else { "UNHEALTHY" }.to_owned())),
        ("AWS_INSTANCE_IPV4", task.interface.ip.clone()),
        ("AWS_INSTANCE_PORT", port.map(|port| port.to_string())),
        ("ECS_CLUSTER_NAME", Some(service.key.cluster.clone())),
        ("ECS_SERVICE_NAME", Some(service.key.service.clone())),
        ("ECS_TASK_DEFINITION_FAMILY", Some(family.to_owned())),
        ("REGION", Some(account.settings.region.clone())),
    ];
    let attributes = facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Instance { task: task.id.clone(), healthy, attributes: attributes.collect() }
}
