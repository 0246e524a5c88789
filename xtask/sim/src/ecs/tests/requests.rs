//! What CreateService, UpdateService and RegisterTaskDefinition refuse, in AWS's words (ECS API reference, CreateService and UpdateService).

use serde_json::{Value, json};

use super::lab::{Lab, laid_over, task_definition};

/// A CreateService with these members is refused with this text.
fn create_refused(lab: &mut Lab, members: Value, expected: &str) {
    let request = lab.service_request(members);
    assert_eq!(lab.refused("CreateService", request), expected);
}

#[test]
fn create_service_refuses_what_cannot_work_with_awss_texts() {
    let mut lab = Lab::new();
    lab.register("web", json!({}));
    let lonely = lab.target_group_alone("lonely-tg", "ip");
    let instances = lab.target_group_alone("instance-tg", "instance");
    let group = lab.target_group.clone();
    let balancer = |arn: &str, container: &str, port: u16| json!({ "loadBalancers": [{ "targetGroupArn": arn, "containerName": container, "containerPort": port }] });
    let invalid = |text: &str| format!("InvalidParameterException: {text}");
    let cases = [
        (
            balancer(&lonely, "web", 8080),
            invalid(&format!(
                "The target group with targetGroupArn {lonely} does not have an associated load balancer."
            )),
        ),
        (
            balancer(&instances, "web", 8080),
            invalid(&format!(
                "The provided target group {instances} has target type instance, which is incompatible with the awsvpc network mode specified in the task definition."
            )),
        ),
        (balancer(&group, "web", 80), invalid("The container web did not have a container port 80 defined.")),
        (balancer(&group, "app", 8080), invalid("The container app does not exist in the task definition.")),
        (
            json!({ "networkConfiguration": null }),
            invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."),
        ),
        (
            json!({ "capacityProviderStrategy": [{ "capacityProvider": "FARGATE_SPOT" }] }),
            invalid(
                "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
            ),
        ),
        (
            json!({ "clientToken": "x".repeat(37) }),
            invalid("The request contains an idempotency token longer than 36 characters."),
        ),
        (json!({ "taskDefinition": "absent" }), "ClientException: TaskDefinition not found.".to_owned()),
        (json!({ "cluster": "absent" }), "ClusterNotFoundException: Cluster not found.".to_owned()),
        (json!({ "desiredCount": null }), invalid("Desired count can not be null.")),
    ];
    for (members, expected) in cases {
        create_refused(&mut lab, members, &expected);
    }
    assert!(lab.account.ecs.services.is_empty(), "nothing was created");
}

#[test]
fn a_task_definition_outside_fargate_is_refused_for_fargate() {
    let mut lab = Lab::new();
    lab.ok(
        "RegisterTaskDefinition",
        laid_over(task_definition("web", json!({})), json!({ "requiresCompatibilities": ["EC2"] })),
    );
    create_refused(
        &mut lab,
        json!({}),
        "InvalidParameterException: Task definition does not support launch_type FARGATE.",
    );
}

#[test]
fn an_inactive_revision_cannot_be_deployed_but_a_running_service_keeps_it() {
    let mut lab = Lab::new();
    let service = lab.running(json!({}));
    lab.ok("DeregisterTaskDefinition", json!({ "taskDefinition": "web:1" }));
    assert_eq!(
        lab.refused(
            "UpdateService",
            json!({ "cluster": "prod", "service": "web", "taskDefinition": "web:1" })
        ),
        "ClientException: TaskDefinition is inactive"
    );
    lab.update(json!({ "forceNewDeployment": true }));
    lab.run_until(300, |lab| lab.service_deployment()["status"] == "SUCCESSFUL");
    assert_eq!(lab.service("web")["taskDefinition"], service["taskDefinition"]);
}

#[test]
fn a_repeated_create_changes_nothing_and_a_different_one_is_not_idempotent() {
    let mut lab = Lab::new();
    let first = lab.create(json!({ "clientToken": "deploy-1" }));
    let again = lab.create(json!({ "clientToken": "deploy-1" }));
    assert_eq!(first["deployments"][0]["id"], again["deployments"][0]["id"]);
    create_refused(
        &mut lab,
        json!({ "desiredCount": 3 }),
        "InvalidParameterException: Creation of service was not idempotent.",
    );
}

