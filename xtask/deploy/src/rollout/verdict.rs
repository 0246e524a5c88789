//! What became of one service's deployment.

use serde::Serialize;

/// The verdict on one deployment of one service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// What became of it.
    pub outcome: Outcome,
    /// AWS's own words for it, where it gave any.
    pub reason: Option<String>,
}

impl Verdict {
    /// A verdict with AWS's reason.
    #[must_use]
    pub fn new(outcome: Outcome, reason: Option<&str>) -> Self {
        Self { outcome, reason: reason.map(str::to_owned) }
    }
}

/// The ways in which a deployment can end, as far as the caller must tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Outcome {
    /// Our deployment completed.
    Succeeded,
    /// ECS put the previous revision back, and that is complete.
    RolledBack,
    /// ECS gave up and nothing was put back.
    Failed,
    /// A newer deployment took over before ours was complete.
    Superseded {
        /// The newer deployment's id.
        by: String,
        /// The revision it runs.
        task_definition: String,
    },
    /// Somebody asked ECS to stop our deployment.
    Stopped,
    /// The service is being or was deleted under us.
    Deleted,
    /// ECS said something that this tool does not know.
    Unknown,
}

impl Outcome {
    /// Whether the new revision runs and is complete. Nothing else is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded)
    }

    /// One word or two, for a table.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Succeeded => "completed",
            Self::RolledBack => "rolled back",
            Self::Failed => "failed",
            Self::Superseded { .. } => "superseded",
            Self::Stopped => "stopped",
            Self::Deleted => "deleted",
            Self::Unknown => "unknown",
        }
    }
}
