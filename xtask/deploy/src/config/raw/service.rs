//! `[service.NAME]`: one ECS service and all that belongs to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Build, Connect, Container, Deployment, Scaling};
use crate::config::setting::Setting;
use crate::model::Architecture;

/// One ECS service and all that belongs to it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Service {
    /// The ECS service's name.
    pub(crate) name: Option<Setting<String>>,
    /// The task definition's family.
    pub(crate) family: Option<Setting<String>>,
    /// How its image is made.
    pub(crate) build: Setting<Build>,
    /// The ECR repository of its images.
    pub(crate) repository: Setting<Repository>,
    /// The one container of its tasks.
    pub(crate) container: Setting<Container>,
    /// CPU units of a task: 256 is a quarter of a vCPU.
    #[schemars(range(min = 256, max = 32768))]
    pub(crate) cpu: Setting<u32>,
    /// Memory of a task in MiB. Which sizes there are depends on `cpu`.
    #[schemars(range(min = 512, max = 249_856))]
    pub(crate) memory_mib: Setting<u32>,
    /// The tasks' processor.
    pub(crate) architecture: Setting<Architecture>,
    /// The role with which ECS pulls the image, reads secrets and writes logs: name or ARN.
    #[schemars(length(min = 1, max = 2048))]
    pub(crate) execution_role: Option<Setting<String>>,
    /// The role of the application itself: name or ARN. Without it the application may do nothing on AWS.
    #[schemars(length(min = 1, max = 2048))]
    pub(crate) task_role: Option<Setting<String>>,
    /// The CloudWatch log group of its output.
    pub(crate) log_group: Setting<LogGroup>,
    /// The tasks' security groups: ids (`sg-…`) or names, 1 to 5 (ECS AwsVpcConfiguration).
    #[schemars(length(min = 1, max = 5))]
    pub(crate) security_groups: Option<Setting<Vec<Setting<String>>>>,
    /// How many tasks the service begins with; afterwards autoscaling decides, where there is `scaling`.
    #[schemars(range(min = 1, max = 5000))]
    pub(crate) desired_count: Setting<u32>,
    /// Whether `cargo xtask exec` and `aws ecs execute-command` work in tasks that start from now on; the task role needs
    /// the ssmmessages permissions.
    pub(crate) enable_execute_command: Setting<bool>,
    /// Its Service Connect endpoint.
    pub(crate) connect: Option<Setting<Connect>>,
    /// Its target group behind the load balancer.
    pub(crate) target_group: Setting<TargetGroup>,
    /// How many task definition revisions are kept to go back to. What runs and the last proven ones stay in any
    /// case. When omitted: 20, or `repository.keep-images` when that is less.
    #[schemars(range(min = 2, max = 1000))]
    pub(crate) keep_revisions: Option<Setting<u32>>,
    /// Which paths the load balancer sends to it.
    #[schemars(length(max = 100))]
    pub(crate) routes: Vec<Setting<Route>>,
    /// The priority of the exact-path rule for its health path, where `load-balancer.health-routes` is on.
    /// When omitted: the first of 10, 20, 30 … that is free. Give it, and it stays when services come and go.
    #[schemars(range(min = 1, max = 50000))]
    pub(crate) health_route_priority: Option<Setting<u32>>,
    /// How a new revision rolls out.
    pub(crate) deployment: Setting<Deployment>,
    /// Autoscaling. Without it the count stays as it is.
    pub(crate) scaling: Option<Setting<Scaling>>,
    /// Services that must be up before it.
    #[schemars(length(max = 100))]
    pub(crate) depends_on: Vec<Setting<String>>,
    /// What must answer through the load balancer after a deploy. When omitted: its health path, with the
    /// service's short name as identity.
    #[schemars(length(min = 1, max = 100))]
    pub(crate) smoke: Option<Vec<Setting<SmokeCheck>>>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            name: None,
            family: None,
            build: Setting::default(),
            repository: Setting::default(),
            container: Setting::default(),
            cpu: 256.into(),
            memory_mib: 512.into(),
            architecture: Architecture::X86_64.into(),
            execution_role: None,
            task_role: None,
            log_group: Setting::default(),
            security_groups: None,
            desired_count: 2.into(),
            enable_execute_command: false.into(),
            connect: None,
            target_group: Setting::default(),
            keep_revisions: None,
            routes: Vec::new(),
            health_route_priority: None,
            deployment: Setting::default(),
            scaling: None,
            depends_on: Vec::new(),
            smoke: None,
        }
    }
}

