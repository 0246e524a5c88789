//! Capacity providers: what clusters and services may say of them, and where tasks run.

use serde_json::{Value, json};

use super::lab::Lab;

fn strategy(entries: &[(&str, u32, u32)]) -> Value {
    let entry = |(name, weight, base): &(&str, u32, u32)| json!({ "capacityProvider": name, "weight": weight, "base": base });
    entries.iter().map(entry).collect()
}

fn both(lab: &mut Lab) {
    let request = json!({ "cluster": "prod", "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [] });
    lab.ok("PutClusterCapacityProviders", request);
}

#[test]
fn a_services_tasks_fill_the_base_and_go_to_spot_after_it() {
    let mut lab = Lab::new();
    both(&mut lab);
    let wanted = strategy(&[("FARGATE", 0, 1), ("FARGATE_SPOT", 1, 0)]);
    let service =
        lab.running(json!({ "desiredCount": 3, "launchType": null, "capacityProviderStrategy": wanted }));
    assert_eq!((&service["capacityProviderStrategy"], &service["launchType"]), (&wanted, &Value::Null));
    assert_eq!(service["deployments"][0]["capacityProviderStrategy"], wanted);
    let tasks = lab.tasks("RUNNING");
    assert!(tasks.iter().all(|task| task["launchType"] == "FARGATE"));
    let mut providers: Vec<_> =
        tasks.iter().map(|task| task["capacityProviderName"].as_str().unwrap()).collect();
    providers.sort_unstable();
    assert_eq!(providers, ["FARGATE", "FARGATE_SPOT", "FARGATE_SPOT"]);
}

#[test]
fn a_clusters_default_strategy_is_for_services_that_name_no_launch_type() {
    let mut lab = Lab::new();
    let default = strategy(&[("FARGATE_SPOT", 1, 0)]);
    let request = json!({ "cluster": "prod", "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": default });
    let cluster = lab.ok("PutClusterCapacityProviders", request)["cluster"].clone();
    assert_eq!(cluster["capacityProviders"], json!(["FARGATE", "FARGATE_SPOT"]));
    assert_eq!(cluster["defaultCapacityProviderStrategy"], default);
    let service = lab.running(json!({ "launchType": null }));
    assert_eq!(service["capacityProviderStrategy"], default);
    assert_eq!(lab.tasks("RUNNING")[0]["capacityProviderName"], "FARGATE_SPOT");
}

#[test]
fn a_service_moves_from_its_launch_type_to_spot_and_back() {
    let mut lab = Lab::new();
    both(&mut lab);
    lab.running(json!({}));
    let spot = strategy(&[("FARGATE_SPOT", 1, 0)]);
    lab.update(json!({ "capacityProviderStrategy": spot, "forceNewDeployment": true }));
    lab.run(600);
    assert!(lab.tasks("RUNNING").iter().all(|task| task["capacityProviderName"] == "FARGATE_SPOT"));
    let used =
        json!({ "cluster": "prod", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": [] });
    assert_eq!(
        lab.refused("PutClusterCapacityProviders", used),
        "ResourceInUseException: The specified capacity provider is in use and cannot be removed."
    );
    assert_eq!(lab.update(json!({ "capacityProviderStrategy": [] }))["launchType"], "FARGATE");
}

#[test]
fn strategies_that_place_no_task_are_refused() {
    let mut lab = Lab::new();
    lab.register("web", json!({}));
    let mut refused = |launch_type: Value, wanted: Value| {
        let members = json!({ "launchType": launch_type, "capacityProviderStrategy": wanted });
        let request = lab.service_request(members);
        lab.refused("CreateService", request)
    };
    // dask-cloudprovider#328.
    assert_eq!(
        refused(Value::Null, strategy(&[("FARGATE_SPOT", 1, 0)])),
        "InvalidParameterException: The specified capacity provider strategy cannot contain a capacity provider that is not \
         associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider \
         and try again."
    );
    assert!(
        refused(json!("FARGATE"), strategy(&[("FARGATE", 1, 0)])).contains("Specifying both a launch type")
    );
    both(&mut lab);
    let mut refused = |wanted: Value| {
        let request = lab.service_request(json!({ "launchType": null, "capacityProviderStrategy": wanted }));
        lab.refused("CreateService", request)
    };
    assert!(refused(strategy(&[("FARGATE", 0, 1)])).contains("weight value greater than zero"));
    assert!(refused(strategy(&[("FARGATE", 1, 1), ("FARGATE_SPOT", 1, 1)])).contains("base"));
    assert!(refused(strategy(&[("FARGATE", 1, 0), ("FARGATE", 1, 0)])).contains("twice"));
    let unknown = json!({ "clusterName": "other", "capacityProviders": ["EC2_FLEET"] });
    assert!(lab.refused("CreateCluster", unknown).contains("'EC2_FLEET' was not found"));
}