#[test]
fn az_rebalancing_needs_room_for_one_more_task() {
    let mut lab = Lab::new();
    lab.register("web", json!({}));
    let tight = json!({ "maximumPercent": 100, "minimumHealthyPercent": 50 });
    let request = lab.service_request(
        json!({ "availabilityZoneRebalancing": "ENABLED", "deploymentConfiguration": tight }),
    );
    assert!(lab.refused("CreateService", request).starts_with("InvalidParameterException"));
    let service = lab.create(json!({ "deploymentConfiguration": tight }));
    assert_eq!(service["availabilityZoneRebalancing"], "DISABLED");
    assert_eq!(lab.create(json!({ "serviceName": "other" }))["availabilityZoneRebalancing"], "ENABLED");
}

#[test]
fn an_update_must_keep_the_load_balancers_container_port() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let arn = lab.register("web", json!({ "portMappings": [{ "containerPort": 9090 }] }));
    let update = json!({ "cluster": "prod", "service": "web", "taskDefinition": arn });
    assert_eq!(
        lab.refused("UpdateService", update.clone()),
        "InvalidParameterException: The container web did not have a container port 8080 defined."
    );
    lab.ok("UpdateService", laid_over(update, json!({ "loadBalancers": [] })));
}

#[test]
fn a_refused_update_changes_nothing() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let before = lab.service("web");
    lab.refused(
        "UpdateService",
        json!({ "cluster": "prod", "service": "web", "desiredCount": 7, "propagateTags": "SOMETIMES" }),
    );
    assert_eq!(lab.service("web"), before);
}

#[test]
fn register_task_definition_refuses_with_awss_texts() {
    let mut lab = Lab::new();
    let cases = [
        (
            json!({ "cpu": "1024", "memory": "1024" }),
            "No Fargate configuration exists for given values: 1024 CPU, 1024 memory. See the Amazon ECS documentation for the valid values.",
        ),
        (json!({ "networkMode": "bridge" }), "Fargate only supports network mode \u{2018}awsvpc\u{2019}."),
        (json!({ "cpu": null }), "Fargate requires that 'cpu' be defined at the task level."),
    ];
    for (members, expected) in cases {
        let request = laid_over(task_definition("web", json!({})), members);
        assert_eq!(lab.refused("RegisterTaskDefinition", request), format!("ClientException: {expected}"));
    }
    let port = task_definition("web", json!({ "portMappings": [{ "containerPort": 70000 }] }));
    assert_eq!(
        lab.refused("RegisterTaskDefinition", port),
        "ClientException: Invalid 'containerPort' setting for container 'web'."
    );
    let image = json!({ "image": "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/web:1" });
    let no_role = laid_over(task_definition("web", image), json!({ "executionRoleArn": null }));
    assert_eq!(
        lab.refused("RegisterTaskDefinition", no_role),
        "ClientException: Fargate requires task definition to have execution role ARN to support ECR images."
    );
}

#[test]
fn every_registration_is_a_new_revision_and_tags_are_beside_it() {
    // RegisterTaskDefinition in the ECS API reference.
    let mut lab = Lab::new();
    let tagged = laid_over(
        task_definition("web", json!({})),
        json!({ "tags": [{ "key": "release", "value": "r1" }] }),
    );
    lab.ok("RegisterTaskDefinition", tagged.clone());
    let second = lab.ok("RegisterTaskDefinition", tagged);
    assert_eq!(second["taskDefinition"]["revision"], 2);
    let described = lab.ok("DescribeTaskDefinition", json!({ "taskDefinition": "web", "include": ["TAGS"] }));
    assert_eq!(described["taskDefinition"]["revision"], 2, "the family's latest ACTIVE revision");
    assert_eq!(described["tags"], json!([{ "key": "release", "value": "r1" }]));
    assert_eq!(described["taskDefinition"]["tags"], Value::Null);
    let plain = lab.ok("DescribeTaskDefinition", json!({ "taskDefinition": "web:1" }));
    assert_eq!(plain["tags"], Value::Null);
    let listed =
        lab.ok("ListTaskDefinitions", json!({ "familyPrefix": "web", "sort": "DESC", "maxResults": 1 }));
    assert!(listed["taskDefinitionArns"][0].as_str().unwrap().ends_with("/web:2"));
    assert!(listed["nextToken"].is_string());
}

