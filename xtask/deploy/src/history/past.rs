//! One former release.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{ImageDigest, ServiceKey};

/// A release, as its revisions' tags describe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Past {
    pub release: String,
    pub fate: Fate,
    /// Whether it was proven at some time.
    pub proven: bool,
    /// Whether a task ran before its roll, such as a migration.
    pub migrated: bool,
    /// When its first revision was registered, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Milliseconds from then to the end of the deployments that it made; `None` while one is in progress, and once ECS has
    /// forgotten them (after 90 days).
    pub took_ms: Option<u64>,
    /// Why it was rolled back or stopped, in ECS's words.
    pub reason: Option<String>,
    pub commit: Option<String>,
    /// Whether the work tree differed from the commit.
    pub dirty: bool,
    pub actor: String,
    /// What each service runs with it: a revision of its own, or the one that was proven last when it was made.
    pub runs: BTreeMap<ServiceKey, Run>,
}

/// What a service runs with a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Run {
    pub revision: String,
    pub digest: Option<ImageDigest>,
    /// Whether the release registered it. What it did not register, it left as it was.
    pub own: bool,
}

/// What became of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It runs, and was proven.
    Live,
    /// It runs, and was not proven.
    LiveUnproven,
    /// Some of what it registered runs, such as where an undo could not restore one service; it was not proven.
    LiveInPart,
    /// It runs, was proven, and crashed since.
    LiveCrashed,
    InProgress,
    /// It ran and was proven; another runs now.
    Proven,
    /// It was proven, and crashed since: no rollback chooses it by itself.
    Crashed,
    /// It settled and was never proven: undone, or overtaken before its proof, or a newer release runs on top of it.
    Unproven,
    /// ECS put the previous revision back.
    RolledBack,
    /// ECS tried to, and failed.
    RollbackFailed,
    /// Its deployment was stopped, or another one took its place.
    Stopped,
    /// No deployment of it is known: it was registered and never rolled, or ECS has forgotten (after 90 days).
    Unrolled,
    /// A status that this tool does not know.
    Unknown,
}

impl Fate {
    pub fn words(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::LiveUnproven => "live, not proven",
            Self::LiveInPart => "live in part, not proven",
            Self::LiveCrashed => "live, crashed since it was proven",
            Self::InProgress => "in progress",
            Self::Proven => "proven",
            Self::Crashed => "crashed since it was proven",
            Self::Unproven => "not proven",
            Self::RolledBack => "rolled back",
            Self::RollbackFailed => "rollback failed",
            Self::Stopped => "stopped",
            Self::Unrolled => "no deployment known",
            Self::Unknown => "unknown",
        }
    }
}

impl Past {
    /// Whether all that it registered runs.
    pub fn is_live(&self) -> bool {
        matches!(self.fate, Fate::Live | Fate::LiveUnproven | Fate::LiveCrashed)
    }
}
