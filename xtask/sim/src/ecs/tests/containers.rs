//! Tasks of several containers: the order in which they start and stop, and what RegisterTaskDefinition refuses of it.

use serde_json::{Value, json};

use super::lab::{Lab, laid_over, task_definition};
use crate::workload::scripted::Script;

/// `web` with these containers beside its own, whose definition `main` is laid over.
fn with_sidecars(main: Value, sidecars: &[Value]) -> Value {
    let mut definition = task_definition("web", main);
    definition["containerDefinitions"].as_array_mut().unwrap().extend(sidecars.iter().cloned());
    definition
}

fn sidecar(name: &str, members: Value) -> Value {
    let base = json!({ "name": name, "image": format!("public.example/{name}:1"), "essential": false });
    laid_over(base, members)
}

fn on(container: &str, condition: &str) -> Value {
    json!([{ "containerName": container, "condition": condition }])
}

/// A service of one task without a load balancer.
fn worker(lab: &mut Lab, definition: Value) {
    lab.ok("RegisterTaskDefinition", definition);
    let request = lab.service_request(json!({ "desiredCount": 1, "loadBalancers": [] }));
    lab.ok("CreateService", request);
}

fn container(task: &Value, name: &str) -> Value {
    let containers = task["containers"].as_array().unwrap();
    containers.iter().find(|container| container["name"] == name).unwrap().clone()
}

/// How long it takes until a container of the oldest task has this status, in seconds.
fn seconds_until(lab: &mut Lab, name: &str, status: &str) -> u64 {
    lab.run_until(300, |lab| {
        let tasks = [lab.tasks("STOPPED"), lab.tasks("RUNNING")].concat();
        tasks.first().is_some_and(|task| container(task, name)["lastStatus"] == status)
    })
}

#[test]
fn an_application_starts_only_after_its_migration_has_succeeded_and_its_proxy_is_healthy() {
    let mut lab = Lab::new();
    let check = json!({ "command": ["CMD", "up"], "interval": 5 });
    let dependencies = json!([
        { "containerName": "migrate", "condition": "SUCCESS" },
        { "containerName": "proxy", "condition": "HEALTHY" },
    ]);
    lab.script("web/migrate", Script::exits(20_000, 0));
    let sidecars = [sidecar("migrate", json!({})), sidecar("proxy", json!({ "healthCheck": check }))];
    worker(&mut lab, with_sidecars(json!({ "dependsOn": dependencies }), &sidecars));
    let first = seconds_until(&mut lab, "migrate", "RUNNING");
    assert_eq!(lab.tasks("RUNNING")[0]["lastStatus"], "PENDING");
    let healthy =
        lab.run_until(60, |lab| container(&lab.tasks("RUNNING")[0], "proxy")["healthStatus"] == "HEALTHY");
    assert_eq!(container(&lab.tasks("RUNNING")[0], "web")["lastStatus"], "PENDING", "the migration goes on");
    let application = healthy + seconds_until(&mut lab, "web", "RUNNING");
    assert_eq!(application, 20, "{first}");
    let task = &lab.tasks("RUNNING")[0];
    assert_eq!(
        (&task["lastStatus"], &container(task, "migrate")["exitCode"]),
        (&json!("RUNNING"), &json!(0))
    );
}

#[test]
fn a_migration_that_fails_ends_its_task_and_the_reason_names_both_containers() {
    // aws/amazon-ecs-agent#3218.
    let mut lab = Lab::new();
    lab.script("web/migrate", Script::exits(1_000, 2));
    let main = json!({ "dependsOn": on("migrate", "SUCCESS") });
    worker(&mut lab, with_sidecars(main, &[sidecar("migrate", json!({}))]));
    lab.run_until(120, |lab| !lab.tasks("STOPPED").is_empty());
    let task = &lab.tasks("STOPPED")[0];
    assert_eq!(task["stoppedReason"], "Essential container in task exited");
    assert_eq!(
        (&container(task, "migrate")["exitCode"], &container(task, "web")["exitCode"]),
        (&json!(2), &json!(143))
    );
    assert_eq!(
        container(task, "web")["reason"],
        "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [migrate] for \
         target [web] as dependency did not exit successfully."
    );
    lab.run_until(60, |lab| lab.service("web")["deployments"][0]["failedTasks"] == 1);
}

