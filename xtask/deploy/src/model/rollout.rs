//! `[service.NAME.deployment]` and `[service.NAME.scaling]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named::named;

/// How a new revision rolls out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Deployment {
    /// Tasks that must stay healthy while rolling, in percent of the desired count, rounded up.
    #[schemars(range(min = 0, max = 100))]
    pub minimum_healthy_percent: u32,
    /// Tasks that may run while rolling, in percent of the desired count, rounded down.
    #[schemars(range(min = 100, max = 1000))]
    pub maximum_percent: u32,
    /// ECS's own guard that gives up on a revision whose tasks keep failing.
    pub circuit_breaker: CircuitBreaker,
    /// Seconds after a task's start in which failing health checks do not stop it.
    #[schemars(range(min = 0, max = 3600))]
    pub health_check_grace_secs: u32,
    /// Seconds for a new revision to settle; derived from the service's settings when absent. After them ECS is
    /// asked to roll back to the previous revision.
    #[schemars(range(min = 10, max = 86400))]
    pub settle_secs: Option<u64>,
    /// Derived from all settings that a roll takes time for.
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    pub patience: Patience,
    /// Seconds for which all new tasks must stay healthy before the release counts as proven; 2 where `kind` is `local` and the
    /// file says nothing. They begin when all are healthy, while the old ones still leave.
    #[schemars(range(min = 0, max = 3600))]
    pub bake_secs: u32,
    /// What happens on a cause that waiting cannot fix, such as a missing image or a program that exits at its start: `roll-back`
    /// at once, or `wait` for the circuit breaker.
    pub on_plain_cause: OnPlainCause,
    /// When the deployment counts as complete before ECS would say so by itself; off when absent.
    pub early_success: Option<EarlySuccess>,
    /// CloudWatch alarms that fail the deployment. When omitted they stay as they are.
    pub alarms: Option<Alarms>,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: CircuitBreaker::default(),
            health_check_grace_secs: 60,
            settle_secs: None,
            patience: Patience::default(),
            bake_secs: 30,
            on_plain_cause: OnPlainCause::RollBack,
            early_success: None,
            alarms: None,
        }
    }
}

/// ECS's deployment circuit breaker: it ends a deployment whose tasks keep failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct CircuitBreaker {
    /// Whether it watches. Without it ECS starts bad tasks for ever.
    pub enable: bool,
    /// Whether ECS rolls back to the last good revision when it trips.
    pub rollback: bool,
    /// How many failed tasks trip it, whatever the desired count. AWS's own default is half of the desired count, but 3 at
    /// least: for 2 to 6 tasks the same as this one's.
    #[schemars(range(min = 1, max = 200))]
    pub threshold: u32,
    /// Whether a task that gets healthy sets the count of failures back.
    pub reset_on_healthy_task: bool,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { enable: true, rollback: true, threshold: 3, reset_on_healthy_task: true }
    }
}

/// CloudWatch alarms that ECS watches while a deployment is in progress, and for a while after its tasks run. One that is in
/// ALARM when the deployment begins does not count for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Alarms {
    /// The names of the CloudWatch alarms.
    #[schemars(length(min = 1, max = 100))]
    pub names: Vec<String>,
    /// Whether ECS watches the alarms.
    pub enable: bool,
    /// Whether ECS rolls back to the last good revision when one goes into ALARM.
    pub rollback: bool,
}

impl Default for Alarms {
    fn default() -> Self {
        Self { names: Vec::new(), enable: true, rollback: true }
    }
}

/// ECS's early success criteria: complete once so many new tasks are healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EarlySuccess {
    /// Percent of the desired count that must be healthy; not below `minimum-healthy-percent`.
    #[schemars(range(min = 0, max = 100))]
    pub healthy_percent: u32,
    /// Whether the old tasks must be gone first (`blocking`), or go in the background afterwards (`deferred`). A release is
    /// proven only when they are gone, so `deferred` makes ECS's answer earlier, not the proof.
    pub cleanup: Cleanup,
}

impl Default for EarlySuccess {
    fn default() -> Self {
        Self { healthy_percent: 100, cleanup: Cleanup::Blocking }
    }
}

