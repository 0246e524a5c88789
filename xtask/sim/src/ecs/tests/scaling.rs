//! The desired count: scaling is no deployment.

use serde_json::json;

use super::lab::Lab;
use crate::ecs;

#[test]
fn scaling_out_and_in_starts_no_deployment() {
    let mut lab = Lab::new();
    let id = lab.running(json!({}))["deployments"][0]["id"].clone();
    lab.update(json!({ "desiredCount": 5 }));
    lab.run_until(300, |lab| lab.service("web")["runningCount"] == 5);
    lab.update(json!({ "desiredCount": 1 }));
    lab.run_until(300, |lab| lab.service("web")["runningCount"] == 1);
    let service = lab.service("web");
    assert_eq!(service["deployments"][0]["id"], id);
    assert_eq!(service["deployments"][0]["desiredCount"], 1);
    let stopped = lab.tasks("STOPPED");
    assert_eq!(stopped.len(), 4);
    assert!(stopped.iter().all(|task| task["stoppedReason"]
        == format!("Scaling activity initiated by (deployment {})", id.as_str().unwrap())));
}

#[test]
fn scaling_out_during_a_roll_raises_the_new_deployments_goal() {
    // Application Auto Scaling guide, ECS: scale-out is not paused during a deployment.
    let mut lab = Lab::new();
    lab.running(json!({}));
    let new = lab.roll(json!({}));
    lab.run(20);
    assert!(ecs::set_desired_count(&mut lab.account.ecs, "prod", "web", 4));
    lab.run_until(400, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
    assert_eq!(lab.deployment(&new)["runningCount"], 4);
    assert_eq!(lab.deployment(&new)["desiredCount"], 4);
}

#[test]
fn scaling_knows_only_active_services() {
    let mut lab = Lab::new();
    assert!(!ecs::set_desired_count(&mut lab.account.ecs, "prod", "web", 4));
    assert_eq!(ecs::desired_count(&lab.account.ecs, "prod", "web"), None);
    lab.running(json!({}));
    assert_eq!(ecs::desired_count(&lab.account.ecs, "prod", "web"), Some(2));
    lab.ok("DeleteService", json!({ "cluster": "prod", "service": "web", "force": true }));
    assert!(!ecs::set_desired_count(&mut lab.account.ecs, "prod", "web", 4));
}

#[test]
fn desired_zero_stops_all() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    lab.update(json!({ "desiredCount": 0 }));
    lab.run_until(120, |lab| lab.service("web")["runningCount"] == 0);
    lab.run(60);
    assert_eq!(lab.tasks("RUNNING").len(), 0);
}

#[test]
fn tasks_spread_over_the_subnets() {
    let mut lab = Lab::new();
    lab.running(json!({ "desiredCount": 4 }));
    let mut zones: Vec<String> = lab
        .tasks("RUNNING")
        .iter()
        .map(|task| task["availabilityZone"].as_str().unwrap().to_owned())
        .collect();
    zones.sort();
    assert_eq!(zones, ["ap-southeast-1a", "ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1b"]);
}
