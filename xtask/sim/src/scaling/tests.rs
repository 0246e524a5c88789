//! Scaling as a deployment sets it up: bounds that move the desired count at once, policies that are put twice.

mod scheduled;
mod step;

use serde_json::{Value, json};

use crate::account::Account;
use crate::base::{Millis, Settings};
use crate::ecs;
use crate::wire::{Api, ApiError, ApiRequest};

const RESOURCE: &str = "service/prod/backend";
const NOT_REGISTERED: &str = "No scalable target registered for service namespace: ecs, resource ID: \
     service/prod/backend, scalable dimension: ecs:service:DesiredCount";

fn call(account: &mut Account, api: Api, operation: &str, params: Value) -> Result<Value, ApiError> {
    account.advance(Millis(1_000));
    account.handle(Millis(1_000), &ApiRequest::of(api, operation, params))
}

fn with_service() -> Account {
    with_service_of(1)
}

/// An account with the service `backend` of so many tasks in the cluster `prod`.
fn with_service_of(desired: u32) -> Account {
    let mut account = Account::new(Settings::default());
    let form = "Filter.1.Name=tag:Name&Filter.1.Value.1=private-a";
    let subnets = account.handle(Millis(0), &ApiRequest::form(Api::Ec2, "DescribeSubnets", form)).unwrap();
    let definition = json!({
        "family": "backend", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{ "name": "backend", "image": "public.ecr.aws/x/y:1" }],
    });
    let service = json!({
        "cluster": "prod", "serviceName": "backend", "taskDefinition": "backend", "desiredCount": desired, "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": [subnets["subnetSet"][0]["subnetId"]] } },
    });
    call(&mut account, Api::Ecs, "CreateCluster", json!({ "clusterName": "prod" })).unwrap();
    call(&mut account, Api::Ecs, "RegisterTaskDefinition", definition).unwrap();
    call(&mut account, Api::Ecs, "CreateService", service).unwrap();
    account
}

/// The members that name the target, with `more`.
fn target(more: Value) -> Value {
    let mut params = json!({ "ServiceNamespace": "ecs", "ResourceId": RESOURCE, "ScalableDimension": "ecs:service:DesiredCount" });
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    params
}

fn scaling(account: &mut Account, operation: &str, more: Value) -> Result<Value, ApiError> {
    call(account, Api::Scaling, operation, target(more))
}

fn cpu(target_value: f64) -> Value {
    json!({
        "PolicyName": "backend-cpu-scaling",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target_value,
            "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" },
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 120,
        },
    })
}

#[test]
fn registering_moves_the_desired_count_inside_the_bounds_at_once() {
    let mut account = with_service();
    for (bounds, expected) in [
        (json!({ "MinCapacity": 2, "MaxCapacity": 10 }), 2),
        (json!({ "MinCapacity": 1 }), 2),
        (json!({ "MinCapacity": 0, "MaxCapacity": 0 }), 0),
        (json!({ "SuspendedState": { "DynamicScalingInSuspended": true } }), 0),
    ] {
        scaling(&mut account, "RegisterScalableTarget", bounds.clone()).unwrap();
        assert_eq!(ecs::desired_count(&account.ecs, "prod", "backend"), Some(expected), "{bounds}");
    }
    let reply =
        call(&mut account, Api::Scaling, "DescribeScalableTargets", json!({ "ServiceNamespace": "ecs" }))
            .unwrap();
    let shown = &reply["ScalableTargets"][0];
    assert_eq!((&shown["MinCapacity"], &shown["MaxCapacity"]), (&json!(0), &json!(0)));
    assert_eq!(shown["SuspendedState"]["DynamicScalingInSuspended"], true);
    assert_eq!(shown["CreationTime"], 1.0);
    let activities =
        call(&mut account, Api::Scaling, "DescribeScalingActivities", json!({ "ServiceNamespace": "ecs" }))
            .unwrap();
    assert_eq!(
        activities["ScalingActivities"][0]["Description"], "Setting desired count to 0.",
        "newest first"
    );
    assert_eq!(activities["ScalingActivities"][1]["Cause"], "minimum capacity was set to 2");
}

#[test]
fn a_desired_count_set_below_the_minimum_is_corrected_by_registering_again() {
    let mut account = with_service();
    let bounds = json!({ "MinCapacity": 2, "MaxCapacity": 10 });
    scaling(&mut account, "RegisterScalableTarget", bounds.clone()).unwrap();
    let update = json!({ "cluster": "prod", "service": "backend", "desiredCount": 1 });
    call(&mut account, Api::Ecs, "UpdateService", update).unwrap();
    assert_eq!(ecs::desired_count(&account.ecs, "prod", "backend"), Some(1));
    scaling(&mut account, "RegisterScalableTarget", bounds).unwrap();
    assert_eq!(ecs::desired_count(&account.ecs, "prod", "backend"), Some(2));
}