#[test]
fn whatever_its_exit_code_a_container_that_is_waited_for_to_complete_lets_the_others_start() {
    let mut lab = Lab::new();
    lab.script("web/warm", Script::exits(1_000, 9));
    let main = json!({ "dependsOn": on("warm", "COMPLETE") });
    worker(&mut lab, with_sidecars(main, &[sidecar("warm", json!({}))]));
    seconds_until(&mut lab, "web", "RUNNING");
    lab.run(60);
    assert_eq!(lab.service("web")["runningCount"], 1);
}

#[test]
fn a_start_timeout_ends_the_wait_for_a_container() {
    let mut lab = Lab::new();
    lab.script("web/migrate", Script::default());
    let main = json!({ "dependsOn": on("migrate", "SUCCESS") });
    worker(&mut lab, with_sidecars(main, &[sidecar("migrate", json!({ "startTimeout": 30 }))]));
    seconds_until(&mut lab, "migrate", "RUNNING");
    assert_eq!(lab.run_until(60, |lab| !lab.tasks("STOPPED").is_empty()), 30);
    let task = &lab.tasks("STOPPED")[0];
    assert!(container(task, "web")["reason"].as_str().unwrap().ends_with("has timed out."), "{task:#}");
}

#[test]
fn containers_stop_in_the_reverse_of_their_order_each_within_its_own_stop_timeout() {
    let mut lab = Lab::new();
    lab.script("web:1", Script { stop_ms: 8_000, ..Script::default() });
    lab.script("web/proxy", Script { ignores_sigterm: true, ..Script::default() });
    let main = json!({ "dependsOn": on("proxy", "START") });
    worker(&mut lab, with_sidecars(main, &[sidecar("proxy", json!({ "stopTimeout": 5 }))]));
    seconds_until(&mut lab, "web", "RUNNING");
    let id = lab.tasks("RUNNING")[0]["taskArn"].clone();
    lab.ok("StopTask", json!({ "cluster": "prod", "task": id }));
    assert_eq!(seconds_until(&mut lab, "web", "STOPPED"), 8);
    assert_eq!(container(&lab.tasks("STOPPED")[0], "proxy")["lastStatus"], "RUNNING");
    assert_eq!(seconds_until(&mut lab, "proxy", "STOPPED"), 5);
    assert_eq!(container(&lab.tasks("STOPPED")[0], "proxy")["exitCode"], 137);
}

#[test]
fn a_sidecar_that_is_not_essential_may_end_and_an_essential_one_ends_its_task() {
    for (essential, left) in [(false, 1), (true, 0)] {
        let mut lab = Lab::new();
        lab.script("web/log", Script::crashes(50_000, 1));
        worker(&mut lab, with_sidecars(json!({}), &[sidecar("log", json!({ "essential": essential }))]));
        seconds_until(&mut lab, "log", "STOPPED");
        lab.run(1);
        assert_eq!(lab.tasks("STOPPED").len(), 1 - left);
        if essential {
            let task = &lab.tasks("STOPPED")[0];
            assert_eq!(
                (&task["stopCode"], &container(task, "log")["exitCode"]),
                (&json!("EssentialContainerExited"), &json!(1))
            );
            assert_eq!(container(task, "web")["exitCode"], 0, "it was sent SIGTERM");
        }
    }
}

#[test]
fn each_container_logs_to_its_own_stream() {
    let mut lab = Lab::new();
    let log = json!({ "logDriver": "awslogs", "options": { "awslogs-group": "/ecs/web", "awslogs-region": "ap-southeast-1",
        "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true" } });
    lab.script("web:1", Script::default().printing(10, "application"));
    lab.script("web/log", Script::default().printing(10, "sidecar"));
    let members = json!({ "logConfiguration": log });
    worker(&mut lab, with_sidecars(members.clone(), &[sidecar("log", members)]));
    seconds_until(&mut lab, "web", "RUNNING");
    lab.run(1);
    let id = super::lab::id(&lab.tasks("RUNNING")[0]);
    for (name, line) in [("web", "application"), ("log", "sidecar")] {
        let stream = json!({ "logGroupName": "/ecs/web", "logStreamName": format!("ecs/{name}/{id}") });
        let events = lab.api(crate::wire::Api::Logs, "GetLogEvents", stream).unwrap();
        assert_eq!(events["events"][0]["message"], line);
    }
}

