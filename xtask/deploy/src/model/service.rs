//! What `deploy.toml` says of one service.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::{Condition, ConditionField, TargetGroupSpec, normal};
use super::{Build, Lookup};

/// A service's short name in `deploy.toml`, such as `backend`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceKey(pub String);

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One ECS service and all that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Its short name.
    pub key: ServiceKey,
    /// The ECS service's name.
    pub name: String,
    /// The task definition's family.
    pub family: String,
    /// How its image is made.
    pub build: Build,
    /// Where its image is kept.
    pub repository: Repository,
    /// The one container that the tool defines.
    pub container: Container,
    /// How many revisions of the family are kept to go back to, at least 2.
    pub keep_revisions: u32,
    /// Task CPU units (256 = a quarter vCPU).
    pub cpu: u32,
    /// Task memory in MiB.
    pub memory_mib: u32,
    /// The tasks' processor.
    pub architecture: Architecture,
    /// Pulls images, reads secrets, writes logs.
    pub execution_role: Lookup,
    /// What the application itself may do; `None` for nothing.
    pub task_role: Option<Lookup>,
    /// Where its output goes.
    pub log_group: LogGroup,
    /// The tasks' security groups, 1 to 5.
    pub security_groups: Vec<Lookup>,
    /// Tasks at creation; afterwards autoscaling decides where a scalable target exists.
    pub desired_count: u32,
    /// Whether ECS Exec works.
    pub enable_execute_command: bool,
    /// Its Service Connect endpoint; `None` makes it a client only.
    pub connect: Option<Connect>,
    /// Its target group.
    pub target_group: TargetGroup,
    /// The listener's rules that forward to it, by path.
    pub routes: Vec<Route>,
    /// How a new revision rolls out.
    pub deployment: Deployment,
    /// The scalable target and its policies; `None` leaves the count alone.
    pub scaling: Option<Scaling>,
    /// Services that must be up before it.
    pub depends_on: Vec<ServiceKey>,
    /// What must answer through the load balancer afterwards.
    pub smoke: Vec<SmokeCheck>,
}

/// An ECR repository.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Repository {
    /// Its name: 2 to 256 of `[a-z0-9._/-]`.
    pub name: String,
    /// Whether a tag can be pushed once only.
    pub immutable_tags: bool,
    /// How many images the lifecycle policy keeps; it must exceed the revisions one may roll back to.
    pub keep_images: u32,
}

/// The container of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The port it listens on.
    pub port: u16,
    /// The port mapping's name, which Service Connect refers to.
    pub port_name: String,
    /// Plain environment variables.
    pub environment: BTreeMap<String, String>,
    /// Environment variables whose values ECS reads from Secrets Manager or SSM (`valueFrom`).
    pub secrets: BTreeMap<String, String>,
    /// The container's own health check.
    pub health_check: Option<ContainerHealthCheck>,
    /// Seconds between SIGTERM and SIGKILL, 2 to 120.
    pub stop_timeout_secs: u32,
    /// Whether its root file system is read-only.
    pub readonly_root: bool,
    /// Whether `/tmp` is a writable volume beside a read-only root.
    pub tmp: bool,
}

/// `healthCheck` of a container definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContainerHealthCheck {
    /// `["CMD", …]` or `["CMD-SHELL", "…"]`.
    pub command: Vec<String>,
    /// Seconds, 5 to 300.
    pub interval_secs: u32,
    /// Seconds, 2 to 60.
    pub timeout_secs: u32,
    /// Failures in a row that make it unhealthy, 1 to 10.
    pub retries: u32,
    /// Seconds in which failures do not count, 0 to 300.
    pub start_period_secs: u32,
}

/// A task's processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Architecture {
    /// `X86_64`, in images `amd64`.
    #[serde(rename = "X86_64")]
    X86_64,
    /// `ARM64`, in images `arm64`.
    #[serde(rename = "ARM64")]
    Arm64,
}

/// A CloudWatch log group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// Days that its events are kept.
    pub retention_days: u32,
}

/// A Service Connect endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connect {
    /// Unique in the namespace.
    pub discovery_name: String,
    /// The port that clients use.
    pub alias_port: u16,
    /// The name that clients use.
    pub alias_dns: String,
}

/// A target group of type `ip`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetGroup {
    /// Its name: 1 to 32 letters, digits and hyphens.
    pub name: String,
    /// Its health check.
    pub health: HealthCheck,
    /// Seconds that a leaving target keeps its connections, 0 to 3600.
    pub deregistration_delay_secs: u32,
}

impl TargetGroup {
    /// The attributes that it is to have, by AWS's names.
    #[must_use]
    pub fn attributes(&self) -> BTreeMap<String, String> {
        let delay = (TargetGroupSpec::DEREGISTRATION_DELAY, self.deregistration_delay_secs.to_string());
        [delay].map(|(name, value)| (name.to_owned(), value)).into()
    }
}

/// A target group's health check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthCheck {
    /// The path, 1 to 1024 characters.
    pub path: String,
    /// HTTP codes that pass, such as `200` or `200-299`.
    pub matcher: String,
    /// Seconds, 5 to 300.
    pub interval_secs: u32,
    /// Seconds, 2 to 120, less than the interval.
    pub timeout_secs: u32,
    /// Passes in a row, 2 to 10.
    pub healthy_threshold: u32,
    /// Failures in a row, 2 to 10.
    pub unhealthy_threshold: u32,
}

