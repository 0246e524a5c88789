//! What deployments are followed with.

use std::time::Duration;

use crate::aws::Aws;
use crate::host::Halt;
use crate::report::Recorder;

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
