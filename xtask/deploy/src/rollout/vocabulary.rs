//! The words that the fold knows. A word that is not here is *unknown*, whatever else it may mean.

/// `rolloutState` of a deployment (ECS API, DeploymentRolloutState).
pub const ROLLOUT_STATES: [&str; 3] = ["COMPLETED", "FAILED", "IN_PROGRESS"];

/// `status` of a service deployment (ECS API, ServiceDeploymentStatus). There is no FAILED among them.
pub const SERVICE_DEPLOYMENT_STATUSES: [&str; 9] = [
    "PENDING",
    "SUCCESSFUL",
    "STOPPED",
    "STOP_REQUESTED",
    "IN_PROGRESS",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
];

/// `deploymentCircuitBreaker.status` while it has not tripped (ECS API, ServiceDeploymentRollbackMonitorsStatus).
pub const CALM_BREAKER_STATUSES: [&str; 3] = ["DISABLED", "MONITORING", "MONITORING_COMPLETE"];

/// `deploymentCircuitBreaker.status` of one that tripped.
pub const TRIPPED_BREAKER_STATUS: &str = "TRIGGERED";

/// `stopCode` of a task (ECS API, TaskStopCode). The table of causes recognises a task that failed to start and one that
/// exited by it; the others are no fault of the release.
pub const STOP_CODES: [&str; 7] = [
    "TaskFailedToStart",
    "EssentialContainerExited",
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "SpotInterruption",
    "TerminationNotice",
    "InfrastructureHealth",
];

/// `healthStatus` of a task (ECS API, HealthStatus).
pub const HEALTH_STATUSES: [&str; 3] = ["HEALTHY", "UNHEALTHY", "UNKNOWN"];

/// `State` of a target (Elastic Load Balancing API, TargetHealth). Of these only `healthy` is.
pub const TARGET_STATES: [&str; 7] =
    ["initial", "healthy", "unhealthy", "unhealthy.draining", "unused", "draining", "unavailable"];
