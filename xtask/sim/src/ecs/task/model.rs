//! A task and its containers.

use serde::Serialize;
use serde_json::Value;

use super::overrides::Overrides;
use super::proxy::Proxy;
use crate::clock::Millis;
use crate::ecs::key::ServiceKey;
use crate::workload::TaskId;

/// `lastStatus`, in the order of a task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::ecs) enum TaskStatus {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::ecs) enum HealthStatus {
    Unknown,
    Healthy,
    Unhealthy,
}

/// A container of a task.
#[derive(Clone, Debug)]
pub(in crate::ecs) struct Container {
    pub(in crate::ecs) name: String,
    pub(super) arn: String,
    pub(super) runtime_id: String,
    pub(super) image: String,
    pub(super) image_digest: Option<String>,
    pub(super) essential: bool,
    pub(super) state: ContainerState,
    /// When it started: `startPeriod` counts from here.
    pub(super) started_at: Option<Millis>,
    /// It was sent its stop signal.
    pub(super) signalled: bool,
    pub(super) exit_code: Option<i32>,
    pub(super) reason: Option<String>,
    pub(super) agent: Agent,
    /// `None`: the definition has no health check.
    pub(super) health: Option<ContainerHealth>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ecs) enum ContainerState {
    /// Its image is pulled, or a container that it depends on is waited for.
    Pending,
    /// The workload was asked to start it.
    Starting,
    Running,
    Stopped,
}

/// ECS Exec's agent in a container of a task that takes commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ecs) enum Agent {
    Pending,
    Running { since: Millis },
    Stopped,
}

/// The state of a container's own health check.
#[derive(Clone, Debug)]
pub(in crate::ecs) struct ContainerHealth {
    pub(super) status: HealthStatus,
    /// Failures in a row that count: those within `startPeriod` do not.
    pub(super) failures: u32,
}

/// A target that a task is registered as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ecs) struct TaskTarget {
    pub(in crate::ecs) target_group: String,
    pub(in crate::ecs) port: u16,
}

/// The task's elastic network interface.
#[derive(Clone, Debug)]
pub(in crate::ecs) struct Interface {
    pub(super) attachment: String,
    pub(super) id: String,
    pub(super) mac: String,
    pub(super) subnet: String,
    pub(super) zone: String,
    /// `None` until the task is PENDING.
    pub(in crate::ecs) ip: Option<String>,
}

#[derive(Clone, Debug)]
pub(in crate::ecs) struct Task {
    pub(in crate::ecs) id: TaskId,
    pub(in crate::ecs) arn: String,
    /// The order in which tasks were launched.
    pub(in crate::ecs) sequence: u64,
    /// The service; without a name for a task of RunTask.
    pub(in crate::ecs) service: ServiceKey,
    pub(super) group: String,
    /// `startedBy`: the deployment's id, or what RunTask was given.
    pub(in crate::ecs) deployment: String,
    /// The service revision's ARN; empty for a task of RunTask.
    pub(in crate::ecs) revision: String,
    pub(in crate::ecs) task_definition: String,
    pub(super) overrides: Overrides,
    /// CPU units (1024 are a vCPU) and MiB.
    pub(in crate::ecs) size: (u32, u32),
    /// The attempt of the deployment that launched it.
    pub(in crate::ecs) attempt: u32,
    pub(in crate::ecs) status: TaskStatus,
    pub(in crate::ecs) desired_running: bool,
    pub(in crate::ecs) interface: Interface,
    pub(in crate::ecs) containers: Vec<Container>,
    /// Service Connect's, where the service takes part.
    pub(super) proxy: Option<Proxy>,
    /// The targets that are registered while it runs.
    pub(in crate::ecs) targets: Vec<TaskTarget>,
    pub(super) launch_type: Option<String>,
    pub(in crate::ecs) capacity_provider: Option<String>,
    pub(super) execute_command: bool,
    pub(super) created_at: Millis,
    pub(super) pull_started_at: Option<Millis>,
    pub(super) pull_stopped_at: Option<Millis>,
    pub(in crate::ecs) started_at: Option<Millis>,
    pub(super) stopping_at: Option<Millis>,
    pub(in crate::ecs) stopped_at: Option<Millis>,
    pub(super) stop_code: Option<&'static str>,
    pub(super) stopped_reason: Option<String>,
    /// Until when neither scaling nor a deployment stops it.
    pub(in crate::ecs) protected_until: Option<Millis>,
    /// It counted as healthy at least once.
    pub(in crate::ecs) was_healthy: bool,
    /// It was found unhealthy, and its deployment counted that.
    pub(in crate::ecs) was_unhealthy: bool,
}

impl Container {
    /// Whether it runs or is being started.
    pub(super) fn is_alive(&self) -> bool {
        matches!(self.state, ContainerState::Starting | ContainerState::Running)
    }
}

impl Task {
    pub(in crate::ecs) fn zone(&self) -> &str {
        &self.interface.zone
    }

    pub(in crate::ecs) fn has_health_check(&self) -> bool {
        self.containers.iter().any(|container| container.essential && container.health.is_some())
    }

    /// The worst of the essential containers that have a health check; UNKNOWN when none has.
    pub(in crate::ecs) fn health(&self) -> HealthStatus {
        let essential = self.containers.iter().filter(|container| container.essential);
        let checks: Vec<HealthStatus> =
            essential.filter_map(|c| c.health.as_ref()).map(|h| h.status).collect();
        if checks.contains(&HealthStatus::Unhealthy) {
            HealthStatus::Unhealthy
        } else if checks.is_empty() || checks.contains(&HealthStatus::Unknown) {
            HealthStatus::Unknown
        } else {
            HealthStatus::Healthy
        }
    }

    pub(super) fn container_mut(&mut self, name: &str) -> Option<&mut Container> {
        self.containers.iter_mut().find(|container| container.name == name)
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.containers.iter().any(Container::is_alive)
    }
}

/// A RunTask with a `clientToken`: AWS remembers it for a day.
#[derive(Debug)]
pub(in crate::ecs) struct Ran {
    pub(super) at: Millis,
    pub(super) params: Value,
    pub(super) tasks: Vec<TaskId>,
}
