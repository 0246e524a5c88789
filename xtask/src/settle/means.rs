//! What deployments are followed with.

use std::time::Duration;

use crate::aws::Aws;
use crate::host::Halt;
use crate::report::Recorder;

/// How deployments are watched.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// The account.
    pub aws: &'a Aws,
    /// The record.
    pub events: &'a Recorder,
    /// The cluster's name.
    pub cluster: &'a str,
    /// Between two polls.
    pub every: Duration,
    /// Whether a stop was asked for.
    pub halt: &'a Halt,
    /// Whether ECS is asked to put the previous revision back when a deployment's time is over.
    pub put_back: bool,
}
