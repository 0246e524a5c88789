//! `[service.NAME]`: one ECS service and all that belongs to it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named::named;
use super::spec::TargetGroupSpec;
use super::{
    AwsTables, BeforeRoll, Build, CapacityProvider, Connect, Container, Deployment, ImageName, LogGroup,
    Lookup, ProviderName, Repository, Route, Scaling, Sidecar, SmokeCheck, Volume,
};

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
    /// The name of the ECS service.
    pub name: String,
    /// The family of its task definitions.
    pub family: String,
    /// How its image is made.
    pub build: Build,
    /// An image that others build, in place of `build` and `repository`: `HOST/NAME:TAG` or `HOST/NAME@sha256:…`, of any
    /// registry. A tag is resolved to its digest when a release is planned; tasks always run a digest.
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// The ECR repository of its images.
    pub repository: Repository,
    /// The container of its tasks that the load balancer and Service Connect reach.
    pub container: Container,
    /// The other containers of its tasks, by name.
    #[serde(rename = "sidecar", deserialize_with = "named")]
    #[schemars(with = "BTreeMap<String, Sidecar>")]
    pub sidecars: Vec<Sidecar>,
    /// Volumes that its containers can mount, by name.
    #[serde(rename = "volume", deserialize_with = "named")]
    #[schemars(with = "BTreeMap<String, Volume>")]
    pub volumes: Vec<Volume>,
    /// CPU units of a task: 256 is a quarter of a vCPU.
    #[schemars(range(min = 256, max = 32768))]
    pub cpu: u32,
    /// Memory of a task in MiB. Which sizes there are depends on `cpu`.
    #[schemars(range(min = 512, max = 249_856))]
    pub memory_mib: u32,
    /// Disk space of a task in GiB, where the 20 that each has are too few.
    #[schemars(range(min = 21, max = 200))]
    pub ephemeral_storage_gib: Option<u32>,
    /// The processor that its tasks run on.
    pub architecture: Architecture,
    /// The role with which ECS pulls the image, reads secrets and writes logs: name or ARN. `""` for none, which a public
    /// image without secrets and without a log group can do.
    #[schemars(length(max = 2048))]
    pub execution_role: Lookup,
    /// The role of the application itself: name or ARN. Without it the application may do nothing on AWS.
    #[schemars(length(min = 1, max = 2048))]
    pub task_role: Option<Lookup>,
    /// The CloudWatch log group of its output. With the name `""` there is none: `aws.container.logConfiguration` can name
    /// another log driver.
    pub log_group: LogGroup,
    /// Where its tasks get their addresses, when elsewhere than `network` says.
    pub network: ServiceNetwork,
    /// The tasks' security groups: ids (`sg-…`) or names, 1 to 5 (ECS AwsVpcConfiguration).
    #[schemars(length(min = 1, max = 5))]
    pub security_groups: Vec<Lookup>,
    /// How many tasks the service begins with; afterwards autoscaling decides, where there is `scaling`.
    #[schemars(range(min = 0, max = 5000))]
    pub desired_count: u32,
    /// Where tasks run, such as `[{ name = "FARGATE_SPOT", weight = 4 }, { name = "FARGATE", base = 1 }]`. On-demand alone when
    /// omitted.
    #[schemars(length(max = 2))]
    pub capacity_providers: Vec<CapacityProvider>,
    /// Whether ECS rebalances tasks until all availability zones have about as many. When omitted it stays as it is; AWS enables it for
    /// new services.
    pub availability_zone_rebalancing: Option<bool>,
    /// Whether `cargo xtask exec` and `aws ecs execute-command` work in tasks that start from now on; the task role needs
    /// the ssmmessages permissions.
    pub enable_execute_command: bool,
    /// What it offers through Service Connect; a client only when absent.
    pub connect: Option<Connect>,
    /// Whether the load balancer leads to it. With `false` it is a worker: without target group, routes and smoke checks,
    /// proven by its tasks alone.
    pub load_balancer: bool,
    /// Its target group behind the load balancer.
    pub target_group: TargetGroup,
    /// How many task definition revisions are kept for a rollback. What runs and the last proven ones stay in any
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
    /// What runs once as the new revision before it rolls, such as a migration.
    pub before_roll: Option<BeforeRoll>,
    /// How a new revision rolls out.
    pub deployment: Deployment,
    /// Autoscaling. Without it the count stays as it is.
    pub scaling: Option<Scaling>,
    /// Services that must be up before it.
    #[schemars(length(max = 100))]
    pub depends_on: Vec<ServiceKey>,
    /// What must answer after a deploy, through the load balancer or from inside. When omitted: its health path, with the
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
            image: None,
            repository: Repository::default(),
            container: Container::default(),
            sidecars: Vec::new(),
            volumes: Vec::new(),
            cpu: 256,
            memory_mib: 512,
            ephemeral_storage_gib: None,
            architecture: Architecture::X86_64,
            execution_role: Lookup::default(),
            task_role: None,
            log_group: LogGroup::default(),
            network: ServiceNetwork::default(),
            security_groups: Vec::new(),
            desired_count: 2,
            capacity_providers: Vec::new(),
            availability_zone_rebalancing: None,
            enable_execute_command: false,
            connect: None,
            load_balancer: true,
            target_group: TargetGroup::default(),
            keep_revisions: 0,
            routes: Vec::new(),
            health_route_priority: None,
            before_roll: None,
            deployment: Deployment::default(),
            scaling: None,
            depends_on: Vec::new(),
            smoke: Vec::new(),
            aws: AwsTables::default(),
        }
    }
}

