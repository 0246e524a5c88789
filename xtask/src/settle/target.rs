//! What is waited for, and with what.

use std::collections::BTreeMap;
use std::time::Duration;

use deploy::model::{LogGroup, OnPlainCause, Patience, ServiceKey};
use deploy::rollout::Pace;

use crate::apply::Deployed;
use crate::aws::Aws;
use crate::host::Halt;
use crate::report::Recorder;

/// What deployments are followed with.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    pub aws: &'a Aws,
    pub events: &'a Recorder,
    pub cluster: &'a str,
    pub every: Duration,
    /// Whether a stop was asked for.
    pub halt: &'a Halt,
    /// Whether ECS is asked to roll back at a deployment's deadline.
    pub roll_back: bool,
}

/// A deployment to wait for.
#[derive(Clone, Debug)]
pub struct Target {
    pub key: ServiceKey,
    pub service: String,
    /// Its target group's ARN; `None` for a worker.
    pub target_group: Option<String>,
    pub deployed: Deployed,
    pub container: String,
    pub port: u16,
    pub health_path: String,
    /// The health checks of its essential containers, each as one line.
    pub health_commands: BTreeMap<String, String>,
    /// The status codes that pass it.
    pub health_matcher: String,
    /// Its log group, and how the names of its streams begin.
    pub log: LogGroup,
    /// How long its parts may take.
    pub patience: Patience,
    /// How long things take by its settings.
    pub pace: Pace,
    /// What a plain cause leads to.
    pub on_plain_cause: OnPlainCause,
    /// Whether it is of the embedded cloud.
    pub embedded: bool,
}
