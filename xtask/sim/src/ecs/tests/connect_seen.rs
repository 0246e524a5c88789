//! What others see of Service Connect: Cloud Map's clients, and whoever describes a task.

use serde_json::{Value, json};

use super::connect::{completed, connect, create, lab, tasks};
use super::lab::{laid_over, task_definition};
use crate::wire::Api;

#[test]
fn endpoints_and_registries_are_found_in_cloud_map_with_their_running_tasks() {
    let mut lab = lab();
    create(&mut lab, "backend", 8080);
    completed(&mut lab, "backend");
    let listed = lab.api(Api::CloudMap, "ListServices", json!({})).unwrap();
    assert_eq!(
        (&listed["Services"][0]["Name"], &listed["Services"][0]["InstanceCount"]),
        (&json!("backend"), &json!(2))
    );
    let discover = json!({ "NamespaceName": "ielts.local", "ServiceName": "backend" });
    let found = lab.api(Api::CloudMap, "DiscoverInstances", discover).unwrap();
    let first = &found["Instances"][0]["Attributes"];
    assert_eq!(
        (&first["AWS_INSTANCE_PORT"], &first["ECS_SERVICE_NAME"]),
        (&json!("8080"), &json!("backend"))
    );
    let by_namespace = lab.ok("ListServicesByNamespace", json!({ "namespace": "ielts.local" }));
    assert_eq!(by_namespace["serviceArns"].as_array().unwrap().len(), 1);
    let refused = lab.refused("ListServicesByNamespace", json!({ "namespace": "nope" }));
    assert!(refused.starts_with("NamespaceNotFoundException"), "{refused}");

    let spaces = lab.api(Api::CloudMap, "ListNamespaces", json!({})).unwrap();
    let made = json!({ "Name": "web", "NamespaceId": spaces["Namespaces"][0]["Id"] });
    let registry = lab.api(Api::CloudMap, "CreateService", made).unwrap()["Service"].clone();
    let request = lab.service_request(json!({ "serviceRegistries": [{ "registryArn": "arn:nowhere" }] }));
    lab.register("web", json!({}));
    assert!(lab.refused("CreateService", request).contains("arn:nowhere does not exist"));
    lab.running(json!({ "serviceRegistries": [{ "registryArn": registry["Arn"] }] }));
    let instances = lab.api(Api::CloudMap, "ListInstances", json!({ "ServiceId": registry["Id"] })).unwrap();
    assert_eq!(instances["Instances"].as_array().unwrap().len(), 2);
    let deleted = lab.api(Api::CloudMap, "DeleteService", json!({ "Id": registry["Id"] }));
    assert_eq!(deleted.unwrap_err().code, "ResourceInUse");
}

#[test]
fn a_task_with_a_proxy_shows_it_first_and_takes_commands_by_container_name_only() {
    // amazon-ecs-exec-checker PR 73; "ECS Exec" in the developer guide.
    let mut lab = lab();
    let mut definition = task_definition("backend", json!({}));
    definition["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/ecsTaskExecutionRole");
    lab.ok("RegisterTaskDefinition", definition);
    let services = json!([{ "portName": "backend", "clientAliases": [{ "port": 8080 }] }]);
    let request = lab.service_request(json!({
        "serviceName": "backend", "taskDefinition": "backend", "loadBalancers": [], "enableExecuteCommand": true,
        "serviceConnectConfiguration": connect(services),
    }));
    lab.ok("CreateService", request);
    completed(&mut lab, "backend");
    let id = tasks(&mut lab, "backend")[0].clone();
    let described = lab.ok("DescribeTasks", json!({ "cluster": "prod", "tasks": [id] }));
    let task = &described["tasks"][0];
    let proxy = task["containers"][0]["name"].as_str().unwrap();
    assert!(proxy.starts_with("ecs-service-connect-"), "{proxy}");
    let shown = &task["containers"][0];
    assert_eq!((&shown["lastStatus"], &shown["healthStatus"]), (&json!("RUNNING"), &json!("HEALTHY")));
    assert_eq!((&shown["image"], &shown["runtimeId"]), (&Value::Null, &Value::Null));
    assert_eq!(task["overrides"]["containerOverrides"][0], json!({ "name": proxy }));
    let kinds: Vec<&Value> = task["attachments"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(kinds, ["ServiceConnect", "ElasticNetworkInterface"]);
    assert_eq!(task["attachments"][0]["details"], json!([{ "name": "ContainerName", "value": proxy }]));

    let execute = |container: Value| {
        laid_over(json!({ "cluster": "prod", "task": id, "command": "sh", "interactive": true }), container)
    };
    assert!(lab.refused("ExecuteCommand", execute(json!({}))).contains("A container name is required"));
    let refused = lab.refused("ExecuteCommand", execute(json!({ "container": proxy })));
    assert!(refused.contains("command agent isn’t running"), "{refused}");
    lab.ok("ExecuteCommand", execute(json!({ "container": "backend" })));

    lab.ok("StopTask", json!({ "cluster": "prod", "task": id }));
    lab.run(300);
    let described = lab.ok("DescribeTasks", json!({ "cluster": "prod", "tasks": [id] }));
    assert_eq!(described["tasks"][0]["containers"][0]["lastStatus"], "STOPPED");
}