/// A scalable target for the service's desired count, and its policies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scaling {
    /// The smallest number of tasks. At 0 no task is left whose load could raise it: only a schedule or a custom metric can.
    #[schemars(range(min = 0, max = 5000))]
    pub min: u32,
    /// The largest number of tasks that scaling may set.
    #[schemars(range(min = 0, max = 5000))]
    pub max: u32,
    /// The service's target-tracking policies, by name.
    #[serde(rename = "policy", deserialize_with = "named")]
    #[schemars(with = "BTreeMap<String, Policy>")]
    pub policies: Vec<Policy>,
    /// Other bounds from certain times on. What one of them has set stays until the next one; a deploy does not change it.
    #[serde(rename = "schedule")]
    #[schemars(length(max = 200))]
    pub schedules: Vec<Schedule>,
}

/// A scheduled action of Application Auto Scaling.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Schedule {
    /// The action's name, unique within the service.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// When: `cron(minute hour day month weekday year)`, `rate(1 hour)` or `at(2026-12-24T18:00:00)`.
    #[schemars(length(min = 1, max = 1600))]
    pub schedule: String,
    /// The time zone of `cron` and `at`, such as `Asia/Singapore`; UTC when omitted.
    #[schemars(length(min = 1, max = 1600))]
    pub timezone: Option<String>,
    /// Fewest tasks from then on.
    #[schemars(range(min = 0, max = 5000))]
    pub min: Option<u32>,
    /// Most tasks from then on.
    #[schemars(range(min = 0, max = 5000))]
    pub max: Option<u32>,
}

/// A target-tracking policy of Application Auto Scaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Policy {
    /// Its key in the file.
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    pub name: String,
    /// The metric of ECS or ELB that it tracks.
    pub metric: Option<Metric>,
    /// A CloudWatch metric in place of `metric`.
    pub custom_metric: Option<CustomMetric>,
    /// Whether it only ever adds tasks.
    pub disable_scale_in: bool,
    /// The value that it aims at: in percent for CPU and memory, requests a minute for each task, or the metric's own.
    #[schemars(range(min = 0.001, max = 1_000_000_000.0))]
    pub target: f64,
    /// Seconds after a scale-out before the next.
    #[schemars(range(min = 0, max = 86400))]
    pub scale_out_cooldown_secs: u32,
    /// Seconds after a scale-in before the next.
    #[schemars(range(min = 0, max = 86400))]
    pub scale_in_cooldown_secs: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: String::new(),
            metric: None,
            custom_metric: None,
            disable_scale_in: false,
            target: 0.0,
            scale_out_cooldown_secs: 60,
            scale_in_cooldown_secs: 120,
        }
    }
}

/// What happens on a cause that waiting cannot fix, such as a missing image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnPlainCause {
    /// ECS is asked to roll back to the previous revision at once.
    #[default]
    RollBack,
    /// It is reported, and left to the circuit breaker.
    Wait,
}

/// `sourceServiceRevisionCleanup`: when the old tasks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cleanup {
    /// Before the deployment counts as successful.
    Blocking,
    /// After the deployment has succeeded, in the background.
    Deferred,
}

impl Cleanup {
    /// The value on the wire.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Blocking => "BLOCKING",
            Self::Deferred => "DEFERRED",
        }
    }
}

/// How long the tool waits for a deployment, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Patience {
    /// For a new revision to be complete. After them ECS is asked to roll back.
    pub roll_secs: u64,
    /// For a rollback to be complete.
    pub back_secs: u64,
    /// More, for one whose new tasks are all healthy and whose old ones are still leaving: it is not undone for that.
    pub finish_secs: u64,
}

/// A metric that AWS defines (`PredefinedMetricType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Metric {
    /// The tasks' average CPU utilization, in percent.
    #[serde(rename = "ECSServiceAverageCPUUtilization")]
    Cpu,
    /// The tasks' average memory utilization, in percent.
    #[serde(rename = "ECSServiceAverageMemoryUtilization")]
    Memory,
    /// Requests a minute for each task, through the load balancer.
    #[serde(rename = "ALBRequestCountPerTarget")]
    Requests,
}

impl Metric {
    /// The name on the wire.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Cpu => "ECSServiceAverageCPUUtilization",
            Self::Memory => "ECSServiceAverageMemoryUtilization",
            Self::Requests => "ALBRequestCountPerTarget",
        }
    }
}

/// A CloudWatch metric of your own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct CustomMetric {
    /// Its namespace, such as `AWS/SQS`.
    #[schemars(length(min = 1, max = 255))]
    pub namespace: String,
    /// The metric's name, such as `ApproximateNumberOfMessagesVisible`.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The metric's dimensions, by name.
    pub dimensions: BTreeMap<String, String>,
    /// How its values of a minute become one.
    pub statistic: Statistic,
}

/// How the values of a minute become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Statistic {
    #[default]
    Average,
    Minimum,
    Maximum,
    SampleCount,
    Sum,
}