impl Service {
    /// Whether a smoke check is asked from inside a task.
    pub fn asks_from_inside(&self) -> bool {
        self.smoke.iter().any(|check| check.inside().is_some())
    }

    /// The image that others build, where its name can be read.
    pub fn image_name(&self) -> Option<ImageName> {
        ImageName::parse(self.image.as_ref()?).ok()
    }

    /// Whether an image is built and pushed for it: it is not where that of another service or of others is used.
    pub fn builds(&self) -> bool {
        self.image.is_none() && self.build.same_as.is_none()
    }

    /// Its target group; `None` for a worker.
    pub fn group(&self) -> Option<&TargetGroup> {
        self.load_balancer.then_some(&self.target_group)
    }

    /// Its log group; `None` where its output goes elsewhere.
    pub fn logs(&self) -> Option<&LogGroup> {
        let driver = self.aws.container.get(&["logConfiguration", "logDriver"]);
        let other = driver.is_some_and(|driver| driver != "awslogs");
        let elsewhere = other && self.sidecars.is_empty();
        Some(&self.log_group).filter(|group| !group.name.is_empty() && !elsewhere)
    }

    pub fn execution_role(&self) -> Option<&Lookup> {
        Some(&self.execution_role).filter(|role| !role.text().is_empty())
    }

    /// Whether some of its tasks may run on Spot. On-demand alone is the launch type.
    pub fn uses_spot(&self) -> bool {
        self.capacity_providers.iter().any(|provider| provider.name == ProviderName::Spot)
    }
}

/// What a service has in place of what `network` says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServiceNetwork {
    /// The subnets of its tasks: ids (`subnet-…`) or Name tags, in the same VPC.
    #[schemars(length(min = 1, max = 16))]
    pub subnets: Vec<Lookup>,
    /// Whether its tasks get a public address.
    pub assign_public_ip: Option<bool>,
}

/// A target group of type `ip`, as Fargate needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetGroup {
    /// The target group's name, at most 32 characters.
    pub name: String,
    /// Its health check. It goes straight to the container, past the listener's rules.
    pub health: HealthCheck,
    /// Seconds that a leaving task keeps its connections before it gets SIGTERM. AWS's default of 300
    /// makes each deploy five minutes longer.
    #[schemars(range(min = 0, max = 3600))]
    pub deregistration_delay_secs: u32,
    /// What the load balancer speaks with tasks: `HTTP1`; on an HTTPS listener also `HTTP2` and `GRPC`. A group that serves
    /// keeps its own: AWS cannot change it.
    pub protocol_version: ProtocolVersion,
    /// Seconds for which a client's requests go to the same task; 0 switches that off. When omitted it stays as it is.
    #[schemars(range(min = 0, max = 604_800))]
    pub stickiness_secs: Option<u32>,
    /// Seconds, from 30 on, in which a new task gets more and more requests; 0 switches that off. When omitted it stays as it
    /// is.
    #[schemars(range(min = 0, max = 900))]
    pub slow_start_secs: Option<u32>,
}

impl Default for TargetGroup {
    fn default() -> Self {
        Self {
            name: String::new(),
            health: HealthCheck::default(),
            deregistration_delay_secs: 30,
            protocol_version: ProtocolVersion::Http1,
            stickiness_secs: None,
            slow_start_secs: None,
        }
    }
}

impl TargetGroup {
    /// The attributes that it is to have, by AWS's names.
    pub fn attributes(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let mut set = |name: &str, value: String| all.insert(name.to_owned(), value);
        set(TargetGroupSpec::DEREGISTRATION_DELAY, self.deregistration_delay_secs.to_string());
        if let Some(secs) = self.slow_start_secs {
            set("slow_start.duration_seconds", secs.to_string());
        }
        match self.stickiness_secs {
            // Written out: ModifyTargetGroupAttributes leaves what it is not given as it is.
            Some(0) => drop(set("stickiness.enabled", "false".to_owned())),
            Some(secs) => {
                set("stickiness.enabled", "true".to_owned());
                set("stickiness.type", "lb_cookie".to_owned());
                set("stickiness.lb_cookie.duration_seconds", secs.to_string());
            }
            None => {}
        }
        all
    }
}

/// What a load balancer speaks with targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProtocolVersion {
    #[default]
    Http1,
    Http2,
    Grpc,
}

impl ProtocolVersion {
    /// The value on the wire.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP1",
            Self::Http2 => "HTTP2",
            Self::Grpc => "GRPC",
        }
    }
}

/// A target group's health check. The ranges are those of the ELBv2 API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct HealthCheck {
    /// The path, such as `/api/health`.
    pub path: String,
    /// The port, where it is not the one that requests go to, such as Spring's `management.server.port`.
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// HTTP codes that pass: `200`, `200,302` or `200-299`, within 200 to 499. With `GRPC`, gRPC's codes from 0 to 99, and 0
    /// when omitted.
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
            port: None,
            matcher: "200".to_owned(),
            interval_secs: 10,
            timeout_secs: 4,
            healthy_threshold: 2,
            unhealthy_threshold: 2,
        }
    }
}

/// The processor that a task runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Architecture {
    /// `X86_64`, in images `amd64`.
    #[serde(rename = "X86_64")]
    X86_64,
    /// `ARM64`, in images `arm64`.
    #[serde(rename = "ARM64")]
    Arm64,
}
