//! A task as DescribeTasks shows it.

use serde_json::{Value, json};

use super::model::{Agent, Container, ContainerState, HealthStatus, Interface, Task, TaskStatus};
use crate::clock::Millis;
use crate::ecs::reference::cluster_arn;
use crate::ecs::region::Region;

pub(super) fn view(region: &Region<'_>, task: &Task, with_tags: bool) -> Value {
    let (cpu, memory) = task.size;
    let interfaces = interfaces(task);
    let proxy = task.proxy.as_ref().map(|proxy| proxy.container(task, &interfaces));
    let own = task.containers.iter().map(|container| container_view(task, container, &interfaces));
    let containers: Vec<Value> = proxy.into_iter().chain(own).collect();
    let status = attachment_status(task.status);
    let proxy = task.proxy.as_ref().map(|proxy| proxy.attachment(status));
    let attachments: Vec<Value> = proxy.into_iter().chain([attachment(status, &task.interface)]).collect();
    let connected_at = task.pull_started_at.unwrap_or(task.created_at).epoch_secs();
    let address = task.interface.ip.as_ref();
    json!({
        "taskArn": task.arn,
        "clusterArn": cluster_arn(region.base, &task.service.cluster),
        "taskDefinitionArn": task.task_definition,
        "group": task.group,
        "lastStatus": task.status,
        "desiredStatus": if task.desired_running { "RUNNING" } else { "STOPPED" },
        "healthStatus": task.health(),
        "cpu": cpu.to_string(),
        "memory": memory.to_string(),
        "availabilityZone": task.interface.zone,
        "attachments": attachments,
        "attributes": [{ "name": "ecs.cpu-architecture", "value": architecture(region, task) }],
        "containers": containers,
        "createdAt": task.created_at.epoch_secs(),
        "enableExecuteCommand": task.execute_command,
        "ephemeralStorage": { "sizeInGiB": ephemeral(region, task) },
        "inferenceAccelerators": [],
        "overrides": overrides(task),
        "platformFamily": "Linux",
        "platformVersion": "1.4.0",
        "tags": if with_tags { region.base.tags.of(&task.arn) } else { Vec::new() },
        "version": task.status as u32 + 1,
        "startedBy": Some(&task.deployment).filter(|by| !by.is_empty()),
        "launchType": task.launch_type,
        "capacityProviderName": task.capacity_provider,
        "connectivity": address.map(|_| "CONNECTED"),
        "connectivityAt": address.map(|_| connected_at),
        "pullStartedAt": task.pull_started_at.map(Millis::epoch_secs),
        "pullStoppedAt": task.pull_stopped_at.map(Millis::epoch_secs),
        "startedAt": task.started_at.map(Millis::epoch_secs),
        "stoppingAt": task.stopping_at.map(Millis::epoch_secs),
        "executionStoppedAt": task.stopped_at.map(Millis::epoch_secs),
        "stoppedAt": task.stopped_at.map(Millis::epoch_secs),
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
    })
}

fn architecture(region: &Region<'_>, task: &Task) -> &'static str {
    let definition = region.ecs.families.by_arn(&task.task_definition);
    let platform = definition.map(|definition| definition.spec.platform());
    if platform.is_some_and(|(_, architecture)| architecture == "arm64") { "arm64" } else { "x86_64" }
}

fn ephemeral(region: &Region<'_>, task: &Task) -> u32 {
    let definition = region.ecs.families.by_arn(&task.task_definition);
    let storage = definition.and_then(|definition| definition.spec.ephemeral_storage.as_ref());
    storage.map_or(20, |storage| storage.size_in_gib)
}

fn overrides(task: &Task) -> Value {
    let mut overrides = json!(task.overrides);
    if let (Some(proxy), Some(all)) = (&task.proxy, overrides["containerOverrides"].as_array_mut()) {
        all.insert(0, json!({ "name": proxy.name }));
    }
    overrides
}

fn attachment_status(task: TaskStatus) -> &'static str {
    match task {
        TaskStatus::Provisioning => "PRECREATED",
        TaskStatus::Deprovisioning => "DETACHING",
        TaskStatus::Stopped => "DELETED",
        _ => "ATTACHED",
    }
}

fn attachment(status: &str, interface: &Interface) -> Value {
    let mut details = vec![
        json!({ "name": "subnetId", "value": interface.subnet }),
        json!({ "name": "networkInterfaceId", "value": interface.id }),
        json!({ "name": "macAddress", "value": interface.mac }),
    ];
    if let Some(ip) = &interface.ip {
        details.push(
            json!({ "name": "privateDnsName", "value": format!("ip-{}.internal", ip.replace('.', "-")) }),
        );
        details.push(json!({ "name": "privateIPv4Address", "value": ip }));
    }
    json!({ "id": interface.attachment, "type": "ElasticNetworkInterface", "status": status, "details": details })
}

/// All containers have the task's one interface.
fn interfaces(task: &Task) -> Vec<Value> {
    let address =
        |ip: &String| json!({ "attachmentId": task.interface.attachment, "privateIpv4Address": ip });
    task.interface.ip.iter().map(address).collect()
}

fn container_view(task: &Task, container: &Container, interfaces: &[Value]) -> Value {
    let status = match container.state {
        ContainerState::Pending | ContainerState::Starting => "PENDING",
        ContainerState::Running => "RUNNING",
        ContainerState::Stopped => "STOPPED",
    };
    let agent = || {
        let (status, since) = match container.agent {
            _ if container.state == ContainerState::Stopped => ("STOPPED", None),
            Agent::Pending => ("PENDING", None),
            Agent::Running { since } => ("RUNNING", Some(since.epoch_secs())),
            Agent::Stopped => ("STOPPED", None),
        };
        json!([{ "name": "ExecuteCommandAgent", "lastStatus": status, "lastStartedAt": since }])
    };
    json!({
        "containerArn": container.arn,
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "lastStatus": status,
        "networkBindings": [],
        "networkInterfaces": interfaces,
        // UNKNOWN also where there is no check, for as long as the task lives (ECS API, Container).
        "healthStatus": container.health.as_ref().map_or(HealthStatus::Unknown, |health| health.status),
        "cpu": "0",
        "runtimeId": container.started_at.map(|_| &container.runtime_id),
        "imageDigest": container.image_digest,
        "managedAgents": task.execute_command.then(agent),
        "exitCode": container.exit_code,
        "reason": container.reason,
    })
}
