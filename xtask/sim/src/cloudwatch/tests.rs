//! Metrics and alarms as their callers see them.

use serde_json::{Value, json};

use crate::account::Account;
use crate::base::{Millis, Settings};
use crate::wire::{Api, ApiError, ApiRequest};

const START: Millis = Millis(1_790_000_040_000);

fn ask(account: &mut Account, now: Millis, operation: &str, params: Value) -> Result<Value, ApiError> {
    account.advance(now);
    account.handle(now, &ApiRequest::of(Api::CloudWatch, operation, params))
}

/// An alarm that needs two of three minutes above 5.
fn alarm(missing: &str) -> Value {
    json!({ "AlarmName": "jobs", "Namespace": "App", "MetricName": "Jobs", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": missing })
}

/// Puts these values, one a minute, and gives the alarm's state some seconds after the last one's minute.
fn state_after(values: &[Option<f64>], missing: &str) -> String {
    let mut account = Account::new(Settings::default());
    let mut now = START;
    ask(&mut account, now, "PutMetricAlarm", alarm(missing)).unwrap();
    for value in values {
        if let Some(value) = value {
            let datum = json!({ "MetricName": "Jobs", "Value": value });
            ask(&mut account, now, "PutMetricData", json!({ "Namespace": "App", "MetricData": [datum] }))
                .unwrap();
        }
        now = now.plus_secs(60);
        account.advance(now);
    }
    let shown = ask(&mut account, now.plus_secs(10), "DescribeAlarms", json!({})).unwrap();
    shown["MetricAlarms"][0]["StateValue"].as_str().unwrap().to_owned()
}

#[test]
fn an_alarm_rings_when_enough_of_its_periods_breach_and_missing_ones_count_as_it_says() {
    let (high, low) = (Some(9.0), Some(1.0));
    for (values, missing, state) in [
        (&[high, low, high][..], "missing", "ALARM"),
        (&[low, low, high], "missing", "OK"),
        (&[high, None, high], "missing", "ALARM"),
        (&[high], "missing", "OK"),
        (&[high, None, None], "breaching", "ALARM"),
        (&[high, None, None], "notBreaching", "OK"),
        (&[high, high, None, None, None], "missing", "INSUFFICIENT_DATA"),
        (&[high, high, None, None, None], "ignore", "ALARM"),
    ] {
        assert_eq!(state_after(values, missing), state, "{values:?} {missing}");
    }
}

#[test]
fn an_alarm_on_what_nobody_measures_stays_as_somebody_set_it_and_has_a_history() {
    let mut account = Account::new(Settings::default());
    ask(&mut account, START, "PutMetricAlarm", alarm("missing")).unwrap();
    let set = json!({ "AlarmName": "jobs", "StateValue": "ALARM", "StateReason": "by hand" });
    ask(&mut account, START, "SetAlarmState", set).unwrap();
    let shown =
        ask(&mut account, START.plus_secs(600), "DescribeAlarms", json!({ "StateValue": "ALARM" })).unwrap();
    assert_eq!(shown["MetricAlarms"].as_array().unwrap().len(), 1);
    let history = ask(&mut account, START, "DescribeAlarmHistory", json!({ "AlarmName": "jobs" })).unwrap();
    let items = history["AlarmHistoryItems"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["HistoryItemType"]), (2, &json!("StateUpdate")));
    let by_metric = json!({ "Namespace": "App", "MetricName": "Jobs" });
    let found = ask(&mut account, START, "DescribeAlarmsForMetric", by_metric).unwrap();
    assert_eq!(found["MetricAlarms"][0]["AlarmName"], "jobs");
    ask(&mut account, START, "DisableAlarmActions", json!({ "AlarmNames": ["jobs"] })).unwrap();
    let shown = ask(&mut account, START, "DescribeAlarms", json!({ "AlarmTypes": ["MetricAlarm"] })).unwrap();
    assert_eq!(shown["MetricAlarms"][0]["ActionsEnabled"], false);
}

#[test]
fn alarms_come_a_page_at_a_time() {
    let mut account = Account::new(Settings::default());
    for name in ["a", "b", "c"] {
        let mut one = alarm("missing");
        one["AlarmName"] = json!(name);
        ask(&mut account, START, "PutMetricAlarm", one).unwrap();
    }
    let page = ask(&mut account, START, "DescribeAlarms", json!({ "MaxRecords": 2 })).unwrap();
    assert_eq!(page["MetricAlarms"].as_array().unwrap().len(), 2);
    let next = json!({ "MaxRecords": 2, "NextToken": page["NextToken"] });
    assert_eq!(
        ask(&mut account, START, "DescribeAlarms", next).unwrap()["MetricAlarms"][0]["AlarmName"],
        "c"
    );
}

#[test]
fn what_cloudwatch_refuses_is_refused() {
    let mut account = Account::new(Settings::default());
    let datum = |at: Millis| {
        let datum = json!({ "MetricName": "Jobs", "Value": 1.0, "Timestamp": at.epoch_secs() });
        json!({ "Namespace": "App", "MetricData": [datum] })
    };
    ask(&mut account, START, "PutMetricData", datum(START.plus_secs(3600))).unwrap();
    let statistics = |members: Value| {
        let mut params = json!({ "Namespace": "A", "MetricName": "B", "StartTime": 0, "EndTime": 60, "Period": 60, "Statistics": ["Sum"] });
        params.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        params
    };
    for (operation, params, code) in [
        ("GetMetricStatistics", statistics(json!({ "Period": 61 })), "InvalidParameterValue"),
        ("GetMetricStatistics", statistics(json!({ "EndTime": 0 })), "InvalidParameterCombination"),
        ("GetMetricStatistics", statistics(json!({ "EndTime": 1_000_000 })), "InvalidParameterCombination"),
        ("GetMetricStatistics", statistics(json!({ "Statistics": [] })), "InvalidParameterCombination"),
        ("PutMetricData", json!({ "Namespace": "AWS/ECS", "MetricData": [] }), "InvalidParameterValue"),
        ("PutMetricData", datum(START.plus_secs(3 * 3600)), "InvalidParameterValue"),
        ("PutMetricData", datum(Millis(START.0 - 15 * 86_400_000)), "InvalidParameterValue"),
        ("DeleteAlarms", json!({ "AlarmNames": ["x"] }), "ResourceNotFound"),
        ("DescribeAlarms", json!({ "NextToken": "x" }), "InvalidNextToken"),
    ] {
        assert_eq!(ask(&mut account, START, operation, params).unwrap_err().code, code, "{operation}");
    }
}
