//! ACTIVE → DRAINING → INACTIVE → MISSING.

use serde_json::{Value, json};

use super::lab::Lab;

fn delete(force: bool) -> serde_json::Value {
    json!({ "cluster": "prod", "service": "web", "force": force })
}

#[test]
fn a_service_with_tasks_is_deleted_only_by_force() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let refused = lab.refused("DeleteService", delete(false));
    assert_eq!(
        refused,
        "InvalidParameterException: The service cannot be stopped while it is scaled above 0."
    );
    lab.update(json!({ "desiredCount": 0 }));
    let service = lab.ok("DeleteService", delete(false))["service"].clone();
    assert_eq!(service["status"], "DRAINING");
}

#[test]
fn a_deleted_service_drains_then_is_inactive_then_missing() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    lab.ok("DeleteService", delete(true));
    let service = lab.service("web");
    assert_eq!((&service["status"], &service["desiredCount"]), (&json!("DRAINING"), &json!(0)));
    assert_eq!(
        lab.ok("ListServices", json!({ "cluster": "prod" }))["serviceArns"],
        json!([]),
        "UpdateService in the ECS API reference"
    );
    assert_eq!(
        lab.refused("UpdateService", json!({ "cluster": "prod", "service": "web", "desiredCount": 1 })),
        "ServiceNotActiveException: Service was not ACTIVE."
    );
    let again = lab.service_request(json!({}));
    assert_eq!(
        lab.refused("CreateService", again),
        "InvalidParameterException: Unable to Start a service that is still Draining."
    );

    lab.run_until(120, |lab| lab.service("web")["status"] == "INACTIVE");
    assert_eq!(lab.service("web")["deployments"], json!([]));
    assert_eq!(lab.account.ecs.live().count(), 0);
    assert_eq!(
        lab.refused("UpdateService", json!({ "cluster": "prod", "service": "web", "desiredCount": 1 })),
        "ServiceNotActiveException: Service was not ACTIVE."
    );

    lab.run(3700);
    let reply = lab.ok("DescribeServices", json!({ "cluster": "prod", "services": ["web"] }));
    assert_eq!(reply["services"], json!([]));
    assert_eq!(reply["failures"][0]["reason"], "MISSING");
    assert_eq!(
        lab.refused("UpdateService", json!({ "cluster": "prod", "service": "web", "desiredCount": 1 })),
        "ServiceNotFoundException: Service not found."
    );
}

#[test]
fn an_inactive_name_can_be_used_again_and_is_not_forgotten_by_the_old_ones_timer() {
    let mut lab = Lab::new();
    let old = lab.running(json!({}))["deployments"][0]["id"].clone();
    lab.ok("DeleteService", delete(true));
    lab.run_until(120, |lab| lab.service("web")["status"] == "INACTIVE");
    let new = lab.running(json!({}));
    assert_ne!(new["deployments"][0]["id"], old);
    lab.run(4000);
    assert_eq!(lab.service("web")["status"], "ACTIVE");
    assert_eq!(lab.service("web")["runningCount"], 2);
}

#[test]
fn a_deployment_in_progress_ends_with_its_service() {
    let mut lab = Lab::new();
    lab.create(json!({}));
    let arn = lab.service("web")["currentServiceDeployment"].clone();
    lab.ok("DeleteService", delete(true));
    let reply = lab.ok("DescribeServiceDeployments", json!({ "serviceDeploymentArns": [arn] }));
    assert_eq!(reply["serviceDeployments"][0]["status"], "STOPPED");
    lab.run_until(120, |lab| lab.service("web")["status"] == "INACTIVE");
    // ECS guide, service-deployment: gone with the service.
    let reply = lab.ok("DescribeServiceDeployments", json!({ "serviceDeploymentArns": [arn] }));
    assert_eq!(reply["failures"][0]["reason"], "MISSING");
}

#[test]
fn a_cluster_with_services_cannot_be_deleted() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let refused = lab.refused("DeleteCluster", json!({ "cluster": "prod" }));
    assert!(refused.starts_with("ClusterContainsServicesException: "), "{refused}");
    lab.ok("DeleteService", delete(true));
    lab.run_until(120, |lab| lab.service("web")["status"] == "INACTIVE");
    assert_eq!(lab.ok("DeleteCluster", json!({ "cluster": "prod" }))["cluster"]["status"], "INACTIVE");
    assert_eq!(
        lab.refused("ListServices", json!({ "cluster": "prod" })),
        "ClusterNotFoundException: The referenced cluster was inactive."
    );
}

/// Else a cluster made by hand after a `down` would belong to this tool.
#[test]
fn a_cluster_made_anew_has_no_tags_of_the_one_before() {
    let mut lab = Lab::new();
    let named = |tags: Value| json!({ "clusterName": "shop", "tags": tags });
    lab.ok("CreateCluster", named(json!([{ "key": "app", "value": "shop" }])));
    lab.ok("DeleteCluster", json!({ "cluster": "shop" }));
    lab.ok("CreateCluster", named(json!([])));
    let found = lab.ok("DescribeClusters", json!({ "clusters": ["shop"], "include": ["TAGS"] }));
    assert_eq!(found["clusters"][0]["tags"], json!([]));
}