/// An ECR repository.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Repository {
    /// Its name.
    pub(crate) name: Option<Setting<String>>,
    /// Whether a tag can be pushed once only.
    pub(crate) immutable_tags: Setting<bool>,
    /// How many images are kept. Each release pushes at most one: this is how far back `rollback` can go.
    #[schemars(range(min = 5, max = 1000))]
    pub(crate) keep_images: Setting<u32>,
}

impl Default for Repository {
    fn default() -> Self {
        Self { name: None, immutable_tags: true.into(), keep_images: 30.into() }
    }
}

/// A CloudWatch log group.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LogGroup {
    /// Its name.
    pub(crate) name: Option<Setting<String>>,
    /// Days that its events are kept. CloudWatch Logs takes certain numbers only, such as 7, 14, 30, 90, 365.
    #[schemars(range(min = 1, max = 3653))]
    pub(crate) retention_days: Setting<u32>,
}

impl Default for LogGroup {
    fn default() -> Self {
        Self { name: None, retention_days: 30.into() }
    }
}

/// A target group of type `ip`, as Fargate needs it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TargetGroup {
    /// Its name.
    pub(crate) name: Option<Setting<String>>,
    /// Its health check. It goes straight to the container, past the listener's rules.
    pub(crate) health: Setting<HealthCheck>,
    /// Seconds that a leaving task keeps its connections before it gets SIGTERM. AWS's default of 300
    /// makes each deploy five minutes longer.
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) deregistration_delay_secs: Setting<u32>,
}

impl Default for TargetGroup {
    fn default() -> Self {
        Self { name: None, health: Setting::default(), deregistration_delay_secs: 30.into() }
    }
}

/// A target group's health check. The ranges are those of the ELBv2 API.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct HealthCheck {
    /// The path, such as `/api/health`.
    pub(crate) path: Option<Setting<String>>,
    /// HTTP codes that pass: `200`, `200,302` or `200-299`, within 200 to 499.
    pub(crate) matcher: Setting<String>,
    /// Seconds from one check to the next.
    #[schemars(range(min = 5, max = 300))]
    pub(crate) interval_secs: Setting<u32>,
    /// Seconds after which a check has failed; less than the interval.
    #[schemars(range(min = 2, max = 120))]
    pub(crate) timeout_secs: Setting<u32>,
    /// Passes in a row that make an unhealthy target healthy (a new one needs a single pass).
    #[schemars(range(min = 2, max = 10))]
    pub(crate) healthy_threshold: Setting<u32>,
    /// Failures in a row that make a target unhealthy.
    #[schemars(range(min = 2, max = 10))]
    pub(crate) unhealthy_threshold: Setting<u32>,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            path: None,
            matcher: "200".to_owned().into(),
            interval_secs: 10.into(),
            timeout_secs: 4.into(),
            healthy_threshold: 2.into(),
            unhealthy_threshold: 2.into(),
        }
    }
}

/// A listener rule that sends a path pattern to the service.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Route {
    /// The pattern: case-sensitive, `*` is any text (slashes too), `?` any one character. `/api/*` does not
    /// match `/api`.
    pub(crate) path: Option<Setting<String>>,
    /// Unique on the listener; the lowest number is tried first.
    #[schemars(range(min = 1, max = 50000))]
    pub(crate) priority: Option<Setting<u32>>,
}

/// A request through the load balancer that the right service must answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SmokeCheck {
    /// The path.
    pub(crate) path: Option<Setting<String>>,
    /// The HTTP status that passes.
    #[schemars(range(min = 100, max = 599))]
    pub(crate) status: Setting<u16>,
    /// What the member `service` of the JSON answer must be, so that an answer of the wrong service does not
    /// pass.
    #[schemars(length(min = 1, max = 64))]
    pub(crate) identity: Option<Setting<String>>,
}

impl Default for SmokeCheck {
    fn default() -> Self {
        Self { path: None, status: 200.into(), identity: None }
    }
}
