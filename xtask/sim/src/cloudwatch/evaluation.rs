//! What a minute's data does to the alarms (CloudWatch user guide, "Evaluating an alarm").

use serde::Deserialize;

use super::alarms::{self, Alarm};
use super::metrics::{MINUTE, Metrics};
use super::state::State;
use super::statistics::Named;
use crate::clock::Millis;

/// Evaluates every alarm whose metric there is, and gives those that ring with their metric's newest datapoint: their scaling
/// policies act, minute by minute. The state of an alarm whose metric nobody measures here stays as somebody set it.
pub(crate) fn evaluate(cloudwatch: &mut State, now: Millis) -> Vec<(String, f64)> {
    let verdicts: Vec<(String, Verdict)> = cloudwatch
        .alarms
        .iter()
        .filter_map(|(name, alarm)| Some((name.clone(), judge(&cloudwatch.metrics, alarm, now)?)))
        .collect();
    let mut ringing = Vec::new();
    for (name, Verdict { state, reason, newest }) in verdicts {
        alarms::turn(cloudwatch, now, &name, state, reason);
        let acts = cloudwatch.alarms.get(&name).is_some_and(Alarm::acts);
        if let (Some(value), "ALARM", true) = (newest, state, acts) {
            ringing.push((name, value));
        }
    }
    ringing
}

struct Verdict {
    state: &'static str,
    reason: String,
    newest: Option<f64>,
}

/// `None` when the alarm watches nothing that is measured here.
fn judge(metrics: &Metrics, alarm: &Alarm, now: Millis) -> Option<Verdict> {
    let metric = Named::deserialize(&alarm.members).ok()?.metric();
    if !metrics.knows(&metric) {
        return None;
    }
    let period = (alarm.number("Period")? as u64).max(60) * 1000;
    let wanted = alarm.number("EvaluationPeriods")? as u64;
    let needed = alarm.number("DatapointsToAlarm").map_or(wanted, |needed| needed as u64);
    let threshold = alarm.number("Threshold")?;
    let statistic = alarm.members["Statistic"].as_str()?;
    // The running minute is not over; before it, whole periods.
    let end = now.0 / MINUTE * MINUTE;
    let points: Vec<Option<f64>> = (0..wanted)
        .map(|back| {
            let until = end.saturating_sub(back * period);
            let samples = metrics.within(&metric, Millis(until.saturating_sub(period)), Millis(until));
            samples.and_then(|samples| samples.statistic(statistic))
        })
        .collect();
    let operator = alarm.members["ComparisonOperator"].as_str()?;
    let breaches = |value: f64| match operator {
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "GreaterThanThreshold" => value > threshold,
        "LessThanThreshold" => value < threshold,
        "LessThanOrEqualToThreshold" => value <= threshold,
        _ => false,
    };
    let missing = alarm.members["TreatMissingData"].as_str().unwrap_or("missing");
    let present: Vec<f64> = points.iter().copied().flatten().collect();
    let absent = points.len() - present.len();
    let breaching = present.iter().filter(|value| breaches(**value)).count()
        + if missing == "breaching" { absent } else { 0 };
    let state = match missing {
        _ if breaching as u64 >= needed => "ALARM",
        // The missing ones could decide it either way.
        "ignore" if (breaching + absent) as u64 >= needed => return None,
        "missing" if present.is_empty() => "INSUFFICIENT_DATA",
        _ => "OK",
    };
    let shown: Vec<String> = present.iter().map(|value| format!("{value:.1}")).collect();
    let reason = match state {
        "INSUFFICIENT_DATA" => format!("Insufficient Data: {wanted} datapoints were unknown."),
        _ => format!(
            "Threshold Crossed: {breaching} out of the last {wanted} datapoints [{}] breached the threshold ({threshold}, \
             {operator}); {needed} are needed for ALARM.",
            shown.join(", ")
        ),
    };
    Some(Verdict { state, reason, newest: present.first().copied() })
}
