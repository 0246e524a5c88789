//! Who answers when a task calls a Service Connect name: the question that the proxy asks.

use super::endpoint::Endpoint;
use crate::account::Account;
use crate::ecs::task::{HealthStatus, Task, TaskStatus};
use crate::workload::TaskId;

/// A task that answers at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTarget {
    /// The task.
    pub task: TaskId,
    /// The container port that the endpoint's port name stands for in that task's definition.
    pub port: u16,
}

/// What a name means to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectLookup {
    /// The name and port are no endpoint that this client's deployment knows.
    Unknown,
    /// The endpoint's tasks that take calls now, oldest first; empty when there is none.
    Targets(Vec<ConnectTarget>),
}

/// Resolves `host` and `port` as the proxy beside `client` does. Tasks that are being stopped get no new
/// calls; a task with a container health check gets its first call once it is HEALTHY.
#[must_use]
pub fn connect_targets(account: &Account, client: &TaskId, host: &str, port: u16) -> ConnectLookup {
    let Some(endpoint) = endpoint(account, client, host, port) else { return ConnectLookup::Unknown };
    let tasks = account.ecs.tasks_of(&endpoint.service).into_iter();
    let answering = tasks.filter(|task| takes_calls(task)).filter_map(|task| {
        let definition = account.ecs.families.by_arn(&task.task_definition)?;
        let port = definition.spec.named_port(&endpoint.port_name)?;
        Some(ConnectTarget { task: task.id.clone(), port })
    });
    ConnectLookup::Targets(answering.collect())
}

fn endpoint<'a>(account: &'a Account, client: &TaskId, host: &str, port: u16) -> Option<&'a Endpoint> {
    let task = account.ecs.tasks.get(client)?;
    let service = account.ecs.services.get(&task.service)?;
    let deployment = service.deployment(&task.deployment)?;
    let host = host.to_ascii_lowercase();
    deployment.endpoints.iter().find(|endpoint| endpoint.dns_name == host && endpoint.port == port)
}

fn takes_calls(task: &Task) -> bool {
    let well = !task.has_health_check() || task.health() == HealthStatus::Healthy;
    task.status == TaskStatus::Running && task.desired_running && well
}
