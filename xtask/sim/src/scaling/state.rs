//! What Application Auto Scaling remembers.

use std::collections::BTreeMap;

use super::policies::Policy;
use super::scheduled::{Due, Scheduled};
use super::targets::{Activity, Target};
use crate::clock::Timers;

/// All scaling state of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) targets: BTreeMap<String, Target>,
    /// By resource id and policy name.
    pub(super) policies: BTreeMap<(String, String), Policy>,
    /// By resource id and action name.
    pub(super) scheduled: BTreeMap<(String, String), Scheduled>,
    /// Versions of scheduled actions so far.
    pub(super) epochs: u64,
    /// Oldest first, as they happened; DescribeScalingActivities answers newest first.
    pub(super) activities: Vec<Activity>,
    pub(crate) timers: Timers<Due>,
}

/// The code of every refusal of a parameter.
pub(super) const INVALID: &str = "ValidationException";
