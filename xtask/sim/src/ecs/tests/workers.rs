//! Services that no load balancer, or more than one, sends requests to.

use serde_json::json;

use super::lab::{Lab, laid_over};
use crate::wire::Api;

#[test]
fn a_worker_settles_on_its_running_tasks_alone() {
    let mut lab = Lab::new();
    let service = lab.running(json!({ "loadBalancers": [] }));
    assert_eq!((&service["runningCount"], &service["loadBalancers"]), (&json!(2), &json!([])));
    let new = lab.roll(json!({}));
    lab.run_until(600, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
}

#[test]
fn a_service_of_no_tasks_is_steady_without_one_and_rolls_without_one() {
    let mut lab = Lab::new();
    let service = lab.running(json!({ "desiredCount": 0 }));
    assert_eq!(
        (&service["runningCount"], &service["deployments"][0]["rolloutState"]),
        (&json!(0), &json!("COMPLETED"))
    );
    let new = lab.roll(json!({}));
    lab.run_until(300, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
    assert!(lab.tasks("RUNNING").is_empty() && lab.tasks("STOPPED").is_empty());
}

#[test]
fn a_task_is_a_target_of_every_load_balancer_of_its_service_and_healthy_only_in_all_of_them() {
    let mut lab = Lab::new();
    let second = lab.target_group_behind_a_listener("inside-tg", 81);
    let balancers = json!([
        { "targetGroupArn": lab.target_group, "containerName": "web", "containerPort": 8080 },
        { "targetGroupArn": second, "containerName": "web", "containerPort": 8080,
            "advancedConfiguration": { "alternateTargetGroupArn": "arn", "productionListenerRule": "rule" } },
    ]);
    let service = lab.running(json!({ "loadBalancers": balancers }));
    assert_eq!(service["loadBalancers"], balancers);
    for group in [lab.target_group.clone(), second.clone()] {
        let health = lab.api(Api::Elb, "DescribeTargetHealth", json!({ "TargetGroupArn": group })).unwrap();
        let states = health["TargetHealthDescriptions"].as_array().unwrap();
        assert!(
            states.len() == 2 && states.iter().all(|target| target["TargetHealth"]["State"] == "healthy")
        );
    }
    let path = json!({ "TargetGroupArn": second, "HealthCheckPath": "/nobody" });
    lab.api(Api::Elb, "ModifyTargetGroup", path).unwrap();
    lab.script("web:1", crate::workload::scripted::Script::default().answering("/nobody", 0, 404));
    let victim = lab.tasks("RUNNING")[0]["taskArn"].clone();
    lab.ok("StopTask", json!({ "cluster": "prod", "task": victim }));
    lab.run_until(300, |lab| lab.says("is unhealthy in (target-group"));
}

#[test]
fn deployment_alarms_are_kept_and_shown_whether_or_not_there_are_such_alarms_yet() {
    // An alarm on a new service can only be made after the service (aws/copilot-cli#4294).
    let mut lab = Lab::new();
    let alarms = json!({ "alarmNames": ["errors"], "enable": true, "rollback": true });
    let service = lab.running(json!({ "deploymentConfiguration": { "alarms": alarms } }));
    assert_eq!(service["deploymentConfiguration"]["alarms"], alarms);
    lab.update(json!({ "deploymentConfiguration": { "maximumPercent": 150 } }));
    assert_eq!(lab.service("web")["deploymentConfiguration"]["alarms"], alarms, "an update keeps them");
    assert_eq!(lab.service_deployment()["alarms"]["alarmNames"], json!(["errors"]));
    let half = lab.service_request(json!({ "serviceName": "other",
        "deploymentConfiguration": { "alarms": { "alarmNames": ["errors"], "enable": true } } }));
    assert!(lab.refused("CreateService", half).contains("rollback"));
}

#[test]
fn a_grpc_task_is_healthy_when_its_server_answers_as_the_matcher_says() {
    let mut lab = Lab::new();
    let vpc = crate::identity::subnet(&lab.account.identity, &lab.subnets[0]).unwrap().vpc_id.clone();
    let group = |matcher: &str| {
        json!({ "Name": format!("rpc-{matcher}"), "Protocol": "HTTP", "ProtocolVersion": "GRPC", "Port": 8080, "VpcId": vpc,
            "TargetType": "ip", "HealthCheckPort": "9000", "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5,
            "Matcher": { "GrpcCode": matcher } })
    };
    let elb = |lab: &mut Lab, operation: &str, params| lab.api(Api::Elb, operation, params);
    let wrong = laid_over(group("0"), json!({ "Matcher": { "HttpCode": "200" } }));
    assert!(elb(&mut lab, "CreateTargetGroup", wrong).unwrap_err().message.contains("'GrpcCode'"));
    let balancer = json!({ "Name": "rpc-lb", "Subnets": lab.subnets, "SecurityGroups": [] });
    let balancer =
        elb(&mut lab, "CreateLoadBalancer", balancer).unwrap()["LoadBalancers"][0]["LoadBalancerArn"].clone();
    let certificate = "arn:aws:acm:ap-southeast-1:123456789012:certificate/x";
    for (port, matcher, expected) in [(443, "12", "healthy"), (444, "0", "unhealthy")] {
        let made = elb(&mut lab, "CreateTargetGroup", group(matcher)).unwrap();
        let arn = made["TargetGroups"][0]["TargetGroupArn"].clone();
        let listener = json!({ "LoadBalancerArn": balancer, "Protocol": "HTTPS", "Port": port,
            "Certificates": [{ "CertificateArn": certificate }],
            "DefaultActions": [{ "Type": "forward", "TargetGroupArn": arn }] });
        elb(&mut lab, "CreateListener", listener).unwrap();
        let name = format!("rpc-{matcher}");
        lab.register("web", json!({}));
        let request = lab.service_request(json!({ "serviceName": name, "desiredCount": 1, "loadBalancers": [
            { "targetGroupArn": arn, "containerName": "web", "containerPort": 8080 }
        ] }));
        lab.ok("CreateService", request);
        lab.run_until(120, |lab| {
            let health = lab.api(Api::Elb, "DescribeTargetHealth", json!({ "TargetGroupArn": arn })).unwrap();
            health["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == expected
        });
    }
}
