//! Tasks as DescribeTasks shows them, from PROVISIONING to forgotten.

use serde_json::{Value, json};

use super::lab::{Lab, id};
use crate::workload::Report;
use crate::workload::scripted::Script;

#[test]
fn a_task_goes_through_its_states_in_order() {
    let mut lab = Lab::new();
    lab.create(json!({ "desiredCount": 1 }));
    let mut seen: Vec<Value> = Vec::new();
    let mut note = |account: &crate::account::Account, _| {
        for task in account.ecs.tasks.values() {
            let status = json!(task.status);
            if seen.last() != Some(&status) {
                seen.push(status);
            }
        }
    };
    let (half, end) = (lab.now.plus_secs(120), lab.now.plus_secs(300));
    lab.watch_until(half, &mut note);
    lab.update(json!({ "desiredCount": 0 }));
    lab.watch_until(end, &mut note);
    assert_eq!(
        seen,
        ["PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]
    );
}

#[test]
fn a_running_task_shows_who_started_it_and_where_it_is() {
    let mut lab = Lab::new();
    let service = lab.running(json!({}));
    let task = lab.tasks("RUNNING")[0].clone();
    assert_eq!(task["startedBy"], service["deployments"][0]["id"]);
    assert_eq!(task["group"], "service:web");
    assert_eq!(task["taskDefinitionArn"], service["taskDefinition"]);
    assert_eq!((&task["lastStatus"], &task["desiredStatus"]), (&json!("RUNNING"), &json!("RUNNING")));
    assert_eq!(task["healthStatus"], "UNKNOWN", "no container health check");
    assert_eq!((&task["cpu"], &task["memory"]), (&json!("256"), &json!("512")));
    let address = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"].as_str().unwrap();
    let details = task["attachments"][0]["details"].as_array().unwrap();
    let detail = |name: &str| details.iter().find(|detail| detail["name"] == name).unwrap()["value"].clone();
    assert_eq!(detail("privateIPv4Address"), *address);
    assert!(lab.subnets.contains(&detail("subnetId").as_str().unwrap().to_owned()));
    assert!(address.starts_with("10.0."), "{address}");
    assert_eq!(task["attachments"][0]["status"], "ATTACHED");
}

#[test]
fn stopped_tasks_are_kept_an_hour_and_then_missing() {
    // ECS guide, stopped-task-errors.
    let mut lab = Lab::new();
    lab.running(json!({}));
    let victim = id(&lab.tasks("RUNNING")[0]);
    let stopped = lab.ok("StopTask", json!({ "cluster": "prod", "task": victim, "reason": "drill" }));
    assert_eq!(stopped["task"]["desiredStatus"], "STOPPED");
    lab.run(1800);
    let tasks = lab.tasks("STOPPED");
    assert_eq!(tasks.len(), 1);
    assert_eq!(
        (&tasks[0]["stopCode"], &tasks[0]["stoppedReason"]),
        (&json!("UserInitiated"), &json!("drill"))
    );
    assert_eq!(lab.service("web")["runningCount"], 2, "replaced");
    lab.run(3600);
    assert!(lab.tasks("STOPPED").is_empty());
    let reply = lab.ok("DescribeTasks", json!({ "cluster": "prod", "tasks": [victim] }));
    assert_eq!(reply["failures"][0]["reason"], "MISSING");
}

#[test]
fn a_task_stopped_by_a_person_does_not_count_as_a_failure() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let new = lab.roll(json!({}));
    lab.run(18);
    let victims: Vec<Value> =
        lab.tasks("RUNNING").into_iter().filter(|task| task["startedBy"] == *new).collect();
    for victim in victims {
        lab.ok("StopTask", json!({ "cluster": "prod", "task": victim["taskArn"] }));
    }
    lab.run_until(300, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
    assert_eq!(
        lab.tasks("STOPPED").iter().filter(|task| task["stoppedReason"] == "Task stopped by user").count(),
        2
    );
}

#[test]
fn a_missing_log_group_keeps_tasks_from_starting() {
    let mut lab = Lab::new();
    let log = json!({ "logDriver": "awslogs", "options":
        { "awslogs-group": "/ecs/absent", "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "ecs" } });
    lab.register("web", json!({ "logConfiguration": log }));
    lab.create(json!({}));
    lab.run_until(120, |lab| !lab.tasks("STOPPED").is_empty());
    let task = lab.tasks("STOPPED")[0].clone();
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    let reason = task["stoppedReason"].as_str().unwrap();
    assert!(reason.starts_with("ResourceInitializationError: failed to validate logger args"), "{reason}");
    assert!(lab.says("was unable to place a task. Reason: ResourceInitializationError"));
}

#[test]
fn a_role_that_is_not_there_is_a_service_event_and_no_api_error() {
    // The texts that ECS answers with.
    let mut lab = Lab::new();
    let mut definition = super::lab::task_definition("web", json!({}));
    let role = "arn:aws:iam::123456789012:role/absent";
    definition["taskRoleArn"] = json!(role);
    lab.ok("RegisterTaskDefinition", definition);
    lab.create(json!({}));
    assert!(lab.says(&format!(
        "(service web) failed to launch a task with (error ECS was unable to assume the role '{role}' that was \
         provided for this task."
    )));
    lab.run(600);
    assert!(lab.tasks("STOPPED").is_empty() && lab.tasks("RUNNING").is_empty());
    assert!(lab.service("web")["deployments"][0]["failedTasks"].as_u64() >= Some(2));
}

#[test]
fn containers_that_ignore_sigterm_are_killed_after_stop_timeout() {
    let mut lab = Lab::new();
    lab.register("web", json!({ "stopTimeout": 20 }));
    lab.script("web", Script { ignores_sigterm: true, ..Script::default() });
    lab.running(json!({ "loadBalancers": [], "desiredCount": 1 }));
    lab.update(json!({ "desiredCount": 0 }));
    lab.run_until(60, |lab| lab.tasks("STOPPED")[0]["lastStatus"] == "STOPPED");
    assert_eq!(
        lab.tasks("STOPPED")[0]["containers"][0]["exitCode"],
        137,
        "ECS guide, stopped-task-errors: SIGKILL after stopTimeout"
    );
}

#[test]
fn list_tasks_filters_by_desired_status_and_pages() {
    let mut lab = Lab::new();
    lab.running(json!({ "desiredCount": 5 }));
    let list = |lab: &mut Lab, members: Value| {
        lab.ok("ListTasks", super::lab::laid_over(json!({ "cluster": "prod" }), members))
    };
    assert_eq!(
        list(&mut lab, json!({ "desiredStatus": "PENDING" }))["taskArns"],
        json!([]),
        "ECS guide, stopped-task-errors: never any"
    );
    assert_eq!(list(&mut lab, json!({ "family": "other" }))["taskArns"], json!([]));
    let first = list(&mut lab, json!({ "maxResults": 3 }));
    assert_eq!(first["taskArns"].as_array().unwrap().len(), 3);
    let rest = list(&mut lab, json!({ "maxResults": 3, "nextToken": first["nextToken"] }));
    assert_eq!(rest["taskArns"].as_array().unwrap().len(), 2);
    assert_eq!(rest["nextToken"], Value::Null);
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    assert!(
        lab.refused("DescribeTasks", json!({ "cluster": "prod", "tasks": many }))
            .starts_with("InvalidParameterException")
    );
}

#[test]
fn the_log_stream_exists_once_the_container_started_and_not_before() {
    // ECS guide, stopped-task-errors.
    let mut lab = Lab::new();
    let options = json!({ "awslogs-group": "/ecs/web", "awslogs-region": "ap-southeast-1",
        "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true" });
    lab.register("web", json!({ "logConfiguration": { "logDriver": "awslogs", "options": options } }));
    lab.create(json!({ "desiredCount": 1 }));
    let streams = |lab: &mut Lab| {
        let reply =
            lab.api(crate::wire::Api::Logs, "DescribeLogStreams", json!({ "logGroupName": "/ecs/web" }));
        reply.map(|reply| reply["logStreams"].clone())
    };
    assert!(streams(&mut lab).is_err(), "nothing made the group yet");
    lab.run_until(60, |lab| lab.tasks("RUNNING")[0]["lastStatus"] == "PENDING");
    assert_eq!(streams(&mut lab).unwrap(), json!([]));
    lab.run_until(60, |lab| lab.tasks("RUNNING")[0]["lastStatus"] == "RUNNING");
    let task = id(&lab.tasks("RUNNING")[0]);
    assert_eq!(streams(&mut lab).unwrap()[0]["logStreamName"], format!("ecs/web/{task}"));
}

/// A running service of one task with an essential container `web` and a sidecar that is not.
fn with_sidecar() -> (Lab, String) {
    let mut lab = Lab::new();
    let mut definition = super::lab::task_definition("web", json!({}));
    let sidecar = json!({ "name": "sidecar", "image": "public.example/sidecar:1", "essential": false });
    definition["containerDefinitions"].as_array_mut().unwrap().push(sidecar);
    lab.ok("RegisterTaskDefinition", definition);
    lab.running(json!({ "desiredCount": 1 }));
    let task = id(&lab.tasks("RUNNING")[0]);
    (lab, task)
}

fn exits(lab: &mut Lab, task: &str, container: &str) {
    let report =
        Report::Exited { task: task.to_owned(), container: container.to_owned(), exit_code: 3, reason: None };
    lab.account.report(lab.now, report);
    lab.run(0);
}

#[test]
fn a_sidecar_that_is_not_essential_may_end_without_its_task() {
    let (mut lab, task) = with_sidecar();
    exits(&mut lab, &task, "sidecar");
    lab.run(120);
    let running = lab.tasks("RUNNING");
    assert_eq!(id(&running[0]), task);
    assert_eq!(running[0]["containers"][1]["lastStatus"], "STOPPED");
    assert_eq!(running[0]["containers"][1]["exitCode"], 3);
    assert_eq!(running[0]["containers"][0]["lastStatus"], "RUNNING");
}

#[test]
fn an_essential_container_takes_its_sidecars_with_it() {
    let (mut lab, task) = with_sidecar();
    exits(&mut lab, &task, "web");
    lab.run(120);
    let stopped = lab.tasks("STOPPED");
    assert_eq!(id(&stopped[0]), task);
    assert_eq!(stopped[0]["stopCode"], "EssentialContainerExited");
    let codes: Vec<&Value> =
        stopped[0]["containers"].as_array().unwrap().iter().map(|container| &container["exitCode"]).collect();
    assert_eq!(codes, [&json!(3), &json!(0)], "the sidecar ended on SIGTERM");
    assert_eq!(lab.service("web")["runningCount"], 1, "replaced");
}
