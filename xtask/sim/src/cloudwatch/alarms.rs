//! Alarms: they are put, by callers and by scaling policies; metrics, or somebody by hand, set their states.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::State;
use super::statistics::Named;
use crate::base::{Base, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome, drop_nulls, iso8601, listing, params};

#[derive(Debug)]
pub(super) struct Alarm {
    /// The members that PutMetricAlarm got.
    pub(super) members: Value,
    pub(super) state: String,
    pub(super) reason: String,
    /// When its state was set last, and when it changed last.
    pub(super) updated: Millis,
    changed: Millis,
}

#[derive(Debug)]
pub(super) struct HistoryItem {
    alarm: String,
    at: Millis,
    kind: &'static str,
    summary: String,
}

/// CloudWatch keeps two weeks; here the newest are enough.
const MOST_HISTORY: usize = 1000;

impl Alarm {
    pub(super) fn number(&self, member: &str) -> Option<f64> {
        self.members[member].as_f64()
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = &str> {
        self.members["AlarmActions"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    pub(super) fn acts(&self) -> bool {
        self.members["ActionsEnabled"] != false
    }
}

/// An alarm that exists keeps its state.
pub(super) fn put(cloudwatch: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let text = |member: &str| request.params[member].as_str().filter(|text| !text.is_empty());
    let missing = |member: &str| ApiError::new("ValidationError", format!("{member} is required."));
    let name = text("AlarmName").ok_or_else(|| missing("AlarmName"))?.to_owned();
    text("ComparisonOperator").ok_or_else(|| missing("ComparisonOperator"))?;
    if request.params["EvaluationPeriods"].is_null() {
        return Err(missing("EvaluationPeriods"));
    }
    bounds(&request.params)?;
    set_up(cloudwatch, now, &name, request.params.clone());
    Ok(json!({}))
}

/// Source: CloudWatch API, PutMetricAlarm: all periods together are at most seven days.
fn bounds(params: &Value) -> Result<(), ApiError> {
    let invalid = |text: &str| ApiError::new("ValidationError", text);
    let number = |member: &str| params[member].as_i64();
    let periods = number("EvaluationPeriods").unwrap_or(0);
    let period = number("Period").unwrap_or(60);
    if periods < 1 || period < 1 || periods.saturating_mul(period) > 7 * 86_400 {
        return Err(invalid(
            "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)",
        ));
    }
    match number("DatapointsToAlarm") {
        Some(datapoints) if !(1..=periods).contains(&datapoints) => {
            Err(invalid("DatapointsToAlarm must be between 1 and EvaluationPeriods"))
        }
        _ => Ok(()),
    }
}

/// Puts an alarm, as a scaling policy does.
pub(crate) fn set_up(cloudwatch: &mut State, now: Millis, name: &str, mut members: Value) {
    drop_nulls(&mut members);
    let (state, reason) = ("INSUFFICIENT_DATA".to_owned(), "Unchecked: Initial alarm creation".to_owned());
    let new = Alarm { members: Value::Null, state, reason, updated: now, changed: now };
    let alarms = &mut cloudwatch.alarms;
    let summary =
        format!("Alarm \"{name}\" {}", if alarms.contains_key(name) { "updated" } else { "created" });
    alarms.entry(name.to_owned()).or_insert(new).members = members;
    note(cloudwatch, now, name, "ConfigurationUpdate", summary);
}

/// Removes alarms of a scaling policy, without a word about those that are gone.
pub(crate) fn take_down(cloudwatch: &mut State, names: &[String]) {
    cloudwatch.alarms.retain(|name, _| !names.contains(name));
}

fn note(cloudwatch: &mut State, now: Millis, alarm: &str, kind: &'static str, summary: String) {
    let history = &mut cloudwatch.history;
    history.push_back(HistoryItem { alarm: alarm.to_owned(), at: now, kind, summary });
    if history.len() > MOST_HISTORY {
        history.pop_front();
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Describe {
    alarm_names: Vec<String>,
    alarm_name_prefix: String,
    state_value: Option<String>,
    action_prefix: String,
    /// Metric alarms, where it is not said.
    alarm_types: Vec<String>,
}

pub(super) fn describe(base: &Base, cloudwatch: &State, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let of_metrics =
        asked.alarm_types.is_empty() || asked.alarm_types.iter().any(|kind| kind == "MetricAlarm");
    let acts = |alarm: &Alarm| {
        asked.action_prefix.is_empty()
            || alarm.actions().any(|action| action.starts_with(&asked.action_prefix))
    };
    let wanted = |(name, alarm): &(&String, &Alarm)| {
        of_metrics
            && (asked.alarm_names.is_empty() || asked.alarm_names.contains(name))
            && name.starts_with(&asked.alarm_name_prefix)
            && asked.state_value.as_ref().is_none_or(|state| *state == alarm.state)
            && acts(alarm)
    };
    let found = cloudwatch.alarms.iter().filter(wanted).collect();
    let mut reply = listing(request, "MetricAlarms", (50, 100), found, |own| view(base, own))?;
    reply["CompositeAlarms"] = json!([]);
    Ok(reply)
}

fn view(base: &Base, (name, alarm): (&String, &Alarm)) -> Value {
    let mut view = alarm.members.clone();
    for list in ["OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions"] {
        if view[list].is_null() {
            view[list] = json!([]);
        }
    }
    view["ActionsEnabled"] = json!(alarm.acts());
    view["AlarmArn"] = json!(base.arn("cloudwatch", &format!("alarm:{name}")));
    view["StateValue"] = json!(alarm.state);
    view["StateReason"] = json!(alarm.reason);
    view["StateUpdatedTimestamp"] = json!(alarm.updated.epoch_secs());
    view["StateTransitionedTimestamp"] = json!(alarm.changed.epoch_secs());
    view
}

pub(super) fn describe_for_metric(base: &Base, cloudwatch: &State, request: &ApiRequest) -> Outcome {
    let asked: Named = params(request)?;
    let wanted = asked.metric();
    let watches = |(_, alarm): &(&String, &Alarm)| {
        let own: Result<Named, _> = Named::deserialize(&alarm.members);
        own.is_ok_and(|own| {
            let own = own.metric();
            (&own.namespace, &own.name) == (&wanted.namespace, &wanted.name)
                && (wanted.dimensions.is_empty() || own.dimensions == wanted.dimensions)
        })
    };
    let found = cloudwatch.alarms.iter().filter(watches);
    Ok(json!({ "MetricAlarms": found.map(|own| view(base, own)).collect::<Vec<_>>() }))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct History {
    alarm_name: Option<String>,
    history_item_type: Option<String>,
    start_date: Option<f64>,
    end_date: Option<f64>,
    scan_by: Option<String>,
}

/// The newest first, unless the request says otherwise.
pub(super) fn history(cloudwatch: &State, request: &ApiRequest) -> Outcome {
    let asked: History = params(request)?;
    let wanted = |item: &&HistoryItem| {
        let at = item.at.epoch_secs();
        asked.alarm_name.as_ref().is_none_or(|name| *name == item.alarm)
            && asked.history_item_type.as_ref().is_none_or(|kind| kind == item.kind)
            && asked.start_date.is_none_or(|start| at >= start)
            && asked.end_date.is_none_or(|end| at <= end)
    };
    let mut found: Vec<&HistoryItem> = cloudwatch.history.iter().filter(wanted).collect();
    if asked.scan_by.as_deref() != Some("TimestampAscending") {
        found.reverse();
    }
    listing(request, "AlarmHistoryItems", (50, 100), found, |item| {
        json!({
            "AlarmName": item.alarm,
            "AlarmType": "MetricAlarm",
            "Timestamp": item.at.epoch_secs(),
            "HistoryItemType": item.kind,
            "HistorySummary": item.summary,
        })
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    alarm_name: String,
    state_value: String,
    state_reason: String,
}

pub(super) fn set(cloudwatch: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Set = params(request)?;
    if !["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&asked.state_value.as_str()) {
        return Err(ApiError::new("ValidationError", format!("Invalid StateValue: {}", asked.state_value)));
    }
    if !cloudwatch.alarms.contains_key(&asked.alarm_name) {
        let text = format!("Unknown alarm: {}", asked.alarm_name);
        return Err(ApiError::new("ResourceNotFound", text));
    }
    turn(cloudwatch, now, &asked.alarm_name, &asked.state_value, asked.state_reason);
    Ok(json!({}))
}

/// Gives an alarm its state.
pub(super) fn turn(cloudwatch: &mut State, now: Millis, name: &str, state: &str, reason: String) {
    let Some(alarm) = cloudwatch.alarms.get_mut(name) else { return };
    alarm.updated = now;
    alarm.reason = reason;
    if alarm.state == state {
        return;
    }
    let summary = format!("Alarm updated from {} to {state} at {}", alarm.state, iso8601(now));
    (alarm.state, alarm.changed) = (state.to_owned(), now);
    cloudwatch.changed = true;
    note(cloudwatch, now, name, "StateUpdate", summary);
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Names {
    alarm_names: Vec<String>,
}

pub(super) fn delete(cloudwatch: &mut State, request: &ApiRequest) -> Outcome {
    let asked: Names = params(request)?;
    let alarms = &mut cloudwatch.alarms;
    if let Some(unknown) = asked.alarm_names.iter().find(|name| !alarms.contains_key(*name)) {
        return Err(ApiError::new("ResourceNotFound", format!("Unknown alarm: {unknown}")));
    }
    alarms.retain(|name, _| !asked.alarm_names.contains(name));
    Ok(json!({}))
}

/// EnableAlarmActions and DisableAlarmActions; alarms that do not exist are no error.
pub(super) fn switch(cloudwatch: &mut State, request: &ApiRequest, on: bool) -> Outcome {
    let asked: Names = params(request)?;
    for name in &asked.alarm_names {
        if let Some(alarm) = cloudwatch.alarms.get_mut(name) {
            alarm.members["ActionsEnabled"] = json!(on);
        }
    }
    Ok(json!({}))
}
