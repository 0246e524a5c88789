//! What consoles and other tools call besides a deployment: clusters, families, account settings, task protection.

use serde_json::{Value, json};

use super::lab::{Lab, id};

#[test]
fn a_cluster_is_updated_and_shows_what_is_asked_for() {
    let mut lab = Lab::new();
    let settings = json!([{ "name": "containerInsights", "value": "enhanced" }]);
    lab.ok("UpdateClusterSettings", json!({ "cluster": "prod", "settings": settings }));
    let logging = json!({ "executeCommandConfiguration": { "logging": "DEFAULT" } });
    let updated = lab.ok("UpdateCluster", json!({ "cluster": "prod", "configuration": logging }));
    assert_eq!(
        (&updated["cluster"]["settings"], &updated["cluster"]["configuration"]),
        (&settings, &logging)
    );
    lab.running(json!({}));
    let plain = lab.ok("DescribeClusters", json!({ "clusters": ["prod"] }));
    assert_eq!(
        (&plain["clusters"][0]["settings"], &plain["clusters"][0]["statistics"]),
        (&json!([]), &json!([]))
    );
    let include = json!({ "clusters": ["prod"], "include": ["SETTINGS", "STATISTICS", "CONFIGURATIONS"] });
    let shown = lab.ok("DescribeClusters", include)["clusters"][0].clone();
    assert_eq!((&shown["settings"], &shown["configuration"]), (&settings, &logging));
    let count = |name: &str| {
        let all = shown["statistics"].as_array().unwrap();
        all.iter().find(|own| own["name"] == *name).unwrap()["value"].clone()
    };
    assert_eq!(
        (count("runningFargateTasksCount"), count("activeFargateServiceCount")),
        (json!("2"), json!("1"))
    );
    let unknown = json!({ "cluster": "prod", "settings": [{ "name": "x", "value": "enabled" }] });
    assert!(lab.refused("UpdateClusterSettings", unknown).starts_with("InvalidParameterException"));
    let nobody = json!({ "cluster": "nope", "settings": settings });
    assert!(lab.refused("UpdateCluster", nobody).starts_with("ClusterNotFoundException"));
}

#[test]
fn account_settings_are_chosen_by_the_account_and_by_its_users() {
    let mut lab = Lab::new();
    lab.ok("PutAccountSettingDefault", json!({ "name": "containerInsights", "value": "enabled" }));
    lab.ok("PutAccountSetting", json!({ "name": "awsvpcTrunking", "value": "enabled" }));
    let own = lab.ok("ListAccountSettings", json!({}));
    assert_eq!(own["settings"].as_array().unwrap().len(), 1, "{own}");
    let effective = json!({ "name": "containerInsights", "effectiveSettings": true });
    assert_eq!(lab.ok("ListAccountSettings", effective)["settings"][0]["value"], "enabled");
    lab.ok("CreateCluster", json!({ "clusterName": "later" }));
    let later = lab.ok("DescribeClusters", json!({ "clusters": ["later"], "include": ["SETTINGS"] }));
    assert_eq!(later["clusters"][0]["settings"][0]["value"], "enabled");
    lab.ok("DeleteAccountSetting", json!({ "name": "awsvpcTrunking" }));
    assert_eq!(lab.ok("ListAccountSettings", json!({}))["settings"], json!([]));
    for bad in
        [json!({ "name": "x", "value": "enabled" }), json!({ "name": "awsvpcTrunking", "value": "maybe" })]
    {
        assert!(lab.refused("PutAccountSetting", bad).starts_with("InvalidParameterException"));
    }
}

#[test]
fn families_are_listed_and_only_deregistered_revisions_are_deleted() {
    let mut lab = Lab::new();
    let first = lab.register("web", json!({}));
    lab.register("web", json!({}));
    lab.register("worker", json!({}));
    let families =
        |lab: &mut Lab, filter: Value| lab.ok("ListTaskDefinitionFamilies", filter)["families"].clone();
    assert_eq!(families(&mut lab, json!({})), json!(["web", "worker"]));
    assert_eq!(families(&mut lab, json!({ "familyPrefix": "wo" })), json!(["worker"]));
    lab.ok("DeregisterTaskDefinition", json!({ "taskDefinition": "worker:1" }));
    assert_eq!(families(&mut lab, json!({ "status": "ACTIVE" })), json!(["web"]));
    assert_eq!(families(&mut lab, json!({ "status": "INACTIVE" })), json!(["worker"]));
    lab.ok("DeregisterTaskDefinition", json!({ "taskDefinition": first }));
    let deleted = lab.ok("DeleteTaskDefinitions", json!({ "taskDefinitions": [first, "web:2", "web:9"] }));
    assert_eq!(deleted["taskDefinitions"][0]["status"], "DELETE_IN_PROGRESS");
    assert_eq!(deleted["failures"].as_array().unwrap().len(), 2, "{deleted}");
    let listed = lab.ok("ListTaskDefinitions", json!({ "status": "DELETE_IN_PROGRESS" }));
    assert_eq!(listed["taskDefinitionArns"], json!([first]));
    let refused = lab.refused("DeleteTaskDefinitions", json!({ "taskDefinitions": ["web"] }));
    assert_eq!(refused, "ClientException: Revision is missing.");
}

