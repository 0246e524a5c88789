//! Tasks of a deployment, as they move.

use serde::Serialize;

/// A task whose state has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TaskMove {
    pub task: String,
    pub last_status: String,
    /// `healthStatus`, once its container health check says something.
    pub health: Option<String>,
    /// How old it was, in milliseconds, about: by AWS's times where there are any, else since it was first seen;
    /// `None` when that is now.
    pub age_ms: Option<u64>,
    /// `stoppedReason`, once it has stopped.
    pub reason: Option<String>,
}
