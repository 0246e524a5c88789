//! What ECS keeps in Cloud Map: the services of Service Connect, and a running task as an instance of each service that it
//! answers for.

use std::collections::BTreeMap;

use super::endpoints::existing;
use crate::clock::Millis;
use crate::cloudmap::{Connected, Instance, Registered};
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::ecs::service::model::Service;
use crate::ecs::task::model::{HealthStatus, Task, TaskStatus};
use crate::ecs::task_definition::families::revision_of;

/// All that ECS keeps in Cloud Map now.
pub(crate) fn registered(region: &Region<'_>) -> Registered {
    let mut registered = Registered::default();
    let mut connected: BTreeMap<String, (ServiceKey, String)> = BTreeMap::new();
    for endpoint in existing(region, None) {
        let id = endpoint.cloud_map_id();
        let arn = region.base.arn("servicediscovery", &format!("service/{id}"));
        let created = region.ecs.services.get(&endpoint.service).map_or(Millis(0), |own| own.created_at);
        let (name, namespace) = (endpoint.discovery_name, endpoint.namespace);
        registered.services.push(Connected { id, arn: arn.clone(), name, namespace, created });
        connected.entry(arn).or_insert((endpoint.service, endpoint.port_name));
    }
    for service in region.ecs.services.values().filter(|service| service.is_alive()) {
        let named =
            service.primary.spec.service_registries.iter().filter_map(|own| own["registryArn"].as_str());
        let mut arns: BTreeMap<&str, Option<&str>> = named.map(|arn| (arn, None)).collect();
        let own = connected.iter().filter(|(_, (key, _))| *key == service.key);
        arns.extend(own.map(|(arn, (_, port_name))| (arn.as_str(), Some(port_name.as_str()))));
        for (arn, port_name) in arns {
            let tasks = region.ecs.tasks.live_of(&service.key).filter(|task| is_registered(task));
            let instances = tasks.map(|task| instance(region, service, task, port_name));
            registered.instances.entry(arn.to_owned()).or_default().extend(instances);
        }
    }
    registered
}

fn is_registered(task: &Task) -> bool {
    task.status == TaskStatus::Running && task.desired_running
}

/// The attributes that ECS gives (developer guide, "Service discovery concepts").
fn instance(region: &Region<'_>, service: &Service, task: &Task, port_name: Option<&str>) -> Instance {
    let healthy = task.health() != HealthStatus::Unhealthy;
    let definition = region.ecs.families.by_arn(&task.task_definition);
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
        ("REGION", Some(region.base.settings.region.clone())),
    ];
    let attributes = facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Instance { task: task.id.clone(), healthy, attributes: attributes.collect() }
}
