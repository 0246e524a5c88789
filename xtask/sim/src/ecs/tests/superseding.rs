//! Two deploys at once: the later one wins, and the earlier one is not mistaken for a failure.

use serde_json::json;

use super::lab::Lab;
use crate::workload::scripted::Script;

#[test]
fn an_update_during_a_deployment_supersedes_it() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    lab.script("web:2", Script::boots_in(600_000));
    let second = lab.roll(json!({ "healthCheckGracePeriodSeconds": 900 }));
    lab.run(60);
    let superseded = lab.service_deployment()["serviceDeploymentArn"].clone();
    let third = lab.roll(json!({}));
    assert_eq!(lab.deployment(&second)["status"], "ACTIVE");
    let reply = lab.ok("DescribeServiceDeployments", json!({ "serviceDeploymentArns": [superseded] }));
    let record = &reply["serviceDeployments"][0];
    assert_eq!(record["status"], "STOPPED");
    assert!(record["statusReason"].as_str().unwrap().contains("new service deployment"));
    assert!(record["stoppedAt"].is_f64());

    lab.run_until(300, |lab| lab.deployment(&third)["rolloutState"] == "COMPLETED");
    assert!(lab.deployment(&second).is_null(), "absent after it was seen once");
    assert!(lab.service("web")["taskDefinition"].as_str().unwrap().ends_with("/web:3"));
}

#[test]
fn a_superseding_deploy_that_fails_rolls_back_to_the_last_completed_one() {
    let mut lab = Lab::new();
    lab.running(json!({ "deploymentConfiguration":
        { "deploymentCircuitBreaker": { "enable": true, "rollback": true } } }));
    lab.script("web:2", Script::boots_in(600_000));
    lab.roll(json!({ "healthCheckGracePeriodSeconds": 900 }));
    lab.run(30);
    lab.script("web:3", Script::crashes(2_000, 1));
    let third = lab.roll(json!({}));
    lab.run_until(600, |lab| lab.deployment(&third)["rolloutState"] == "FAILED");
    assert!(lab.service("web")["taskDefinition"].as_str().unwrap().ends_with("/web:1"));
}

#[test]
fn list_service_deployments_is_newest_first_and_filters_by_status() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    lab.roll(json!({}));
    lab.run_until(300, |lab| lab.service_deployment()["status"] == "SUCCESSFUL");
    lab.roll(json!({}));
    let list = |lab: &mut Lab, members| {
        let request = super::lab::laid_over(json!({ "cluster": "prod", "service": "web" }), members);
        lab.ok("ListServiceDeployments", request)
    };
    let all = list(&mut lab, json!({}))["serviceDeployments"].clone();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.windows(2).all(|pair| pair[0]["createdAt"].as_f64() >= pair[1]["createdAt"].as_f64()));
    let moving =
        list(&mut lab, json!({ "status": ["IN_PROGRESS", "PENDING"] }))["serviceDeployments"].clone();
    assert_eq!(moving.as_array().unwrap().len(), 1);
    assert_eq!(moving[0], all[0]);
    let page = list(&mut lab, json!({ "maxResults": 2 }));
    let rest = list(&mut lab, json!({ "maxResults": 2, "nextToken": page["nextToken"] }));
    assert_eq!(rest["serviceDeployments"].as_array().unwrap().len(), 1);
}
