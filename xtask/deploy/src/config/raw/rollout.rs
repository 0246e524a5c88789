//! `[service.NAME.deployment]` and `[service.NAME.scaling]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::setting::Setting;
use crate::model::{Cleanup, Metric, OnPlainCause};

/// How a new revision rolls out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Deployment {
    /// Tasks that must stay healthy while rolling, in percent of the desired count, rounded up.
    #[schemars(range(min = 0, max = 100))]
    pub(crate) minimum_healthy_percent: Setting<u32>,
    /// Tasks that may run while rolling, in percent of the desired count, rounded down.
    #[schemars(range(min = 100, max = 1000))]
    pub(crate) maximum_percent: Setting<u32>,
    /// ECS's own guard that gives up on a revision whose tasks keep failing.
    pub(crate) circuit_breaker: Setting<CircuitBreaker>,
    /// Seconds after a task's start in which failing health checks do not stop it.
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) health_check_grace_secs: Setting<u32>,
    /// Seconds for a new revision to settle; derived from the service's settings when absent. When they have passed ECS
    /// is asked to put the previous revision back.
    #[schemars(range(min = 10, max = 86400))]
    pub(crate) settle_secs: Option<Setting<u64>>,
    /// Seconds for which all new tasks must stay healthy before the release counts as proven. They begin when all are healthy,
    /// while the old ones still leave.
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) bake_secs: Setting<u32>,
    /// What a cause leads to that no waiting mends, such as an image that is not there or a program that exits at its start:
    /// `roll-back` at once, or `wait` for the circuit breaker.
    pub(crate) on_plain_cause: Setting<OnPlainCause>,
    /// When the deployment counts as complete before ECS would say so by itself; off when absent.
    pub(crate) early_success: Option<Setting<EarlySuccess>>,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            minimum_healthy_percent: 100.into(),
            maximum_percent: 200.into(),
            circuit_breaker: Setting::default(),
            health_check_grace_secs: 60.into(),
            settle_secs: None,
            bake_secs: 30.into(),
            on_plain_cause: OnPlainCause::RollBack.into(),
            early_success: None,
        }
    }
}

/// ECS's deployment circuit breaker.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CircuitBreaker {
    /// Whether it watches. Without it ECS starts bad tasks for ever.
    pub(crate) enable: Setting<bool>,
    /// Whether it goes back to the last good revision when it trips.
    pub(crate) rollback: Setting<bool>,
    /// How many failed tasks trip it, whatever the desired count. AWS's own default is half of the desired count, but 3 at
    /// least: for 2 to 6 tasks the same as this one's.
    #[schemars(range(min = 1, max = 200))]
    pub(crate) threshold: Setting<u32>,
    /// Whether a task that gets healthy sets the count of failures back.
    pub(crate) reset_on_healthy_task: Setting<bool>,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            enable: true.into(),
            rollback: true.into(),
            threshold: 3.into(),
            reset_on_healthy_task: true.into(),
        }
    }
}

/// ECS's early success criteria: complete once so many new tasks are healthy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EarlySuccess {
    /// Percent of the desired count that must be healthy; not below `minimum-healthy-percent`.
    #[schemars(range(min = 0, max = 100))]
    pub(crate) healthy_percent: Setting<u32>,
    /// Whether the old tasks must be gone first (`blocking`), or go in the background afterwards (`deferred`). A release is
    /// proven only when they are gone, so `deferred` makes ECS's answer earlier, not the proof.
    pub(crate) cleanup: Setting<Cleanup>,
}

impl Default for EarlySuccess {
    fn default() -> Self {
        Self { healthy_percent: 100.into(), cleanup: Cleanup::Blocking.into() }
    }
}

/// A scalable target for the service's desired count, and its policies.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Scaling {
    /// Fewest tasks. Below 1 nothing would be left whose load could ask for more.
    #[schemars(range(min = 1, max = 5000))]
    pub(crate) min: Option<Setting<u32>>,
    /// Most tasks.
    #[schemars(range(min = 1, max = 5000))]
    pub(crate) max: Option<Setting<u32>>,
    /// Target-tracking policies, by name.
    pub(crate) policy: BTreeMap<Setting<String>, Setting<Policy>>,
}

/// A target-tracking policy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Policy {
    /// What it tracks.
    pub(crate) metric: Option<Setting<Metric>>,
    /// The value that it aims at, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub(crate) target: Option<Setting<f64>>,
    /// Seconds after a scale-out before the next.
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) scale_out_cooldown_secs: Setting<u32>,
    /// Seconds after a scale-in before the next.
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) scale_in_cooldown_secs: Setting<u32>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            metric: None,
            target: None,
            scale_out_cooldown_secs: 60.into(),
            scale_in_cooldown_secs: 120.into(),
        }
    }
}
