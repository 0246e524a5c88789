//! Target tracking under load (Application Auto Scaling user guide, "How target tracking scaling works").

use serde_json::{Value, json};

use super::lab::Lab;
use crate::wire::Api;
use crate::workload::scripted::Script;

const RESOURCE: &str = "service/prod/web";

fn scaling(lab: &mut Lab, operation: &str, members: Value) -> Value {
    let mut params = json!({ "ServiceNamespace": "ecs", "ResourceId": RESOURCE, "ScalableDimension": "ecs:service:DesiredCount" });
    params.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    lab.api(Api::Scaling, operation, params).unwrap()
}

/// A service of 2 to 4 tasks of 256 CPU units each that tracks 70 % CPU; out after 60 s, in after 120 s.
fn lab(tracking: Value) -> Lab {
    let mut lab = Lab::new();
    lab.running(json!({}));
    scaling(&mut lab, "RegisterScalableTarget", json!({ "MinCapacity": 2, "MaxCapacity": 4 }));
    let metric = json!({ "PredefinedMetricType": "ECSServiceAverageCPUUtilization" });
    let mut policy = json!({ "TargetValue": 70.0, "PredefinedMetricSpecification": metric, "ScaleOutCooldown": 60, "ScaleInCooldown": 120 });
    policy.as_object_mut().unwrap().extend(tracking.as_object().unwrap().clone());
    let put = json!({ "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": policy });
    scaling(&mut lab, "PutScalingPolicy", put);
    lab
}

/// So many tasks' worth of CPU, shared by those that run.
fn load(lab: &Lab, tasks: f64) {
    lab.scripts.set_load("web", tasks * 256.0, 100.0);
}

fn desired(lab: &mut Lab) -> u64 {
    lab.service("web")["desiredCount"].as_u64().unwrap()
}

