//! `[service.NAME]`: one ECS service and all that belongs to it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::{Condition, ConditionField, TargetGroupSpec, normal};
use super::{AwsTables, Build, Connect, Container, Deployment, Lookup, Scaling};

/// A service's short name in `deploy.toml`, such as `backend`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct ServiceKey(pub String);

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One ECS service and all that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Service {
    /// Its name in the file, such as `backend`.
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    pub key: ServiceKey,
    /// The ECS service's name.
    pub name: String,
    /// The task definition's family.
    pub family: String,
    /// How its image is made.
    pub build: Build,
    /// The ECR repository of its images.
    pub repository: Repository,
    /// The one container of its tasks.
    pub container: Container,
    /// CPU units of a task: 256 is a quarter of a vCPU.
    #[schemars(range(min = 256, max = 32768))]
    pub cpu: u32,
    /// Memory of a task in MiB. Which sizes there are depends on `cpu`.
    #[schemars(range(min = 512, max = 249_856))]
    pub memory_mib: u32,
    /// The tasks' processor.
    pub architecture: Architecture,
    /// The role with which ECS pulls the image, reads secrets and writes logs: name or ARN.
    #[schemars(length(min = 1, max = 2048))]
    pub execution_role: Lookup,
    /// The role of the application itself: name or ARN. Without it the application may do nothing on AWS.
    #[schemars(length(min = 1, max = 2048))]
    pub task_role: Option<Lookup>,
    /// The CloudWatch log group of its output.
    pub log_group: LogGroup,
    /// The tasks' security groups: ids (`sg-…`) or names, 1 to 5 (ECS AwsVpcConfiguration).
    #[schemars(length(min = 1, max = 5))]
    pub security_groups: Vec<Lookup>,
    /// How many tasks the service begins with; afterwards autoscaling decides, where there is `scaling`.
    #[schemars(range(min = 1, max = 5000))]
    pub desired_count: u32,
    /// Whether `cargo xtask exec` and `aws ecs execute-command` work in tasks that start from now on; the task role needs
    /// the ssmmessages permissions.
    pub enable_execute_command: bool,
    /// Its Service Connect endpoint.
    pub connect: Option<Connect>,
    /// Its target group behind the load balancer.
    pub target_group: TargetGroup,
    /// How many task definition revisions are kept to go back to. What runs and the last proven ones stay in any
    /// case. When omitted: 20, or `repository.keep-images` when that is less.
    #[schemars(range(min = 2, max = 1000))]
    pub keep_revisions: u32,
    /// Which paths the load balancer sends to it.
    #[schemars(length(max = 100))]
    pub routes: Vec<Route>,
    /// The priority of the exact-path rule for its health path, where `load-balancer.health-routes` is on.
    /// When omitted: the first of 10, 20, 30 … that is free. Give it, and it stays when services come and go.
    #[schemars(range(min = 1, max = 50000))]
    pub health_route_priority: Option<u32>,
    /// How a new revision rolls out.
    pub deployment: Deployment,
    /// Autoscaling. Without it the count stays as it is.
    pub scaling: Option<Scaling>,
    /// Services that must be up before it.
    #[schemars(length(max = 100))]
    pub depends_on: Vec<ServiceKey>,
    /// What must answer through the load balancer after a deploy. When omitted: its health path, with the
    /// service's short name as identity.
    #[schemars(length(min = 1, max = 100))]
    pub smoke: Vec<SmokeCheck>,
    /// What no other key says, in AWS's own words.
    pub aws: AwsTables,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            key: ServiceKey::default(),
            name: String::new(),
            family: String::new(),
            build: Build::default(),
            repository: Repository::default(),
            container: Container::default(),
            cpu: 256,
            memory_mib: 512,
            architecture: Architecture::X86_64,
            execution_role: Lookup::default(),
            task_role: None,
            log_group: LogGroup::default(),
            security_groups: Vec::new(),
            desired_count: 2,
            enable_execute_command: false,
            connect: None,
            target_group: TargetGroup::default(),
            keep_revisions: 0,
            routes: Vec::new(),
            health_route_priority: None,
            deployment: Deployment::default(),
            scaling: None,
            depends_on: Vec::new(),
            smoke: Vec::new(),
            aws: AwsTables::default(),
        }
    }
}

