//! What `deploy.toml` says of one environment.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named::named;
use super::{LoadBalancer, Lookup, Network, Service, ServiceKey};

/// What can be said for all environments at the top of the file, and for one in `[env.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Environment {
    /// The environment's name, such as `prod`.
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    pub name: String,
    /// The application's name: the value of the `app` tag on everything that the tool creates.
    #[schemars(length(min = 1, max = 128))]
    pub app: String,
    /// Where the environment runs: `aws`, or `local` for the embedded cloud.
    pub kind: Kind,
    /// What the embedded cloud runs tasks as that start from now on: `processes`, `containers` of Docker or Podman, or
    /// `auto`: each task as a process when every executable of it needs nothing beside itself, else as containers.
    pub workload: Workload,
    /// The AWS region, such as `ap-southeast-1`.
    pub region: String,
    /// The only account that may be touched: 12 digits in quotes. Any other account is refused before
    /// anything is written. Without it the credentials alone decide.
    pub account: Option<String>,
    /// Whether a deploy asks before it writes (elsewhere than on a terminal: needs `--yes`).
    pub confirm: bool,
    /// The ECS cluster that the services run in.
    pub cluster: String,
    /// The Cloud Map namespace of Service Connect.
    #[schemars(length(min = 1, max = 1024))]
    pub namespace: String,
    /// Where tasks get their addresses.
    pub network: Network,
    /// The application load balancer that all services share.
    pub load_balancer: LoadBalancer,
    /// When one service of a release fails: `release` restores everything that the release changed, `service` leaves each to ECS's own rollback.
    pub undo: Undo,
    /// The requests that show whether a roll is seen from outside.
    pub availability: Availability,
    /// How long the tool waits for what.
    pub timeouts: Timeouts,
    /// The services, by short name.
    // Once loaded, each comes after those that it depends on.
    #[serde(rename = "service", deserialize_with = "named")]
    #[schemars(with = "BTreeMap<String, Service>")]
    pub services: Vec<Service>,
    /// The paths of all keys that the file has for it, such as `service.backend.cpu`: the others have defaults.
    #[serde(skip)]
    #[schemars(skip)]
    pub written: BTreeSet<String>,
}

/// Requests to the paths of the smoke checks while services roll and bake. What fails is shown with the last event of the roll before it;
/// a path that keeps failing during the bake refutes the release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Availability {
    /// Whether requests are sent while services roll.
    pub enable: bool,
    /// How many a second, over all paths.
    #[schemars(range(min = 0.1, max = 10.0))]
    pub per_second: f64,
}

impl Availability {
    /// Requests a second; `None` makes none.
    pub fn rate(&self) -> Option<f64> {
        self.enable.then_some(self.per_second)
    }
}

impl Default for Availability {
    fn default() -> Self {
        Self { enable: true, per_second: 1.0 }
    }
}

/// How long the tool waits for what, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Timeouts {
    /// Seconds for a service to settle, for every service that does not say its own; derived from each service's settings
    /// when absent. After them ECS is asked to roll back to the previous revision.
    #[schemars(range(min = 10, max = 86400))]
    pub settle_secs: Option<u64>,
    /// Seconds for the smoke checks to pass once everything has settled.
    #[schemars(range(min = 1, max = 3600))]
    pub smoke_secs: u64,
    /// Seconds between two looks at a deployment that is rolling.
    #[schemars(range(min = 1, max = 60))]
    pub poll_secs: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { settle_secs: None, smoke_secs: 60, poll_secs: 5 }
    }
}

/// What is restored when one service of a release fails, or the release is not proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// Every service that the release changed.
    #[default]
    Release,
    /// The failed service alone, by ECS's own rollback.
    Service,
}

/// Where an environment runs: on AWS or locally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// On the embedded cloud, started when needed.
    Local,
    /// On AWS, or on whatever `AWS_ENDPOINT_URL` names.
    #[default]
    Aws,
}

/// What the embedded cloud runs tasks as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// As processes where every entry point is an executable that needs nothing beside itself; else as containers.
    #[default]
    Auto,
    /// Processes of this machine: no engine is needed, and nothing is isolated.
    Processes,
    /// Containers of Docker or Podman.
    Containers,
}

impl Workload {
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Processes => "processes",
            Self::Containers => "containers",
        }
    }
}

impl Environment {
    /// The service called `key`, if the environment has it.
    pub fn service(&self, key: &ServiceKey) -> Option<&Service> {
        self.services.iter().find(|service| service.key == *key)
    }

    /// The subnets of a service's tasks.
    pub fn subnets<'a>(&'a self, service: &'a Service) -> &'a [Lookup] {
        let own = &service.network.subnets;
        if own.is_empty() { &self.network.subnets } else { own }
    }

    /// The load balancer; `None` where every service is a worker.
    pub fn balancer(&self) -> Option<&LoadBalancer> {
        self.services.iter().any(|service| service.load_balancer).then_some(&self.load_balancer)
    }

    /// Whether any service takes part in Service Connect, which needs the namespace.
    pub fn connects(&self) -> bool {
        self.services.iter().any(Service::connects)
    }
}
