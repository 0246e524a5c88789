//! StopServiceDeployment: rolling back on request.

use serde_json::json;

use super::lab::Lab;
use crate::workload::scripted::Script;

fn stop(lab: &mut Lab) -> serde_json::Value {
    let arn = lab.service("web")["currentServiceDeployment"].clone();
    lab.ok("StopServiceDeployment", json!({ "serviceDeploymentArn": arn, "stopType": "ROLLBACK" }));
    arn
}

#[test]
fn a_person_can_roll_back_without_a_circuit_breaker() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    lab.script("web:2", Script::boots_in(900_000));
    let bad = lab.roll(json!({ "healthCheckGracePeriodSeconds": 1000 }));
    lab.run(60);
    let arn = stop(&mut lab);
    assert_eq!(lab.service_deployment()["status"], "ROLLBACK_IN_PROGRESS");
    let service = lab.service("web");
    let rollback = service["deployments"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(rollback, bad);
    assert!(service["taskDefinition"].as_str().unwrap().ends_with("/web:1"));
    assert_eq!(lab.deployment(&bad)["rolloutState"], "FAILED");
    lab.run_until(300, |lab| lab.service_deployment()["status"] == "ROLLBACK_SUCCESSFUL");
    assert_eq!(lab.deployment(&rollback)["rolloutState"], "COMPLETED");
    assert_eq!(
        lab.service_deployment()["serviceDeploymentArn"],
        arn,
        "the rollback belongs to the same record"
    );
}

#[test]
fn stopping_what_has_ended_is_a_conflict() {
    let mut lab = Lab::new();
    let service = lab.running(json!({}));
    let refused = lab.refused(
        "StopServiceDeployment",
        json!({ "serviceDeploymentArn": service["currentServiceDeployment"] }),
    );
    assert!(refused.starts_with("ConflictException: "), "{refused}");
}

#[test]
fn stopping_twice_goes_on_with_the_rollback() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    lab.roll(json!({}));
    let arn = stop(&mut lab);
    assert_eq!(stop(&mut lab), arn);
    lab.run_until(300, |lab| lab.service_deployment()["status"] == "ROLLBACK_SUCCESSFUL");
}

#[test]
fn a_first_deployment_that_is_stopped_ends_in_stopped() {
    let mut lab = Lab::new();
    lab.script("web", Script::boots_in(900_000));
    lab.create(json!({ "healthCheckGracePeriodSeconds": 1000 }));
    stop(&mut lab);
    assert_eq!(lab.service_deployment()["status"], "STOPPED");
    assert_eq!(lab.service("web")["deployments"][0]["rolloutState"], "FAILED");
}

#[test]
fn an_aborted_deployment_does_not_roll_back() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let aborted = lab.roll(json!({}));
    let arn = lab.service("web")["currentServiceDeployment"].clone();
    lab.ok("StopServiceDeployment", json!({ "serviceDeploymentArn": arn, "stopType": "ABORT" }));
    assert_eq!(lab.service_deployment()["status"], "STOPPED");
    let primary = lab.service("web")["deployments"][0].clone();
    assert_eq!((&primary["id"], &primary["rolloutState"]), (&json!(aborted), &json!("FAILED")));
}

#[test]
fn an_unknown_service_deployment_is_not_found() {
    let mut lab = Lab::new();
    let refused = lab.refused("StopServiceDeployment", json!({ "serviceDeploymentArn": "arn:aws:ecs:x" }));
    assert!(refused.starts_with("ServiceDeploymentNotFoundException: "), "{refused}");
}
