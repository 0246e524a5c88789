//! CloudWatch: metrics of ECS services and load balancers, minute by minute, and alarms. Expressions, percentiles, composite
//! alarms and anomaly detection are not served.

mod alarms;
mod evaluation;
mod metrics;
mod minutes;
mod state;
mod statistics;
#[cfg(test)]
mod tests;

pub(crate) use self::alarms::{set_up, take_down};
pub(crate) use self::evaluation::evaluate;
pub(crate) use self::metrics::{Metric, Metrics, Samples};
pub(crate) use self::minutes::{arm, minute_before, minute_over};
pub(crate) use self::state::{Due, State};
use crate::base::Handler;
use crate::wire::Operations;

pub(crate) const OPERATIONS: Operations<Handler<State>> = &[
    ("DeleteAlarms", |_, cloudwatch, _, request| alarms::delete(cloudwatch, request)),
    ("DescribeAlarmHistory", |_, cloudwatch, _, request| alarms::history(cloudwatch, request)),
    ("DescribeAlarms", |base, cloudwatch, _, request| alarms::describe(base, cloudwatch, request)),
    ("DescribeAlarmsForMetric", |base, cloudwatch, _, request| {
        alarms::describe_for_metric(base, cloudwatch, request)
    }),
    ("DisableAlarmActions", |_, cloudwatch, _, request| alarms::switch(cloudwatch, request, false)),
    ("EnableAlarmActions", |_, cloudwatch, _, request| alarms::switch(cloudwatch, request, true)),
    ("GetMetricData", |_, cloudwatch, _, request| statistics::data(cloudwatch, request)),
    ("GetMetricStatistics", |_, cloudwatch, _, request| statistics::get(cloudwatch, request)),
    ("ListMetrics", |_, cloudwatch, _, request| statistics::list(cloudwatch, request)),
    ("PutMetricAlarm", |_, cloudwatch, now, request| alarms::put(cloudwatch, now, request)),
    ("PutMetricData", statistics::put),
    ("SetAlarmState", |_, cloudwatch, now, request| alarms::set(cloudwatch, now, request)),
];
