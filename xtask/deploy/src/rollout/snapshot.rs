//! What one poll of a rolling service shows, as ECS and the load balancer report it.
//!
//! Statuses stay text here: a value that this tool does not know must reach the fold as it is, where it
//! means *unknown* and never success.

use serde::Serialize;

use crate::model::{ImageDigest, short_id};

/// One service in one DescribeServices answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ServiceSnapshot {
    pub name: String,
    /// `ACTIVE`, `DRAINING`, `INACTIVE`; `MISSING` when the answer lists it as a failure.
    pub status: String,
    pub desired: u32,
    pub running: u32,
    pub pending: u32,
    /// `deployments`, PRIMARY first.
    pub deployments: Vec<DeploymentSnapshot>,
    /// `events`, newest first.
    pub events: Vec<ServiceEvent>,
    /// `currentServiceDeployment`: the ARN of the service deployment in progress or last finished.
    pub service_deployment: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct DeploymentSnapshot {
    /// `ecs-svc/<digits>`.
    pub id: String,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`; `None` when ECS sets none.
    pub rollout_state: Option<String>,
    pub rollout_reason: Option<String>,
    pub task_definition: String,
    pub desired: u32,
    pub running: u32,
    pub pending: u32,
    pub failed: u32,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it last changed, in milliseconds since the Unix epoch.
    pub updated_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ServiceEvent {
    pub id: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    pub message: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ServiceDeploymentSnapshot {
    pub arn: String,
    /// `SUCCESSFUL`, `STOPPED`, `ROLLBACK_SUCCESSFUL`, …
    pub status: String,
    pub reason: Option<String>,
    /// The target service revision's ARN.
    pub target_revision: Option<String>,
    /// `deploymentCircuitBreaker.failureCount` of `threshold`.
    pub breaker: Option<(u32, u32)>,
    /// `deploymentCircuitBreaker.status`: `TRIGGERED`, `MONITORING`, …; `None` when the endpoint gives none.
    pub breaker_status: Option<String>,
    pub alarms: Vec<String>,
    pub rollback_reason: Option<String>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_ms: Option<u64>,
}

/// One task in one DescribeTasks answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct TaskSnapshot {
    /// The last part of its ARN.
    pub id: String,
    pub task_definition: String,
    /// The deployment that started it, `ecs-svc/<digits>`.
    pub started_by: String,
    pub last_status: String,
    pub desired_status: String,
    pub health: String,
    pub private_ip: Option<String>,
    pub zone: Option<String>,
    /// `enableExecuteCommand`, as it was when the task was started.
    pub execute_command: bool,
    pub stop_code: Option<String>,
    pub stopped_reason: Option<String>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When its containers ran, in milliseconds since the Unix epoch.
    pub started_ms: Option<u64>,
    /// When it was over, in milliseconds since the Unix epoch.
    pub stopped_ms: Option<u64>,
    /// `stoppingAt`: when it began to stop, before its target drained.
    pub stopping_ms: Option<u64>,
    pub containers: Vec<ContainerSnapshot>,
}

impl ServiceSnapshot {
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }

    /// The newest deployment; older ones are `ACTIVE` while they still have tasks.
    pub fn primary(&self) -> Option<&DeploymentSnapshot> {
        self.deployments.iter().find(|deployment| deployment.status == "PRIMARY")
    }
}

impl TargetSnapshot {
    pub fn is_healthy(&self) -> bool {
        self.state == "healthy"
    }
}

impl TaskSnapshot {
    /// By `lastStatus`, which lags: ECS may have decided already that it stops.
    pub fn is_running(&self) -> bool {
        self.last_status == "RUNNING"
    }

    pub fn is_stopped(&self) -> bool {
        self.last_status == "STOPPED"
    }

    /// Whether it ended by itself: an essential container exited before ECS asked it to.
    pub fn exited(&self) -> bool {
        self.stop_code.as_deref() == Some("EssentialContainerExited")
    }

    /// The beginning of its id, for sentences.
    pub fn short_id(&self) -> &str {
        short_id(&self.id)
    }

    /// The container whose end most likely ended the task. ECS gives exit codes and no order of them: the other containers got
    /// SIGTERM (143, or 0 where it is heeded) and after `stopTimeout` SIGKILL (137 without a reason).
    pub fn ended_first(&self) -> Option<&ContainerSnapshot> {
        let ended = self.containers.iter().filter(|container| container.exit_code.is_some());
        ended.min_by_key(|container| match (container.exit_code, &container.reason) {
            (Some(143), None) => 3,
            (Some(0), _) | (Some(137), None) => 2,
            // Given up, because a container that it waits for failed.
            (Some(143), Some(_)) => 1,
            _ => 0,
        })
    }
}

/// Whether a container was given up before its start: what it waits for can never come true. The agent reports Docker's code for
/// SIGTERM then (amazon-ecs-agent, `handleTerminalDependencyError`).
pub fn never_started(exit_code: i32, reason: &str) -> bool {
    exit_code == 143 && reason.starts_with("CannotStartContainerError")
}

/// One container of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ContainerSnapshot {
    pub name: String,
    /// The image as the task definition names it.
    pub image: String,
    /// `imageDigest`: what really runs, whatever a tag means by now.
    pub digest: Option<ImageDigest>,
    pub last_status: String,
    pub health: String,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
}

/// One target in one DescribeTargetHealth answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct TargetSnapshot {
    pub ip: String,
    pub port: u16,
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining`, `unavailable`, …
    pub state: String,
    pub reason: Option<String>,
    /// Such as `Health checks failed with these codes: [404]`.
    pub description: Option<String>,
    /// `HealthCheckPort`: the target group may name another port than the target's.
    pub check_port: Option<u16>,
}

/// The lines that a task printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TaskLog {
    pub task: String,
    pub container: String,
    /// The last lines, oldest first, without secrets.
    pub lines: Vec<String>,
    /// When the last line came, in milliseconds since the task's containers ran.
    pub last_ms: Option<u64>,
}
