//! Step scaling on virtual time: somebody's own alarm calls a policy as long as it rings.

use super::*;

const START: Millis = Millis(1_790_000_040_000);

/// Tells the account a minute's value of the metric, and lets the minute pass; gives the desired count after it.
fn minute(account: &mut Account, now: &mut Millis, value: f64) -> u32 {
    let datum = json!({ "MetricName": "Jobs", "Value": value });
    let params = json!({ "Namespace": "App", "MetricData": [datum] });
    account.advance(*now);
    account.handle(*now, &ApiRequest::of(Api::CloudWatch, "PutMetricData", params)).unwrap();
    *now = now.plus_secs(60);
    account.advance(now.plus_secs(10));
    ecs::desired_count(&account.ecs, "prod", "backend").unwrap()
}

fn policy(name: &str, steps: Value) -> Value {
    json!({ "PolicyName": name, "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {
        "AdjustmentType": "ChangeInCapacity", "Cooldown": 180, "StepAdjustments": steps } })
}

#[test]
fn a_step_policy_adds_by_how_far_its_alarm_is_exceeded_counts_what_it_added_and_removes_after_its_cooldown() {
    // Its deployment is complete without a task: nobody starts one here.
    let mut account = with_service_of(0);
    account.advance(Millis(100_000));
    scaling(&mut account, "RegisterScalableTarget", json!({ "MinCapacity": 1, "MaxCapacity": 6 })).unwrap();
    let up = json!([
        { "MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1 },
        { "MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 3 },
    ]);
    let down = json!([{ "MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -2 }]);
    for (name, steps, operator, threshold) in
        [("up", up, "GreaterThanThreshold", 20.0), ("down", down, "LessThanThreshold", 5.0)]
    {
        let made = scaling(&mut account, "PutScalingPolicy", policy(name, steps)).unwrap();
        assert_eq!(made["Alarms"], json!([]), "it has no alarm of its own");
        let alarm = json!({ "AlarmName": name, "Namespace": "App", "MetricName": "Jobs", "Statistic": "Sum",
            "Period": 60, "EvaluationPeriods": 1, "Threshold": threshold, "ComparisonOperator": operator,
            "AlarmActions": [made["PolicyARN"]] });
        call(&mut account, Api::CloudWatch, "PutMetricAlarm", alarm).unwrap();
    }
    let described =
        scaling(&mut account, "DescribeScalingPolicies", json!({ "PolicyNames": ["up"] })).unwrap();
    assert_eq!(described["ScalingPolicies"][0]["Alarms"][0]["AlarmName"], "up");

    let mut now = START;
    account.advance(now);
    let counts: Vec<u32> = [10.0, 25.0, 25.0, 35.0, 35.0, 10.0, 10.0, 25.0, 40.0]
        .map(|value| minute(&mut account, &mut now, value))
        .into();
    // One more; the same again is in it already; three instead of one; after the cooldown one more, and the most there may be.
    assert_eq!(counts, [1, 2, 2, 4, 4, 4, 4, 5, 6]);
    let counts: Vec<u32> = [1.0, 1.0, 1.0, 1.0].map(|value| minute(&mut account, &mut now, value)).into();
    assert_eq!(counts, [4, 4, 4, 2], "two at a time, a cooldown apart");
    let activities = scaling(&mut account, "DescribeScalingActivities", json!({})).unwrap();
    let newest = &activities["ScalingActivities"][0];
    assert_eq!(newest["Cause"], "monitor alarm down in state ALARM triggered policy down");
}