#[test]
fn a_policy_put_twice_is_one_policy_with_the_same_alarms() {
    let mut account = with_service();
    scaling(&mut account, "RegisterScalableTarget", json!({ "MinCapacity": 2, "MaxCapacity": 10 })).unwrap();
    let first = scaling(&mut account, "PutScalingPolicy", cpu(70.0)).unwrap();
    let second = scaling(&mut account, "PutScalingPolicy", cpu(60.0)).unwrap();
    assert_eq!(first, second);
    let reply =
        call(&mut account, Api::Scaling, "DescribeScalingPolicies", json!({ "ServiceNamespace": "ecs" }))
            .unwrap();
    let policies = reply["ScalingPolicies"].as_array().unwrap();
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"], 60.0);
    assert_eq!(policies[0]["PolicyType"], "TargetTrackingScaling");
    let names: Vec<&str> = policies[0]["Alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alarm| alarm["AlarmName"].as_str().unwrap())
        .collect();
    assert!(names[0].starts_with("TargetTracking-service/prod/backend-AlarmHigh-"), "{names:?}");
    assert!(names[1].starts_with("TargetTracking-service/prod/backend-AlarmLow-"), "{names:?}");
}

#[test]
fn a_policy_needs_its_target_and_goes_with_it() {
    let mut account = with_service();
    let missing = ApiError::new("ObjectNotFoundException", NOT_REGISTERED);
    assert_eq!(scaling(&mut account, "PutScalingPolicy", cpu(70.0)).unwrap_err(), missing);
    assert_eq!(scaling(&mut account, "DeregisterScalableTarget", json!({})).unwrap_err(), missing);
    scaling(&mut account, "RegisterScalableTarget", json!({ "MinCapacity": 2, "MaxCapacity": 10 })).unwrap();
    scaling(&mut account, "PutScalingPolicy", cpu(70.0)).unwrap();
    scaling(&mut account, "DeregisterScalableTarget", json!({})).unwrap();
    let reply =
        call(&mut account, Api::Scaling, "DescribeScalingPolicies", json!({ "ServiceNamespace": "ecs" }))
            .unwrap();
    assert_eq!(reply["ScalingPolicies"], json!([]));
    let gone = scaling(&mut account, "DeleteScalingPolicy", json!({ "PolicyName": "backend-cpu-scaling" }))
        .unwrap_err();
    assert_eq!(gone.code, "ObjectNotFoundException");
}

#[test]
fn what_cannot_be_scaled_is_refused() {
    let mut account = with_service();
    let bounds = |min: i64, max: i64| json!({ "MinCapacity": min, "MaxCapacity": max });
    let with = |mut params: Value, name: &str, value: &str| {
        params[name] = json!(value);
        params
    };
    let unsupported = "Unsupported service namespace, resource type or scalable dimension";
    let cases = [
        (bounds(3, 2), "Maximum capacity cannot be less than minimum capacity"),
        (json!({}), "Min capacity and max capacity must be specified"),
        (bounds(-1, 2), "1 validation error detected"),
        (
            with(bounds(1, 2), "ResourceId", "service/prod/none"),
            "ECS service doesn't exist: service/prod/none",
        ),
        (with(bounds(1, 2), "ResourceId", "backend"), unsupported),
        (with(bounds(1, 2), "ServiceNamespace", "dynamodb"), unsupported),
        (with(bounds(1, 2), "ScalableDimension", "ecs:service:Colour"), unsupported),
    ];
    for (more, part) in cases {
        let error = scaling(&mut account, "RegisterScalableTarget", more).unwrap_err();
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[test]
fn a_policy_that_aws_would_refuse_is_refused() {
    let mut account = with_service();
    scaling(&mut account, "RegisterScalableTarget", json!({ "MinCapacity": 2, "MaxCapacity": 10 })).unwrap();
    let tracking = |configuration: Value| json!({ "PolicyName": "p", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": configuration });
    let metric = |name: &str| json!({ "TargetValue": 70.0, "PredefinedMetricSpecification": { "PredefinedMetricType": name } });
    let cases = [
        (cpu(0.0), "Target value must be greater than 0"),
        (tracking(json!({ "TargetValue": 70.0 })), "Exactly one of PredefinedMetricSpecification"),
        (tracking(metric("DynamoDBReadCapacityUtilization")), "is not valid for ecs:service:DesiredCount"),
        (tracking(metric("ALBRequestCountPerTarget")), "ResourceLabel must be specified"),
        (
            tracking(json!({ "TargetValue": 100.0, "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": "app/none/1/targetgroup/none/2" } })),
            "Invalid ResourceLabel: app/none/1/targetgroup/none/2",
        ),
        (
            tracking(
                json!({ "TargetValue": 100.0, "CustomizedMetricSpecification": { "MetricName": "depth" } }),
            ),
            "either Metrics or MetricName, Namespace and Statistic",
        ),
        (
            json!({ "PolicyName": "p", "PolicyType": "TargetTrackingScaling" }),
            "TargetTrackingScalingPolicyConfiguration must be specified",
        ),
        (json!({ "PolicyName": "p" }), "A StepScalingPolicyConfiguration must be specified"),
        (json!({ "PolicyName": "p", "PolicyType": "PredictiveScaling" }), "are not served"),
    ];
    for (more, part) in cases {
        let error = scaling(&mut account, "PutScalingPolicy", more).unwrap_err();
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[test]
fn tags_of_a_target_are_set_and_removed() {
    let mut account = with_service();
    let bounds = json!({ "MinCapacity": 2, "MaxCapacity": 10, "Tags": { "a": "1" } });
    let arn = scaling(&mut account, "RegisterScalableTarget", bounds).unwrap()["ScalableTargetARN"].clone();
    let tags = |account: &mut Account| {
        call(account, Api::Scaling, "ListTagsForResource", json!({ "ResourceARN": arn })).unwrap()["Tags"]
            .clone()
    };
    call(&mut account, Api::Scaling, "TagResource", json!({ "ResourceARN": arn, "Tags": { "b": "2" } }))
        .unwrap();
    assert_eq!(tags(&mut account), json!({ "a": "1", "b": "2" }));
    call(&mut account, Api::Scaling, "UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["a"] }))
        .unwrap();
    assert_eq!(tags(&mut account), json!({ "b": "2" }));
}

#[test]
fn a_policy_follows_the_requests_of_a_target_group_and_one_follows_a_queue_and_never_scales_in() {
    let mut account = with_service();
    scaling(&mut account, "RegisterScalableTarget", json!({ "MinCapacity": 0, "MaxCapacity": 10 })).unwrap();
    let elb = |account: &mut Account, operation: &str, form: &str| {
        account.handle(Millis(1_000), &ApiRequest::form(Api::Elb, operation, form)).unwrap()
    };
    let form = "Filter.1.Name=tag:Name&Filter.1.Value.1=public-?";
    let subnets = account.handle(Millis(0), &ApiRequest::form(Api::Ec2, "DescribeSubnets", form)).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let subnet = |place: usize| text(&subnets["subnetSet"][place]["subnetId"]);
    let form = format!("Name=lb&Subnets.member.1={}&Subnets.member.2={}", subnet(0), subnet(1));
    let balancer = elb(&mut account, "CreateLoadBalancer", &form);
    let balancer = text(&balancer["LoadBalancers"][0]["LoadBalancerArn"]);
    let vpc = text(&subnets["subnetSet"][0]["vpcId"]);
    let form = format!("Name=tg&Protocol=HTTP&Port=80&TargetType=ip&VpcId={vpc}");
    let group = elb(&mut account, "CreateTargetGroup", &form);
    let group = text(&group["TargetGroups"][0]["TargetGroupArn"]);
    let form = format!(
        "LoadBalancerArn={balancer}&Port=80&Protocol=HTTP&DefaultActions.member.1.Type=forward\
         &DefaultActions.member.1.TargetGroupArn={group}"
    );
    elb(&mut account, "CreateListener", &form);
    let after = |arn: &str, mark: &str| arn.split_once(mark).unwrap().1.to_owned();
    let label = format!(
        "{}/{}",
        after(&balancer, ":loadbalancer/"),
        after(&group, &group[..group.find("targetgroup/").unwrap()])
    );
    let requests = json!({ "PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label });
    let put = |name: &str, configuration: Value| {
        json!({ "PolicyName": name, "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": configuration })
    };
    let by_requests = json!({ "TargetValue": 1000.0, "PredefinedMetricSpecification": requests });
    scaling(&mut account, "PutScalingPolicy", put("requests", by_requests.clone())).unwrap();
    let again = scaling(&mut account, "PutScalingPolicy", put("other", by_requests)).unwrap_err();
    assert_eq!(
        again.message,
        "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    );
    let depth = json!({ "MetricName": "ApproximateNumberOfMessagesVisible", "Namespace": "AWS/SQS", "Statistic": "Average",
        "Dimensions": [{ "Name": "QueueName", "Value": "jobs" }] });
    let by_depth =
        json!({ "TargetValue": 10.0, "CustomizedMetricSpecification": depth, "DisableScaleIn": true });
    let made = scaling(&mut account, "PutScalingPolicy", put("depth", by_depth.clone())).unwrap();
    assert_eq!(made["Alarms"].as_array().unwrap().len(), 1, "only the alarm that scales out");
    let described =
        scaling(&mut account, "DescribeScalingPolicies", json!({ "PolicyNames": ["depth"] })).unwrap();
    assert_eq!(described["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"], by_depth);
}

/// 2026-11-27T00:30:00Z, half past eight on a Friday morning in Singapore.
const FRIDAY: u64 = 1_795_739_400_000;

#[test]
fn a_cooldown_that_no_clock_could_count_is_refused() {
    let mut account = with_service();
    scaling(&mut account, "RegisterScalableTarget", json!({ "MinCapacity": 2, "MaxCapacity": 10 })).unwrap();
    for secs in [-1, i64::from(i32::MAX) + 1, i64::MAX] {
        let mut policy = cpu(70.0);
        policy["TargetTrackingScalingPolicyConfiguration"]["ScaleOutCooldown"] = json!(secs);
        assert_eq!(
            scaling(&mut account, "PutScalingPolicy", policy).unwrap_err().code,
            "ValidationException"
        );
    }
}