#[test]
fn dependencies_that_cannot_come_true_are_refused_at_registration() {
    let mut lab = Lab::new();
    let mut refused = |main: Value, sidecars: &[Value]| {
        lab.refused("RegisterTaskDefinition", with_sidecars(main, sidecars))
    };
    let essential = sidecar("proxy", json!({ "essential": true }));
    for condition in ["COMPLETE", "SUCCESS"] {
        // boto/boto3#2436.
        assert_eq!(
            refused(json!({ "dependsOn": on("proxy", condition) }), std::slice::from_ref(&essential)),
            "ClientException: A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
        );
    }
    let plain = [sidecar("proxy", json!({}))];
    assert!(
        refused(json!({ "dependsOn": on("proxy", "HEALTHY") }), &plain).contains("must have a health check")
    );
    assert!(
        refused(json!({ "dependsOn": on("proxy", "READY") }), &plain).contains("START, COMPLETE, SUCCESS")
    );
    assert!(refused(json!({ "dependsOn": on("nobody", "START") }), &plain).contains("'nobody'"));
    assert!(refused(json!({ "dependsOn": on("web", "START") }), &plain).contains("not another container"));
    let circle = [
        sidecar("a", json!({ "dependsOn": on("b", "START") })),
        sidecar("b", json!({ "dependsOn": on("web", "START") })),
    ];
    assert!(refused(json!({ "dependsOn": on("a", "START") }), &circle).contains("cycle"));
    let slow = [sidecar("proxy", json!({ "startTimeout": 121 }))];
    assert_eq!(
        refused(json!({}), &slow),
        "ClientException: Invalid 'startTimeout' setting for container 'proxy'."
    );
}

#[test]
fn a_log_router_and_what_it_routes_come_together() {
    let mut lab = Lab::new();
    let routed =
        json!({ "logConfiguration": { "logDriver": "awsfirelens", "options": { "Name": "datadog" } } });
    let router = sidecar("router", json!({ "firelensConfiguration": { "type": "fluentbit" } }));
    let alone = lab.refused("RegisterTaskDefinition", with_sidecars(routed.clone(), &[]));
    assert!(
        alone.contains("a firelens configuration object must be configured in one of the containers"),
        "{alone}"
    );
    let idle = lab.refused("RegisterTaskDefinition", with_sidecars(json!({}), std::slice::from_ref(&router)));
    assert!(
        idle.contains("at least one container has to be configured with the awsfirelens log driver"),
        "{idle}"
    );
    let router = laid_over(router, json!({ "dependsOn": on("init", "SUCCESS") }));
    let init = sidecar("init", routed.clone());
    lab.script("web/init", Script::exits(5_000, 0));
    worker(&mut lab, with_sidecars(routed, &[router, init]));
    seconds_until(&mut lab, "init", "RUNNING");
    assert_eq!(
        container(&lab.tasks("RUNNING")[0], "web")["lastStatus"],
        "PENDING",
        "it starts after its router"
    );
    let after = seconds_until(&mut lab, "web", "RUNNING");
    assert!((4..8).contains(&after), "what the router waits for cannot wait for the router: {after}");
}

#[test]
fn a_file_system_and_a_file_in_s3_are_kept_and_the_task_says_why_it_cannot_have_them() {
    let mut lab = Lab::new();
    let mut definition = task_definition(
        "web",
        json!({ "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data" }] }),
    );
    let efs = json!({ "fileSystemId": "fs-0123", "transitEncryption": "ENABLED" });
    definition["volumes"] = json!([{ "name": "data", "efsVolumeConfiguration": efs }]);
    let kept = lab.ok("RegisterTaskDefinition", definition.clone());
    assert_eq!(kept["taskDefinition"]["volumes"][0]["efsVolumeConfiguration"]["fileSystemId"], "fs-0123");
    worker(&mut lab, definition);
    let reason = |lab: &mut Lab| {
        lab.run_until(120, |lab| !lab.tasks("STOPPED").is_empty());
        lab.tasks("STOPPED").last().unwrap()["stoppedReason"].as_str().unwrap().to_owned()
    };
    assert!(reason(&mut lab).starts_with(
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \
         \"fs-0123.efs.ap-southeast-1.amazonaws.com\""
    ));
    let mut lab = Lab::new();
    let file = json!([{ "type": "s3", "value": "arn:aws:s3:::bucket/prod.env" }]);
    worker(&mut lab, task_definition("web", json!({ "environmentFiles": file })));
    assert!(reason(&mut lab).starts_with("ResourceInitializationError: failed to download env files: "));
    let file = json!([{ "type": "s3", "value": "arn:aws:s3:::bucket/prod.txt" }]);
    let refused =
        lab.refused("RegisterTaskDefinition", task_definition("web", json!({ "environmentFiles": file })));
    assert!(refused.contains("'.env'"), "{refused}");
}
