//! CloudWatch alarms: they are put, and somebody sets their states. There are no metrics that would.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::{Account, Millis, Operations};
use crate::wire::{ApiError, ApiRequest, Outcome, params};

/// The alarms of the account.
#[derive(Debug, Default)]
pub(crate) struct State(BTreeMap<String, Alarm>);

#[derive(Debug)]
struct Alarm {
    /// The members that PutMetricAlarm got.
    members: Value,
    state: String,
    reason: String,
    updated: Millis,
}

impl State {
    /// Which of these alarms are in ALARM.
    pub(crate) fn ringing(&self, names: &[String]) -> Vec<String> {
        let rings = |name: &&String| self.0.get(*name).is_some_and(|alarm| alarm.state == "ALARM");
        names.iter().filter(rings).cloned().collect()
    }

    /// Seconds after which the slowest of these alarms would have noticed something.
    pub(crate) fn notices_after(&self, names: &[String]) -> u64 {
        let number = |alarm: &Alarm, member: &str| alarm.members[member].as_u64().unwrap_or(0);
        let alarms = names.iter().filter_map(|name| self.0.get(name));
        alarms.map(|it| number(it, "Period") * number(it, "EvaluationPeriods")).max().unwrap_or(0)
    }
}

/// What is served, by name.
pub(crate) const OPERATIONS: Operations = &[
    ("PutMetricAlarm", put),
    ("DescribeAlarms", |account, _, request| describe(account, request)),
    ("SetAlarmState", set),
    ("DeleteAlarms", |account, _, request| delete(account, request)),
];

/// An alarm that exists keeps its state.
fn put(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let text = |member: &str| request.params[member].as_str().filter(|text| !text.is_empty());
    let missing = |member: &str| ApiError::new("ValidationError", format!("{member} is required."));
    let name = text("AlarmName").ok_or_else(|| missing("AlarmName"))?.to_owned();
    text("ComparisonOperator").ok_or_else(|| missing("ComparisonOperator"))?;
    if request.params["EvaluationPeriods"].is_null() {
        return Err(missing("EvaluationPeriods"));
    }
    let members = request.params.clone();
    let (state, reason) = ("INSUFFICIENT_DATA".to_owned(), "Unchecked: Initial alarm creation".to_owned());
    let alarm = account.cloudwatch.0.entry(name);
    alarm.or_insert(Alarm { members: Value::Null, state, reason, updated: now }).members = members;
    Ok(json!({}))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Describe {
    alarm_names: Vec<String>,
    alarm_name_prefix: String,
    state_value: Option<String>,
}

fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let wanted = |name: &String, alarm: &Alarm| {
        (asked.alarm_names.is_empty() || asked.alarm_names.contains(name))
            && name.starts_with(&asked.alarm_name_prefix)
            && asked.state_value.as_ref().is_none_or(|state| *state == alarm.state)
    };
    let found = account.cloudwatch.0.iter().filter(|(name, alarm)| wanted(name, alarm));
    let shown = found.map(|(name, alarm)| {
        let mut view = alarm.members.clone();
        view["AlarmArn"] = json!(account.arn("cloudwatch", &format!("alarm:{name}")));
        view["StateValue"] = json!(alarm.state);
        view["StateReason"] = json!(alarm.reason);
        view["StateUpdatedTimestamp"] = json!(alarm.updated.epoch_secs());
        view
    });
    Ok(json!({ "MetricAlarms": shown.collect::<Vec<_>>(), "CompositeAlarms": [] }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    alarm_name: String,
    state_value: String,
    state_reason: String,
}

fn set(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Set = params(request)?;
    if !["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&asked.state_value.as_str()) {
        return Err(ApiError::new("ValidationError", format!("Invalid StateValue: {}", asked.state_value)));
    }
    let unknown = || ApiError::new("ResourceNotFound", format!("Unknown alarm: {}", asked.alarm_name));
    let alarm = account.cloudwatch.0.get_mut(&asked.alarm_name).ok_or_else(unknown)?;
    alarm.state = asked.state_value;
    alarm.reason = asked.state_reason;
    alarm.updated = now;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    alarm_names: Vec<String>,
}

fn delete(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Delete = params(request)?;
    if let Some(unknown) = asked.alarm_names.iter().find(|name| !account.cloudwatch.0.contains_key(*name)) {
        return Err(ApiError::new("ResourceNotFound", format!("Unknown alarm: {unknown}")));
    }
    account.cloudwatch.0.retain(|name, _| !asked.alarm_names.contains(name));
    Ok(json!({}))
}
