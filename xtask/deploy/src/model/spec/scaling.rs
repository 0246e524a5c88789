//! Scalable targets and target-tracking policies.

use serde::{Deserialize, Serialize};

/// The scalable target of a service: `ecs:service:DesiredCount` of `service/<cluster>/<service>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScalableTargetSpec {
    /// `service/<cluster>/<service>`.
    pub resource_id: String,
    /// Fewest tasks.
    pub min: u32,
    /// Most tasks.
    pub max: u32,
}

/// A target-tracking policy of a scalable target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicySpec {
    /// Its name, unique for the target.
    pub name: String,
    /// `service/<cluster>/<service>`.
    pub resource_id: String,
    /// `PredefinedMetricType`.
    pub metric: String,
    /// The value it aims at.
    pub target: f64,
    /// Seconds; `None` when AWS's default applies.
    pub scale_out_cooldown_secs: Option<u32>,
    /// Seconds; `None` when AWS's default applies.
    pub scale_in_cooldown_secs: Option<u32>,
}
