//! From snapshots of *our* deployment to one verdict.
//!
//! The fold is pure: it sees what AWS said, in order, and nothing else. That a service "looks stable" is
//! never evidence; only our own deployment id and service deployment are.

mod cause;
mod diagnosis;
mod fold;
mod sightings;
mod snapshot;
mod task_move;
mod verdict;
mod vocabulary;
mod waiting;

pub use cause::{Cause, Evidence, changed_check, excerpt, explain, first_error, overdue};
pub use diagnosis::{ContainerEnd, Diagnosis, FailedCheck, StoppedTasks, diagnose};
pub use fold::{Progress, Rollout};
pub use sightings::{Pace, Sightings};
pub use snapshot::{
    ContainerSnapshot, DeploymentSnapshot, ServiceDeploymentSnapshot, ServiceEvent, ServiceSnapshot,
    TargetSnapshot, TaskLog, TaskSnapshot, never_started,
};
pub use task_move::TaskMove;
pub use verdict::{Outcome, Verdict};
pub use vocabulary::{
    CALM_BREAKER_STATUSES, HEALTH_STATUSES, ROLLOUT_STATES, SERVICE_DEPLOYMENT_STATUSES, STOP_CODES,
    TARGET_STATES, TRIPPED_BREAKER_STATUS,
};
pub use waiting::{Checks, Lagging, Leave, Leaving, View, Waiting, waiting};