#[test]
fn a_protected_task_survives_scaling_in_until_its_protection_ends() {
    let mut lab = Lab::new();
    lab.running(json!({ "desiredCount": 3 }));
    let tasks: Vec<String> = lab.tasks("RUNNING").iter().map(id).collect();
    let newest = tasks.last().unwrap();
    let protect = json!({ "cluster": "prod", "tasks": [newest, "0".repeat(32)], "protectionEnabled": true, "expiresInMinutes": 10 });
    let reply = lab.ok("UpdateTaskProtection", protect);
    assert_eq!(reply["protectedTasks"][0]["protectionEnabled"], true);
    assert_eq!(reply["failures"][0]["reason"], "MISSING");
    lab.update(json!({ "desiredCount": 1 }));
    lab.run(300);
    let left: Vec<String> = lab.tasks("RUNNING").iter().map(id).collect();
    assert_eq!(left, tasks[2..]);
    lab.update(json!({ "desiredCount": 0 }));
    lab.run(200);
    assert_eq!(lab.tasks("RUNNING").len(), 1, "its ten minutes are not over");
    lab.run(300);
    assert_eq!(lab.tasks("RUNNING").len(), 0);
    let long =
        json!({ "cluster": "prod", "tasks": [newest], "protectionEnabled": true, "expiresInMinutes": 2881 });
    assert!(lab.refused("UpdateTaskProtection", long).contains("between 1 and 2880"));
}

#[test]
fn a_deployment_without_lifecycle_hooks_has_nothing_to_continue() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let arn = lab.service_deployment()["serviceDeploymentArn"].clone();
    let refused =
        lab.refused("ContinueServiceDeployment", json!({ "serviceDeploymentArn": arn, "hookId": "h" }));
    assert!(refused.contains("no lifecycle hook h"), "{refused}");
    let unknown = json!({ "serviceDeploymentArn": "x", "hookId": "h" });
    let refused = lab.refused("ContinueServiceDeployment", unknown);
    assert!(refused.starts_with("ServiceDeploymentNotFoundException"), "{refused}");
}

#[test]
fn fargate_s_capacity_providers_are_described_and_others_are_missing() {
    let mut lab = Lab::new();
    let all = lab.ok("DescribeCapacityProviders", json!({}));
    let names: Vec<&str> = all["capacityProviders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["FARGATE", "FARGATE_SPOT"]);
    let other = lab.ok("DescribeCapacityProviders", json!({ "capacityProviders": ["gpus"] }));
    assert_eq!(other["failures"][0]["reason"], "MISSING");
    assert_eq!(
        lab.ok("ListContainerInstances", json!({ "cluster": "prod" }))["containerInstanceArns"],
        json!([])
    );
}

#[test]
fn a_task_is_named_by_an_id_and_nothing_else() {
    let mut lab = Lab::new();
    for (operation, members) in [
        ("DescribeTasks", json!({ "cluster": "prod", "tasks": ["nope"] })),
        ("StopTask", json!({ "cluster": "prod", "task": "nope" })),
    ] {
        let refused = lab.refused(operation, members);
        assert_eq!(refused, "InvalidParameterException: taskId length should be one of [32,36]");
    }
    let missing = lab.ok("DescribeTasks", json!({ "cluster": "prod", "tasks": ["0".repeat(32)] }));
    assert_eq!(missing["failures"][0]["reason"], "MISSING");
}

#[test]
fn a_service_without_a_launch_type_or_a_strategy_is_for_ec2_of_which_there_is_none() {
    let mut lab = Lab::new();
    lab.register("web", json!({}));
    let request = lab.service_request(json!({ "launchType": null }));
    let refused = lab.refused("CreateService", request);
    assert_eq!(refused, "InvalidParameterException: No Container Instances were found in your cluster.");
}

#[test]
fn a_task_definition_shows_what_it_requires() {
    let mut lab = Lab::new();
    let log = json!({ "logDriver": "awslogs", "options": { "awslogs-group": "/web", "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "web" } });
    lab.register("web", json!({ "logConfiguration": log, "healthCheck": { "command": ["CMD", "x"] } }));
    let shown = lab.ok("DescribeTaskDefinition", json!({ "taskDefinition": "web" }));
    let required = shown["taskDefinition"]["requiresAttributes"].to_string();
    for name in ["task-eni", "execution-role-awslogs", "container-health-check", "logging-driver.awslogs"] {
        assert!(required.contains(&format!("capability.{name}\"")), "{name}: {required}");
    }
    assert!(!required.contains("ecr-auth"), "a public image: {required}");
}
