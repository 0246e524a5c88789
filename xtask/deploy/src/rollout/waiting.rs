//! What a rolling deployment waits for, and how far that is.

mod derive;

use serde::Serialize;

pub use derive::{View, waiting};

/// What a deployment waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "for")]
pub enum Waiting {
    /// Our deployment is not in an answer yet.
    FirstSight,
    Tasks,
    /// Targets must pass their health check.
    Targets {
        healthy: u32,
        wanted: u32,
        lagging: Option<Lagging>,
    },
    /// A worker's tasks must pass their container's health check.
    Checks {
        healthy: u32,
        wanted: u32,
    },
    /// Old tasks are draining and stopping.
    Draining {
        /// Tasks of older deployments that are still there.
        old: u32,
        /// What the first of them is doing; `None` while none has begun to leave.
        leaving: Option<Leaving>,
    },
    /// ECS must declare the deployment complete.
    Completion,
    /// The same of a service that is scaled to 0: it is complete without a task.
    NoTasks,
    /// ECS is putting the previous revision back.
    Rollback,
}

/// A target that is not healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Lagging {
    pub ip: String,
    /// Its state, such as `initial` or `unhealthy`.
    pub state: String,
    /// What the load balancer says of a check that failed.
    pub says: Option<String>,
    /// Its first checks, while it is `initial`.
    pub checks: Option<Checks>,
    /// Seconds until its failing checks count, about; `None` when they do.
    pub grace_secs: Option<u64>,
}

/// The health checks of a new target. DescribeTargetHealth reports no count: it is estimated from the time since the target
/// was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Checks {
    /// How many were made so far, about.
    pub about: u64,
    /// Seconds from one to the next.
    pub apart_secs: u64,
}

/// How far an old task is in stopping, by the time since it was first seen there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Leaving {
    pub step: Leave,
    /// Seconds since it was first seen doing that.
    pub secs: u64,
    /// Seconds that it may take at most.
    pub of_secs: u64,
}

/// The two steps of a task's leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Leave {
    /// Its target finishes its requests: `deregistration_delay.timeout_seconds`.
    Draining,
    /// It got SIGTERM, and gets SIGKILL after `stopTimeout`.
    Stopping,
}

impl Waiting {
    /// Whether both stand the same but for numbers that run by themselves.
    pub fn is_like(&self, other: &Self) -> bool {
        self.still() == other.still()
    }

    /// The same without the numbers that run.
    fn still(&self) -> Self {
        let mut still = self.clone();
        match &mut still {
            Self::Targets { lagging: Some(lagging), .. } => {
                lagging.checks = None;
                lagging.grace_secs = None;
            }
            Self::Draining { leaving: Some(leaving), .. } => leaving.secs = 0,
            _ => {}
        }
        still
    }
}
