//! The shape of `deploy.toml`: every key, its range, its default and its explanation.
//!
//! These types are the single source of the JSON schema (descriptions are the doc comments), of the
//! structural check (`shape` walks the schema) and of the defaults. Values keep their place in the file.
//! What a key means together with others is the rules' job, not this module's.
//!
//! A key that must be given is an `Option` without a default; `resolve` reports it when it is missing.

mod build;
mod container;
mod network;
mod rollout;
mod service;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use build::{Build, BuildSecret};
pub(crate) use container::{Connect, Container, ContainerHealthCheck};
pub(crate) use network::{Listener, LoadBalancer, Network, Scheme};
pub(crate) use rollout::{Deployment, Policy, Scaling};
pub(crate) use service::{LogGroup, Repository, Service, SmokeCheck, TargetGroup};

use super::setting::Setting;
use crate::model::{Kind, Undo, Workload};

/// What can be said for all environments at the top of the file, and for one in `[env.NAME]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// The application's name: the value of the `app` tag on everything that the tool creates.
    #[schemars(length(min = 1, max = 128))]
    pub(crate) app: Option<Setting<String>>,
    /// Where the environment runs: `aws`, or `local` for the embedded cloud.
    pub(crate) kind: Setting<Kind>,
    /// What the embedded cloud runs tasks as that start from now on: `processes`, `containers` of Docker or Podman, or
    /// `auto`: each task as a process when every executable of it needs nothing beside itself, else as containers.
    pub(crate) workload: Setting<Workload>,
    /// The AWS region, such as `ap-southeast-1`.
    pub(crate) region: Option<Setting<String>>,
    /// The only account that may be touched: 12 digits in quotes. Any other account is refused before
    /// anything is written. Without it the credentials alone decide.
    pub(crate) account: Option<Setting<String>>,
    /// Whether a deploy asks before it writes (elsewhere than on a terminal: needs `--yes`).
    pub(crate) confirm: Setting<bool>,
    /// The ECS cluster.
    pub(crate) cluster: Option<Setting<String>>,
    /// The Cloud Map namespace of Service Connect.
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) namespace: Option<Setting<String>>,
    /// Where tasks get their addresses.
    pub(crate) network: Setting<Network>,
    /// The application load balancer that all services share.
    pub(crate) load_balancer: Setting<LoadBalancer>,
    /// When one service of a release fails: `release` puts back the others that it moved, `service` leaves each to itself.
    pub(crate) undo: Setting<Undo>,
    /// The requests that show whether a roll is seen from outside.
    pub(crate) availability: Setting<Availability>,
    /// How long the tool waits for what.
    pub(crate) timeouts: Setting<Timeouts>,
    /// What holds for every service that does not say otherwise itself. A service's own value wins, also over
    /// `every-service` of an environment.
    pub(crate) every_service: Option<Setting<Service>>,
    /// The services, by short name.
    pub(crate) service: BTreeMap<Setting<String>, Setting<Service>>,
}

/// Requests to the paths of the smoke checks while services roll. They decide nothing: what failed is told, beside the
/// moment of the roll.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Availability {
    /// Whether there are any.
    pub(crate) enable: Setting<bool>,
    /// How many a second, over all paths.
    #[schemars(range(min = 0.1, max = 10.0))]
    pub(crate) per_second: Setting<f64>,
}

impl Default for Availability {
    fn default() -> Self {
        Self { enable: true.into(), per_second: 1.0.into() }
    }
}

/// How long the tool waits for what, in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Timeouts {
    /// Seconds for a service to settle, for every service that does not say its own; derived from each service's settings
    /// when absent. When they have passed ECS is asked to put the previous revision back.
    #[schemars(range(min = 10, max = 86400))]
    pub(crate) settle_secs: Option<Setting<u64>>,
    /// Seconds for the smoke checks to pass once everything has settled.
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) smoke_secs: Setting<u64>,
    /// Seconds between two looks at a deployment that is rolling.
    #[schemars(range(min = 1, max = 60))]
    pub(crate) poll_secs: Setting<u64>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { settle_secs: None, smoke_secs: 60.into(), poll_secs: 5.into() }
    }
}