/// An ECR repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// Whether a tag can be pushed once only.
    pub immutable_tags: bool,
    /// How many images are kept. Each release pushes at most one: this is how far back `rollback` can go.
    #[schemars(range(min = 5, max = 1000))]
    pub keep_images: u32,
}

impl Default for Repository {
    fn default() -> Self {
        Self { name: String::new(), immutable_tags: true, keep_images: 30 }
    }
}

/// A CloudWatch log group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// Days that its events are kept. CloudWatch Logs takes certain numbers only, such as 7, 14, 30, 90, 365.
    #[schemars(range(min = 1, max = 3653))]
    pub retention_days: u32,
}

impl Default for LogGroup {
    fn default() -> Self {
        Self { name: String::new(), retention_days: 30 }
    }
}

/// A target group of type `ip`, as Fargate needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetGroup {
    /// Its name.
    pub name: String,
    /// Its health check. It goes straight to the container, past the listener's rules.
    pub health: HealthCheck,
    /// Seconds that a leaving task keeps its connections before it gets SIGTERM. AWS's default of 300
    /// makes each deploy five minutes longer.
    #[schemars(range(min = 0, max = 3600))]
    pub deregistration_delay_secs: u32,
}

impl Default for TargetGroup {
    fn default() -> Self {
        Self { name: String::new(), health: HealthCheck::default(), deregistration_delay_secs: 30 }
    }
}

impl TargetGroup {
    /// The attributes that it is to have, by AWS's names.
    #[must_use]
    pub fn attributes(&self) -> BTreeMap<String, String> {
        let delay = (TargetGroupSpec::DEREGISTRATION_DELAY, self.deregistration_delay_secs.to_string());
        [delay].map(|(name, value)| (name.to_owned(), value)).into()
    }
}

/// A target group's health check. The ranges are those of the ELBv2 API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct HealthCheck {
    /// The path, such as `/api/health`.
    pub path: String,
    /// HTTP codes that pass: `200`, `200,302` or `200-299`, within 200 to 499.
    pub matcher: String,
    /// Seconds from one check to the next.
    #[schemars(range(min = 5, max = 300))]
    pub interval_secs: u32,
    /// Seconds after which a check has failed; less than the interval.
    #[schemars(range(min = 2, max = 120))]
    pub timeout_secs: u32,
    /// Passes in a row that make an unhealthy target healthy (a new one needs a single pass).
    #[schemars(range(min = 2, max = 10))]
    pub healthy_threshold: u32,
    /// Failures in a row that make a target unhealthy.
    #[schemars(range(min = 2, max = 10))]
    pub unhealthy_threshold: u32,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            path: String::new(),
            matcher: "200".to_owned(),
            interval_secs: 10,
            timeout_secs: 4,
            healthy_threshold: 2,
            unhealthy_threshold: 2,
        }
    }
}

/// A listener rule that sends a path pattern to the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Route {
    /// The pattern: case-sensitive, `*` is any text (slashes too), `?` any one character. `/api/*` does not
    /// match `/api`.
    pub path: String,
    /// Unique on the listener; the lowest number is tried first.
    #[schemars(range(min = 1, max = 50000))]
    pub priority: u32,
}

impl Route {
    /// Which requests it takes, in normal form.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        normal(vec![Condition { on: ConditionField::Path, values: vec![self.path.clone()] }])
    }
}

/// A request through the load balancer that the right service must answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SmokeCheck {
    /// The path.
    pub path: String,
    /// The HTTP status that passes.
    #[schemars(range(min = 100, max = 599))]
    pub status: u16,
    /// What the member `service` of the JSON answer must be, so that an answer of the wrong service does not
    /// pass.
    #[schemars(length(min = 1, max = 64))]
    pub identity: Option<String>,
}

impl Default for SmokeCheck {
    fn default() -> Self {
        Self { path: String::new(), status: 200, identity: None }
    }
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
