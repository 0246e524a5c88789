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
