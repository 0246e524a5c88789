//! CloudWatch: metrics of ECS services and load balancers, minute by minute, and alarms. Expressions, percentiles, composite
//! alarms and anomaly detection are not served.

mod alarms;
mod evaluation;
mod metrics;
mod statistics;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use self::alarms::{Alarm, HistoryItem};
pub(crate) use self::alarms::{set_up, take_down};
use self::metrics::{MINUTE, Metrics};
pub(crate) use self::metrics::{Metric, Samples};
use crate::account::{self, Account, Millis, Operations};
use crate::{ecs, elb};

/// The alarms and metrics of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    alarms: BTreeMap<String, Alarm>,
    pub(crate) metrics: Metrics,
    history: VecDeque<HistoryItem>,
    /// The end of the minute is waited for.
    armed: bool,
    /// An alarm has another state than when ECS last looked at those of its deployments.
    pub(crate) changed: bool,
}

#[derive(Debug)]
pub(crate) enum Due {
    /// The end of a minute: what happened in it is measured.
    Minute,
    /// What was measured is there.
    Evaluate,
}

/// What tasks answer is there by then.
const MEASURED_SECS: u64 = 5;

/// After the last measurement, alarms are looked at for as long as the longest of scaling remembers.
const AFTERMATH_SECS: u64 = 20 * 60;

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

pub(crate) const OPERATIONS: Operations = &[
    ("DeleteAlarms", |account, _, request| alarms::delete(account, request)),
    ("DescribeAlarmHistory", |account, _, request| alarms::history(account, request)),
    ("DescribeAlarms", |account, _, request| alarms::describe(account, request)),
    ("DescribeAlarmsForMetric", |account, _, request| alarms::describe_for_metric(account, request)),
    ("DisableAlarmActions", |account, _, request| alarms::switch(account, request, false)),
    ("EnableAlarmActions", |account, _, request| alarms::switch(account, request, true)),
    ("GetMetricData", |account, _, request| statistics::data(account, request)),
    ("GetMetricStatistics", |account, _, request| statistics::get(account, request)),
    ("ListMetrics", |account, _, request| statistics::list(account, request)),
    ("PutMetricAlarm", alarms::put),
    ("PutMetricData", statistics::put),
    ("SetAlarmState", alarms::set),
];

/// Has the end of the running minute noticed. An account in which nothing runs has no minutes.
pub(crate) fn arm(account: &mut Account, now: Millis) {
    if !account.cloudwatch.armed {
        account.cloudwatch.armed = true;
        let at = Millis((now.0 / MINUTE + 1) * MINUTE);
        account.timers.push(at, account::Due::CloudWatch(Due::Minute));
    }
}

pub(crate) fn due(account: &mut Account, now: Millis, due: Due) {
    match due {
        Due::Minute => {
            account.cloudwatch.armed = false;
            let minute = Millis(now.0 - MINUTE);
            let runs = ecs::ask_for_usage(account);
            elb::measure(account, minute);
            let since = Millis(now.0.saturating_sub(AFTERMATH_SECS * 1000));
            if runs || account.cloudwatch.metrics.measured_since(since) {
                account.timers.push(now.plus_secs(MEASURED_SECS), account::Due::CloudWatch(Due::Evaluate));
                arm(account, now);
            }
        }
        Due::Evaluate => evaluation::evaluate(account, now),
    }
}
