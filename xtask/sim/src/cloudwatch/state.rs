//! What CloudWatch remembers.

use std::collections::{BTreeMap, VecDeque};

use super::alarms::{Alarm, HistoryItem};
use super::metrics::Metrics;
use crate::clock::Timers;

/// The alarms and metrics of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) alarms: BTreeMap<String, Alarm>,
    pub(crate) metrics: Metrics,
    pub(super) history: VecDeque<HistoryItem>,
    /// The end of the minute is waited for.
    pub(super) armed: bool,
    /// An alarm has another state than when ECS last looked at those of its deployments.
    pub(crate) changed: bool,
    pub(crate) timers: Timers<Due>,
}

#[derive(Debug)]
pub(crate) enum Due {
    /// The end of a minute: what happened in it is measured.
    Minute,
    /// What was measured is there.
    Evaluate,
}

impl State {
    /// Which of these alarms are in ALARM.
    pub(crate) fn ringing(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| self.rings(name)).cloned().collect()
    }

    /// The alarms with this action.
    pub(crate) fn alarms_of<'a>(&'a self, action: &'a str) -> impl Iterator<Item = &'a String> {
        self.alarms
            .iter()
            .filter(move |(_, alarm)| alarm.actions().any(|own| own == action))
            .map(|(name, _)| name)
    }

    /// The actions of an alarm, and its threshold.
    pub(crate) fn alarm(&self, name: &str) -> Option<(Vec<&str>, f64)> {
        let alarm = self.alarms.get(name)?;
        Some((alarm.actions().collect(), alarm.number("Threshold").unwrap_or_default()))
    }

    pub(crate) fn rings(&self, name: &str) -> bool {
        self.alarms.get(name).is_some_and(|alarm| alarm.state == "ALARM")
    }

    /// Seconds after which the slowest of these alarms would have noticed something.
    pub(crate) fn notices_after(&self, names: &[String]) -> u64 {
        let number = |alarm: &Alarm, member: &str| alarm.number(member).unwrap_or(0.0) as u64;
        let alarms = names.iter().filter_map(|name| self.alarms.get(name));
        alarms.map(|it| number(it, "Period") * number(it, "EvaluationPeriods")).max().unwrap_or(0)
    }
}