#[test]
fn describe_services_takes_ten_and_reports_unknown_ones_as_missing() {
    let mut lab = Lab::new();
    let eleven: Vec<String> = (0..11).map(|n| format!("s{n}")).collect();
    let refused = lab.refused("DescribeServices", json!({ "cluster": "prod", "services": eleven }));
    assert!(refused.starts_with("InvalidParameterException"), "{refused}");
    let reply = lab.ok("DescribeServices", json!({ "cluster": "prod", "services": ["absent"] }));
    assert_eq!(reply["services"], json!([]));
    let arn = "arn:aws:ecs:ap-southeast-1:123456789012:service/prod/absent";
    assert_eq!(reply["failures"], json!([{ "arn": arn, "reason": "MISSING" }]));
}

#[test]
fn a_page_has_its_limits_and_a_made_up_token_is_refused() {
    let mut lab = Lab::new();
    for paging in [json!({ "maxResults": 0 }), json!({ "maxResults": 101 }), json!({ "nextToken": "99" })] {
        let refused = lab.refused("ListClusters", paging.clone());
        assert!(refused.starts_with("InvalidParameterException"), "{paging}: {refused}");
    }
}

#[test]
fn a_member_of_the_wrong_type_is_an_error_and_not_a_panic() {
    let mut lab = Lab::new();
    for (operation, params) in [
        ("CreateService", json!({ "serviceName": 7 })),
        ("UpdateService", json!({ "cluster": "prod", "service": ["web"] })),
        ("RegisterTaskDefinition", json!({ "family": "web", "containerDefinitions": "none" })),
        ("DescribeTasks", json!({ "tasks": { "a": 1 } })),
        ("ListServices", json!({ "launchType": 7 })),
        ("StopServiceDeployment", json!({})),
        ("DescribeServiceRevisions", json!(null)),
    ] {
        let refused = lab.refused(operation, params);
        assert!(refused.starts_with("InvalidParameterException: "), "{operation}: {refused}");
    }
    assert_eq!(
        lab.refused("DescribeFleet", json!({})),
        "UnknownOperationException: the embedded cloud does not have ecs:DescribeFleet; docs/operations.md lists what it has"
    );
}