fn alarms(lab: &mut Lab) -> Vec<(String, String)> {
    let found = lab.api(Api::CloudWatch, "DescribeAlarms", json!({})).unwrap();
    let text = |alarm: &Value, member: &str| alarm[member].as_str().unwrap().to_owned();
    found["MetricAlarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(it, "AlarmName"), text(it, "StateValue")))
        .collect()
}

#[test]
fn load_raises_the_service_a_release_changes_nothing_of_it_and_it_comes_back_after_the_load() {
    let mut lab = lab(json!({}));
    load(&lab, 0.2);
    lab.run(300);
    assert_eq!(desired(&mut lab), 2, "idle");
    load(&lab, 2.6);
    let took = lab.run_until(900, |lab| desired(lab) == 4);
    assert!((180..480).contains(&took), "three minutes above the target, then twice: {took} s");
    let high = alarms(&mut lab).into_iter().find(|(name, _)| name.contains("AlarmHigh")).unwrap();
    assert!(high.0.starts_with("TargetTracking-service/prod/web-AlarmHigh-"), "{high:?}");
    lab.run(600);
    assert_eq!((desired(&mut lab), lab.tasks("RUNNING").len()), (4, 4), "65 % on four tasks");

    let rolled = lab.roll(json!({}));
    lab.run_until(900, |lab| lab.deployment(&rolled)["rolloutState"] == "COMPLETED");
    assert_eq!((desired(&mut lab), lab.service_deployment()["status"].clone()), (4, json!("SUCCESSFUL")));

    load(&lab, 0.2);
    let took = lab.run_until(1800, |lab| desired(lab) == 2);
    assert!(took >= 14 * 60, "fifteen minutes below nine tenths of the target: {took} s");
    lab.run(120);
    let activities = scaling(&mut lab, "DescribeScalingActivities", json!({}));
    let newest = &activities["ScalingActivities"][0];
    assert_eq!(
        (&newest["Description"], &newest["StatusCode"]),
        (&json!("Setting desired count to 2."), &json!("Successful"))
    );
    let cause = newest["Cause"].as_str().unwrap();
    assert!(
        cause.contains("-AlarmLow-") && cause.ends_with("in state ALARM triggered policy cpu"),
        "{cause}"
    );
    assert_eq!(
        newest["StatusMessage"],
        "Successfully set desired count to 2. Change successfully fulfilled by ecs."
    );
}

#[test]
fn of_several_policies_the_one_that_wants_the_most_tasks_acts_alone_and_all_agree_to_a_scale_in() {
    let mut lab = lab(json!({}));
    scaling(&mut lab, "RegisterScalableTarget", json!({ "MaxCapacity": 20 }));
    let metric = json!({ "PredefinedMetricType": "ECSServiceAverageMemoryUtilization" });
    let policy =
        json!({ "TargetValue": 25.0, "PredefinedMetricSpecification": metric, "ScaleInCooldown": 0 });
    let put = json!({ "PolicyName": "memory", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": policy });
    scaling(&mut lab, "PutScalingPolicy", put);
    // 85 % of the CPU wants 3 tasks, 75 % of the memory wants 6: one after the other they would make it 9.
    lab.scripts.set_load("web", 1.7 * 256.0, 768.0);
    lab.run_until(900, |lab| desired(lab) > 2);
    assert_eq!(desired(&mut lab), 6);
    // Memory still wants its tasks.
    lab.scripts.set_load("web", 0.0, 737.0);
    lab.run(2400);
    assert_eq!(desired(&mut lab), 6, "CPU alone does not scale in");
    lab.scripts.set_load("web", 0.0, 10.0);
    lab.run_until(2400, |lab| desired(lab) == 2);
}

#[test]
fn a_deployment_holds_a_scale_in_back_and_not_a_scale_out() {
    let mut lab = lab(json!({}));
    load(&lab, 2.4);
    lab.run_until(900, |lab| desired(lab) == 4);
    load(&lab, 0.0);
    // A release that takes longer than the low alarm needs.
    lab.script("web:2", Script::boots_in(1_500_000));
    lab.roll(json!({ "healthCheckGracePeriodSeconds": 3000 }));
    lab.run(1200);
    assert_eq!(desired(&mut lab), 4, "fifteen minutes have passed, and the deployment has not");
    assert!(alarms(&mut lab).iter().any(|(name, state)| name.contains("AlarmLow") && state == "ALARM"));
    lab.run_until(1200, |lab| desired(lab) == 2);
    load(&lab, 9.0);
    lab.script("web:3", Script::boots_in(1_500_000));
    lab.roll(json!({}));
    lab.run_until(900, |lab| desired(lab) == 4);
}

#[test]
fn what_is_switched_off_or_out_of_bounds_does_not_act() {
    let mut lab = lab(json!({ "DisableScaleIn": true }));
    assert_eq!(alarms(&mut lab).len(), 1, "no low alarm");
    load(&lab, 20.0);
    lab.run(1200);
    assert_eq!(desired(&mut lab), 4, "no more than the maximum");
    load(&lab, 0.0);
    lab.run(2400);
    assert_eq!(desired(&mut lab), 4);
    let suspended = json!({ "DynamicScalingOutSuspended": true });
    scaling(&mut lab, "RegisterScalableTarget", json!({ "MaxCapacity": 8, "SuspendedState": suspended }));
    load(&lab, 20.0);
    lab.run(1200);
    assert_eq!(desired(&mut lab), 4);
    scaling(&mut lab, "DeregisterScalableTarget", json!({}));
    assert_eq!(alarms(&mut lab), []);
}

#[test]
fn the_metrics_of_a_service_are_there_minute_by_minute() {
    let mut lab = lab(json!({}));
    load(&lab, 1.0);
    lab.run(600);
    let dimensions =
        json!([{ "Name": "ClusterName", "Value": "prod" }, { "Name": "ServiceName", "Value": "web" }]);
    let named = |name: &str| json!({ "Namespace": "AWS/ECS", "MetricName": name, "Dimensions": dimensions });
    let listed = lab.api(Api::CloudWatch, "ListMetrics", json!({ "Namespace": "AWS/ECS" })).unwrap();
    assert_eq!(listed["Metrics"].as_array().unwrap().len(), 2);
    let end = lab.now.epoch_secs();
    let mut asked = named("CPUUtilization");
    asked.as_object_mut().unwrap().extend(
        json!({ "StartTime": end - 300.0, "EndTime": end, "Period": 60, "Statistics": ["Average", "SampleCount"] })
            .as_object()
            .unwrap()
            .clone(),
    );
    let got = lab.api(Api::CloudWatch, "GetMetricStatistics", asked).unwrap();
    let points = got["Datapoints"].as_array().unwrap();
    assert!(points.len() >= 4, "{got}");
    assert_eq!((&points[0]["Average"], &points[0]["SampleCount"]), (&json!(50.0), &json!(2.0)));
    let query = json!({ "Id": "m", "MetricStat": { "Metric": named("MemoryUtilization"), "Period": 300, "Stat": "Maximum" } });
    let data = json!({ "MetricDataQueries": [query], "StartTime": end - 600.0, "EndTime": end });
    let got = lab.api(Api::CloudWatch, "GetMetricData", data).unwrap();
    assert!(
        (got["MetricDataResults"][0]["Values"][0].as_f64().unwrap() - 50.0 * 100.0 / 512.0).abs() < 0.1,
        "{got}"
    );
}
