//! What became of one service's deployment.

use crate::model::arn_name;
use serde::Serialize;

/// The verdict on one deployment of one service.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Verdict {
    pub outcome: Outcome,
    /// AWS's own words for it, where it gave any.
    pub reason: Option<String>,
}

impl Verdict {
    /// A verdict with AWS's reason.
    pub fn new(outcome: Outcome, reason: Option<&str>) -> Self {
        Self { outcome, reason: reason.map(str::to_owned) }
    }
}

/// The ways in which a deployment can end, as far as the caller must distinguish them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Outcome {
    /// There was nothing to deploy.
    NoChange,
    Succeeded,
    /// ECS rolled back to the previous revision, by its circuit breaker or because we asked, and that is complete.
    RolledBack,
    /// ECS gave up without a rollback.
    Failed,
    /// A newer deployment took over before ours was complete.
    Superseded {
        by: String,
        /// The ARN of the revision that it runs.
        task_definition: String,
        /// Who registered that revision, by its tags; `None` when it has none.
        who: Option<String>,
        /// The release that it belongs to, by its tags.
        release: Option<String>,
        /// It runs our own revision: somebody forced a new deployment.
        forced: bool,
    },
    /// Somebody else asked ECS to stop our deployment.
    Stopped {
        /// Whether ECS rolled back to the previous revision, and that is complete.
        back: bool,
    },
    /// The service was deleted during the roll, or is being deleted.
    Deleted,
    /// Neither complete nor failed at the deadline.
    StillMoving,
    /// ECS said something from which no verdict follows.
    Unknown,
    /// No reply of ECS has shown it for too long.
    Unseen {
        why: String,
    },
}

impl Outcome {
    /// Whether the wanted revision runs and is complete. Nothing else is a success.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded | Self::NoChange)
    }

    /// Whether the previous revision certainly serves again.
    pub fn is_back(&self) -> bool {
        matches!(self, Self::RolledBack | Self::Stopped { back: true })
    }

    /// One word or two, for a table.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoChange => "no change",
            Self::Succeeded => "completed",
            Self::RolledBack => "rolled back",
            Self::Failed => "failed",
            Self::Superseded { .. } => "superseded",
            Self::Stopped { .. } => "stopped by somebody",
            Self::Deleted => "deleted",
            Self::StillMoving => "in progress",
            Self::Unknown | Self::Unseen { .. } => "unknown",
        }
    }

    /// What it means, in one sentence without a full stop.
    pub fn sentence(&self) -> String {
        match self {
            Self::NoChange => "nothing to deploy: it runs what is wanted".to_owned(),
            Self::Succeeded => "the new revision runs, and ECS calls it complete".to_owned(),
            Self::RolledBack => {
                "the new revision did not stay; ECS rolled back to the previous one".to_owned()
            }
            Self::Failed => "the new revision failed, and ECS did not roll back".to_owned(),
            Self::Superseded { by, task_definition, who, release, forced } => {
                let revision = arn_name(task_definition);
                if *forced {
                    return format!(
                        "somebody forced a new deployment of the same revision: {revision} as {by}"
                    );
                }
                // The tags say who registered it. Who deployed it is not in any answer of ECS.
                let who = who.as_ref().map(|who| format!(", registered by {who}")).unwrap_or_default();
                let release =
                    release.as_ref().map(|release| format!(", release {release}")).unwrap_or_default();
                format!("a newer deployment took over: {revision} as {by}{who}{release}")
            }
            Self::Stopped { back: true } => {
                "somebody else stopped the deployment; ECS rolled back to the previous revision".to_owned()
            }
            Self::Stopped { back: false } => {
                "somebody else stopped the deployment, and ECS did not roll back".to_owned()
            }
            Self::Deleted => "the service was deleted while it rolled".to_owned(),
            Self::StillMoving => {
                "neither complete nor given up yet; `cargo xtask wait` follows it".to_owned()
            }
            Self::Unknown => {
                "ECS reports a state that this tool does not know; `cargo xtask status` shows what runs"
                    .to_owned()
            }
            // Why is an error or a warning of its own, for all services together.
            Self::Unseen { .. } => "no reply of ECS shows its state".to_owned(),
        }
    }
}