#[test]
fn tags_are_put_replaced_and_removed() {
    let mut lab = Lab::new();
    let arn = lab.running(json!({ "tags": [{ "key": "team", "value": "ielts" }] }))["serviceArn"].clone();
    lab.ok("TagResource", json!({ "resourceArn": arn, "tags": [{ "key": "team", "value": "core" }, { "key": "x", "value": "1" }] }));
    lab.ok("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["x"] }));
    let tags = lab.ok("ListTagsForResource", json!({ "resourceArn": arn }))["tags"].clone();
    assert_eq!(tags, json!([{ "key": "team", "value": "core" }]));
    let with =
        lab.ok("DescribeServices", json!({ "cluster": "prod", "services": ["web"], "include": ["TAGS"] }));
    assert_eq!(with["services"][0]["tags"], tags);
    assert_eq!(lab.service("web")["tags"], Value::Null);
    assert!(
        lab.refused("TagResource", json!({ "resourceArn": "arn:aws:s3:::x", "tags": [] }))
            .starts_with("InvalidParameterException")
    );
}

#[test]
fn only_tasks_launched_later_inherit_tags() {
    // ECS guide, ecs-using-tags, propagateTags.
    let mut lab = Lab::new();
    lab.running(json!({ "tags": [{ "key": "team", "value": "ielts" }] }));
    lab.update(json!({ "propagateTags": "SERVICE", "enableECSManagedTags": true, "desiredCount": 3 }));
    lab.run_until(120, |lab| lab.service("web")["runningCount"] == 3);
    let arns: Vec<Value> = lab.tasks("RUNNING").iter().map(|task| task["taskArn"].clone()).collect();
    let reply = lab.ok("DescribeTasks", json!({ "cluster": "prod", "tasks": arns, "include": ["TAGS"] }));
    let counts: Vec<usize> = reply["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["tags"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [0, 0, 3]);
}

#[test]
fn list_services_pages_by_ten_unless_asked_otherwise() {
    let mut lab = Lab::new();
    for n in 0..12 {
        lab.create(json!({ "serviceName": format!("s{n:02}"), "desiredCount": 0 }));
    }
    let list = |lab: &mut Lab, members: Value| {
        lab.ok("ListServices", laid_over(json!({ "cluster": "prod" }), members))
    };
    let first = list(&mut lab, json!({}));
    assert_eq!(first["serviceArns"].as_array().unwrap().len(), 10);
    let rest = list(&mut lab, json!({ "nextToken": first["nextToken"] }));
    assert_eq!(rest["serviceArns"].as_array().unwrap().len(), 2);
    assert_eq!(list(&mut lab, json!({ "maxResults": 100 }))["serviceArns"].as_array().unwrap().len(), 12);
}

#[test]
fn what_cannot_change_in_place_is_refused() {
    // UpdateService in the ECS API reference.
    let mut lab = Lab::new();
    let providers =
        json!({ "cluster": "prod", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": [] });
    lab.ok("PutClusterCapacityProviders", providers);
    let strategy = json!([{ "capacityProvider": "FARGATE", "weight": 1 }]);
    lab.running(json!({ "launchType": null, "capacityProviderStrategy": strategy }));
    let update = |members: Value| laid_over(json!({ "cluster": "prod", "service": "web" }), members);
    let back = lab.refused("UpdateService", update(json!({ "capacityProviderStrategy": [] })));
    assert!(
        back.starts_with("InvalidParameterException"),
        "only if it was created with a launch type: {back}"
    );
    let windows = laid_over(
        task_definition("web", json!({})),
        json!({ "runtimePlatform": { "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE" }, "cpu": "1024", "memory": "2048" }),
    );
    lab.ok("RegisterTaskDefinition", windows);
    let other = lab.refused("UpdateService", update(json!({ "taskDefinition": "web" })));
    assert!(other.contains("operating system"), "{other}");
    // A service's launch type is no member of an update at all.
    let ignored = lab.ok("UpdateService", update(json!({ "launchType": "FARGATE" })));
    assert_eq!(ignored["service"]["launchType"], Value::Null);
}

#[test]
fn execute_command_is_for_tasks_that_start_later() {
    // UpdateService in the ECS API reference.
    let mut lab = Lab::new();
    let role = json!({ "taskRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole" });
    lab.ok("RegisterTaskDefinition", laid_over(task_definition("web", json!({})), role));
    lab.running(json!({}));
    lab.update(json!({ "enableExecuteCommand": true, "desiredCount": 3 }));
    lab.run_until(120, |lab| lab.service("web")["runningCount"] == 3);
    let enabled: Vec<Value> =
        lab.tasks("RUNNING").iter().map(|task| task["enableExecuteCommand"].clone()).collect();
    assert_eq!(enabled, [json!(false), json!(false), json!(true)]);
}

#[test]
fn the_exec_agent_stops_where_it_cannot_write() {
    // aws/containers-roadmap#1359; amazon-ecs-exec-checker#21.
    let paths = ["/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"];
    for (mounted, expected) in [(3, "RUNNING"), (2, "STOPPED")] {
        let mut lab = Lab::new();
        let volumes: Vec<Value> = (0..mounted).map(|n| json!({ "name": format!("v{n}") })).collect();
        let mounts: Vec<Value> = (0..mounted)
            .map(|n| json!({ "sourceVolume": format!("v{n}"), "containerPath": paths[n] }))
            .collect();
        let members = json!({ "readonlyRootFilesystem": true, "mountPoints": mounts });
        let mut request = task_definition("web", members);
        request["volumes"] = json!(volumes);
        request["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/ecsTaskExecutionRole");
        let reply = lab.ok("RegisterTaskDefinition", request.clone());
        assert_eq!(reply["taskDefinition"]["volumes"][0], json!({ "name": "v0", "host": {} }));
        let definition = reply["taskDefinition"]["taskDefinitionArn"].clone();
        lab.running(json!({ "enableExecuteCommand": true, "taskDefinition": definition }));
        let agent = lab.tasks("RUNNING")[0]["containers"][0]["managedAgents"][0].clone();
        assert_eq!((&agent["name"], &agent["lastStatus"]), (&json!("ExecuteCommandAgent"), &json!(expected)));
        assert_eq!(agent["lastStartedAt"].is_number(), expected == "RUNNING", "{agent}");
        request["volumes"] = json!([]);
        assert_eq!(lab.refused("RegisterTaskDefinition", request), "ClientException: Unknown volume 'v0'.");
    }
}
