//! `[service.NAME.container]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AppProtocol, Condition};

/// How the name of Service Connect's proxy begins, a container that ECS adds to a task and no definition has.
pub const CONNECT_PROXY: &str = "ecs-service-connect-";

/// A container of a service's tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Container {
    /// Its name; `aws ecs execute-command --container` takes it.
    pub name: String,
    /// The port that it listens on; the application reads it from the environment variable `PORT`. A worker that is reached
    /// by nobody has none.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// The environment variable that holds the port; `PORT` when omitted, none when empty.
    #[schemars(length(max = 255))]
    pub port_variable: String,
    /// The port mapping's name, which Service Connect refers to. The container's name when omitted.
    #[schemars(length(min = 1))]
    pub port_name: String,
    /// What Service Connect's proxies take the port's traffic for. `http` when omitted; a service that runs keeps its own.
    pub app_protocol: Option<AppProtocol>,
    /// What it runs in place of the image's command, word by word; arguments of an entry point where there is one.
    #[schemars(length(min = 1, max = 100))]
    pub command: Vec<String>,
    /// What it runs in place of the image's entry point. The image's command is left out then, too.
    #[schemars(length(min = 1, max = 100))]
    pub entry_point: Vec<String>,
    /// Who it runs as in place of the image's user: `UID`, `UID:GID`, or names of users and groups that the image has.
    #[schemars(length(min = 1, max = 255))]
    pub user: Option<String>,
    /// The folder that it starts in, in place of the image's.
    #[schemars(length(min = 1, max = 4096))]
    pub working_directory: Option<String>,
    /// Plain environment variables. Anybody who may read the task definition can read them: secrets go to
    /// `secrets`.
    pub environment: BTreeMap<String, String>,
    /// Variables of `environment`, labels and log options whose names or values look like secrets and are none.
    pub public: Vec<String>,
    /// Environment variables that ECS fills from Secrets Manager or the SSM parameter store: name = ARN or
    /// parameter name. This tool never reads the value.
    pub secrets: BTreeMap<String, String>,
    /// Files of environment variables in S3, by their ARNs, such as `arn:aws:s3:::bucket/prod.env`. The execution role reads
    /// them; `environment` wins over them.
    #[schemars(length(max = 10))]
    pub environment_files: Vec<String>,
    /// The containers that must be so far before it starts: `NAME = "START"`, `"HEALTHY"`, `"COMPLETE"` or `"SUCCESS"`. They
    /// stop after it.
    pub depends_on: BTreeMap<String, Condition>,
    /// The output of the log router that its logs go to, in the router's words, such as `{ Name = "loki", host = "…" }`. Without
    /// it they go to the service's log group.
    pub log_output: BTreeMap<String, String>,
    /// The container's own health check; ECS ignores a HEALTHCHECK in the image. Service Connect holds
    /// traffic back until it passes.
    pub health_check: Option<ContainerHealthCheck>,
    /// Seconds between SIGTERM and SIGKILL. Fargate takes 2 to 120.
    #[schemars(range(min = 2, max = 120))]
    pub stop_timeout_secs: u32,
    /// Whether the root file system is read-only. That of a sidecar with an image of its own is writable when this is omitted.
    pub readonly_root: bool,
    /// Whether `/tmp` is a writable volume beside a read-only root: empty at the task's start and gone at its end.
    /// An image of a Dockerfile must declare it: `RUN mkdir -p /tmp && chmod 1777 /tmp`, then `VOLUME /tmp`.
    pub tmp: bool,
}

impl Default for Container {
    fn default() -> Self {
        Self {
            name: String::new(),
            port: 0,
            port_variable: "PORT".to_owned(),
            port_name: String::new(),
            app_protocol: None,
            command: Vec::new(),
            entry_point: Vec::new(),
            user: None,
            working_directory: None,
            environment: BTreeMap::new(),
            public: Vec::new(),
            secrets: BTreeMap::new(),
            environment_files: Vec::new(),
            depends_on: BTreeMap::new(),
            log_output: BTreeMap::new(),
            health_check: None,
            stop_timeout_secs: 30,
            readonly_root: true,
            tmp: false,
        }
    }
}

/// `healthCheck` of a container definition. The ranges are those of ECS's HealthCheck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContainerHealthCheck {
    /// `["CMD", "/app/NAME", "probe"]` runs a program of the image, `["CMD-SHELL", "…"]` needs a shell in it.
    #[schemars(length(min = 2, max = 64))]
    pub command: Vec<String>,
    /// Seconds from one check to the next.
    #[schemars(range(min = 5, max = 300))]
    pub interval_secs: u32,
    /// Seconds after which a check has failed.
    #[schemars(range(min = 2, max = 60))]
    pub timeout_secs: u32,
    /// Failures in a row that make the container unhealthy.
    #[schemars(range(min = 1, max = 10))]
    pub retries: u32,
    /// Seconds after the start in which failures do not count.
    #[schemars(range(min = 0, max = 300))]
    pub start_period_secs: u32,
}

impl Default for ContainerHealthCheck {
    fn default() -> Self {
        Self { command: Vec::new(), interval_secs: 10, timeout_secs: 5, retries: 3, start_period_secs: 30 }
    }
}

/// The CloudWatch log group of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LogGroup {
    /// The log group's name, such as `/ecs/backend`.
    pub name: String,
    /// Days that its events are kept; 0 keeps them for ever. CloudWatch Logs takes certain numbers only, such as 7, 14, 30, 90,
    /// 365.
    #[schemars(range(min = 0, max = 3653))]
    pub retention_days: u32,
    /// How the names of its streams begin. The service's short name when omitted.
    #[schemars(length(min = 1, max = 256))]
    pub stream_prefix: String,
}

impl Default for LogGroup {
    fn default() -> Self {
        Self { name: String::new(), retention_days: 30, stream_prefix: String::new() }
    }
}
