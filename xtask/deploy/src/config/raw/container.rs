//! `[service.NAME.container]` and `[service.NAME.connect]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::setting::Setting;

/// The one container of a service's tasks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Container {
    /// Its name; `aws ecs execute-command --container` takes it.
    pub(crate) name: Option<Setting<String>>,
    /// The port that it listens on. It is told by the environment variable `PORT`.
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: Option<Setting<u16>>,
    /// The port mapping's name, which Service Connect refers to. The container's name when omitted.
    pub(crate) port_name: Option<Setting<String>>,
    /// Plain environment variables. Anybody who may read the task definition can read them: secrets go to
    /// `secrets`.
    pub(crate) environment: BTreeMap<Setting<String>, Setting<String>>,
    /// Variables of `environment` whose names or values look like secrets and are none.
    pub(crate) public: Vec<Setting<String>>,
    /// Environment variables that ECS fills from Secrets Manager or the SSM parameter store: name = ARN or
    /// parameter name. The value itself is never seen by this tool.
    pub(crate) secrets: BTreeMap<Setting<String>, Setting<String>>,
    /// The container's own health check; ECS ignores a HEALTHCHECK in the image. Service Connect holds
    /// traffic back until it passes.
    pub(crate) health_check: Option<Setting<ContainerHealthCheck>>,
    /// Seconds between SIGTERM and SIGKILL. Fargate takes 2 to 120.
    #[schemars(range(min = 2, max = 120))]
    pub(crate) stop_timeout_secs: Setting<u32>,
    /// Whether the root file system is read-only.
    pub(crate) readonly_root: Setting<bool>,
    /// Whether `/tmp` is a writable volume beside a read-only root: empty at the task's start and gone at its end.
    /// An image of a Dockerfile must declare it: `RUN mkdir -p /tmp && chmod 1777 /tmp`, then `VOLUME /tmp`.
    pub(crate) tmp: Setting<bool>,
}

impl Default for Container {
    fn default() -> Self {
        Self {
            name: None,
            port: None,
            port_name: None,
            environment: BTreeMap::new(),
            public: Vec::new(),
            secrets: BTreeMap::new(),
            health_check: None,
            stop_timeout_secs: 30.into(),
            readonly_root: true.into(),
            tmp: false.into(),
        }
    }
}

/// `healthCheck` of a container definition. The ranges are those of ECS's HealthCheck.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ContainerHealthCheck {
    /// `["CMD", "/app/NAME", "probe"]` runs a program of the image, `["CMD-SHELL", "…"]` needs a shell in it.
    #[schemars(length(min = 2, max = 64))]
    pub(crate) command: Option<Setting<Vec<Setting<String>>>>,
    /// Seconds from one check to the next.
    #[schemars(range(min = 5, max = 300))]
    pub(crate) interval_secs: Setting<u32>,
    /// Seconds after which a check has failed.
    #[schemars(range(min = 2, max = 60))]
    pub(crate) timeout_secs: Setting<u32>,
    /// Failures in a row that make the container unhealthy.
    #[schemars(range(min = 1, max = 10))]
    pub(crate) retries: Setting<u32>,
    /// Seconds after the start in which failures do not count.
    #[schemars(range(min = 0, max = 300))]
    pub(crate) start_period_secs: Setting<u32>,
}

impl Default for ContainerHealthCheck {
    fn default() -> Self {
        Self {
            command: None,
            interval_secs: 10.into(),
            timeout_secs: 5.into(),
            retries: 3.into(),
            start_period_secs: 30.into(),
        }
    }
}

/// The Service Connect endpoint that makes a service reachable for others in the namespace. Without it
/// the service is a client only.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Connect {
    /// Unique in the namespace. The port's name when omitted.
    pub(crate) discovery_name: Option<Setting<String>>,
    /// How clients call it.
    pub(crate) alias: Setting<Alias>,
}

/// What clients of a Service Connect endpoint use.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Alias {
    /// The port that clients use. The container's port when omitted.
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: Option<Setting<u16>>,
    /// The name that clients use. `DISCOVERY-NAME.NAMESPACE` when omitted.
    pub(crate) dns: Option<Setting<String>>,
}