/// A listener rule by path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Route {
    /// The pattern: case-sensitive, `*` and `?` are wildcards, at most 128 characters.
    pub path: String,
    /// 1 to 50000, unique on the listener; lower is matched first.
    pub priority: u32,
}

impl Route {
    /// Which requests it takes, in normal form.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        normal(vec![Condition { on: ConditionField::Path, values: vec![self.path.clone()] }])
    }
}

/// How a new revision rolls out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deployment {
    /// `minimumHealthyPercent`.
    pub minimum_healthy_percent: u32,
    /// `maximumPercent`.
    pub maximum_percent: u32,
    /// The circuit breaker.
    pub circuit_breaker: CircuitBreaker,
    /// `healthCheckGracePeriodSeconds`.
    pub health_check_grace_secs: u32,
    /// Early success criteria; `None` leaves ECS's own: all new tasks healthy, all old ones gone.
    pub early_success: Option<EarlySuccess>,
    /// How long its parts may take.
    pub patience: Patience,
    /// For how long all new tasks must stay healthy before the release is proven.
    pub bake_secs: u32,
    /// What a plain cause of failure leads to.
    pub on_plain_cause: OnPlainCause,
}

/// What a cause leads to that no waiting mends, such as an image that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnPlainCause {
    /// ECS is asked to put the previous revision back at once.
    #[default]
    RollBack,
    /// It is told, and left to the circuit breaker.
    Wait,
}

/// `earlySuccessCriteria` of a rolling deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EarlySuccess {
    /// `healthyPercent`, 0 to 100.
    pub healthy_percent: u32,
    /// `sourceServiceRevisionCleanup`.
    pub cleanup: Cleanup,
}

/// `sourceServiceRevisionCleanup`: when the old tasks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cleanup {
    /// Before the deployment counts as successful.
    Blocking,
    /// Afterwards, in the background.
    Deferred,
}

impl Cleanup {
    /// The value on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Blocking => "BLOCKING",
            Self::Deferred => "DEFERRED",
        }
    }
}

/// How long the tool waits for a deployment, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Patience {
    /// For a new revision to be complete. Then ECS is asked to put the previous one back.
    pub roll_secs: u64,
    /// For a rollback to be complete.
    pub back_secs: u64,
    /// More, for one whose new tasks are all healthy and whose old ones are still leaving: it is not undone for that.
    pub finish_secs: u64,
}

/// ECS's deployment circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CircuitBreaker {
    /// Whether it watches.
    pub enable: bool,
    /// Whether it rolls back when it trips.
    pub rollback: bool,
    /// How many failed tasks trip it (`thresholdConfiguration` of type `COUNT`).
    pub threshold: u32,
    /// `resetOnHealthyTask`.
    pub reset_on_healthy_task: bool,
}

/// A scalable target and its policies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scaling {
    /// Fewest tasks.
    pub min: u32,
    /// Most tasks.
    pub max: u32,
    /// Target-tracking policies.
    pub policies: Vec<Policy>,
    /// Other bounds at certain times.
    pub schedules: Vec<Schedule>,
}

/// A scheduled action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// `cron(…)`, `rate(…)` or `at(…)`.
    pub schedule: String,
    /// Such as `Asia/Singapore`; `None` is UTC.
    pub timezone: Option<String>,
    /// Fewest tasks from then on; `None` leaves them.
    pub min: Option<u32>,
    /// Most tasks from then on; `None` leaves them.
    pub max: Option<u32>,
}

/// A target-tracking policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What it tracks, unless that is a metric of its own.
    pub metric: Option<Metric>,
    /// A CloudWatch metric that it tracks.
    pub custom_metric: Option<CustomMetric>,
    /// The value it aims at.
    pub target: f64,
    /// Seconds between two scale-outs.
    pub scale_out_cooldown_secs: u32,
    /// Seconds between two scale-ins.
    pub scale_in_cooldown_secs: u32,
    /// Whether it only ever adds tasks.
    pub disable_scale_in: bool,
}

/// A CloudWatch metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomMetric {
    /// Its namespace, such as `AWS/SQS`.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// How its values of a minute become one.
    pub statistic: Statistic,
}

/// How values of a minute become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Statistic {
    #[default]
    Average,
    Minimum,
    Maximum,
    SampleCount,
    Sum,
}

/// `PredefinedMetricType` for ECS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Metric {
    /// Average CPU in percent.
    #[serde(rename = "ECSServiceAverageCPUUtilization")]
    Cpu,
    /// Average memory in percent.
    #[serde(rename = "ECSServiceAverageMemoryUtilization")]
    Memory,
    /// Requests a minute for each task, through the load balancer.
    #[serde(rename = "ALBRequestCountPerTarget")]
    Requests,
}

impl Metric {
    /// The name on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Cpu => "ECSServiceAverageCPUUtilization",
            Self::Memory => "ECSServiceAverageMemoryUtilization",
            Self::Requests => "ALBRequestCountPerTarget",
        }
    }
}

/// A request through the load balancer that must be answered by the right service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SmokeCheck {
    /// The path.
    pub path: String,
    /// The status that passes.
    pub status: u16,
    /// The JSON member `service` of the answer must have this value, so that an answer from the wrong
    /// service (or a page that answers 200 to everything) does not pass. `None` accepts any body.
    pub identity: Option<String>,
}
