//! RunTask: tasks that run once, as a migration before a release does.

use serde_json::{Value, json};

use super::lab::{Lab, laid_over};
use crate::wire::Api;
use crate::workload::scripted::Script;

fn request(lab: &Lab, members: Value) -> Value {
    let request = json!({
        "cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": lab.subnets } },
    });
    laid_over(request, members)
}

fn run(lab: &mut Lab, members: Value) -> Value {
    let request = request(lab, members);
    let reply = lab.ok("RunTask", request);
    assert_eq!(reply["failures"], json!([]));
    reply["tasks"][0].clone()
}

fn described(lab: &mut Lab, task: &Value) -> Value {
    lab.ok("DescribeTasks", json!({ "cluster": "prod", "tasks": [task["taskArn"]] }))["tasks"][0].clone()
}

fn stopped(lab: &mut Lab, task: &Value) -> Value {
    lab.run_until(300, |lab| described(lab, task)["lastStatus"] == "STOPPED");
    described(lab, task)
}

#[test]
fn a_migration_runs_with_its_command_once_and_leaves_its_exit_code_and_its_log() {
    let mut lab = Lab::new();
    let log = json!({ "logDriver": "awslogs", "options": { "awslogs-group": "/ecs/web", "awslogs-region": "ap-southeast-1",
        "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true" } });
    let arn = lab.register("web", json!({ "logConfiguration": log }));
    lab.script("run:web", Script::exits(5_000, 0).printing(1_000, "12 migrations applied"));
    let overrides = json!({ "containerOverrides": [
        { "name": "web", "command": ["migrate", "up"], "environment": [{ "name": "STEP", "value": "1" }] }
    ] });
    let task = run(&mut lab, json!({ "overrides": overrides, "startedBy": "release/42" }));
    assert_eq!((&task["lastStatus"], &task["desiredStatus"]), (&json!("PROVISIONING"), &json!("RUNNING")));
    assert_eq!((&task["group"], &task["startedBy"]), (&json!("family:web"), &json!("release/42")));
    assert_eq!((&task["launchType"], &task["taskDefinitionArn"]), (&json!("FARGATE"), &json!(arn)));
    assert_eq!(task["overrides"]["containerOverrides"][0]["command"], json!(["migrate", "up"]));
    let task = stopped(&mut lab, &task);
    assert_eq!(task["stopCode"], "EssentialContainerExited");
    assert_eq!(task["stoppedReason"], "Essential container in task exited");
    assert_eq!(task["containers"][0]["exitCode"], 0);
    let id = super::lab::id(&task);
    let stream = json!({ "logGroupName": "/ecs/web", "logStreamName": format!("ecs/web/{id}") });
    let events = lab.api(Api::Logs, "GetLogEvents", stream).unwrap();
    assert_eq!(events["events"][0]["message"], "12 migrations applied");
    lab.run(600);
    let all = lab.ok("ListTasks", json!({ "cluster": "prod" }));
    assert_eq!(all["taskArns"], json!([]), "nobody replaces it");
    assert_eq!(described(&mut lab, &task)["lastStatus"], "STOPPED", "it stays visible for an hour");
}

#[test]
fn a_migration_that_fails_says_so_by_its_exit_code_and_the_service_of_its_family_is_not_touched() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    lab.script("run:web:1", Script::exits(2_000, 3));
    let task = run(&mut lab, json!({}));
    assert_eq!(stopped(&mut lab, &task)["containers"][0]["exitCode"], 3);
    let service = lab.service("web");
    assert_eq!((&service["runningCount"], &service["deployments"][0]["failedTasks"]), (&json!(2), &json!(0)));
    assert!(!lab.says("was unable to place a task"));
}

#[test]
fn an_override_changes_the_variables_the_size_and_the_role_of_this_task_alone() {
    let mut lab = Lab::new();
    lab.register(
        "web",
        json!({ "environment": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] }),
    );
    let role = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole";
    let overrides = json!({ "cpu": "512", "memory": "1024", "taskRoleArn": role, "containerOverrides": [
        { "name": "web", "environment": [{ "name": "B", "value": "3" }, { "name": "C", "value": "4" }] }
    ] });
    lab.account.advance(lab.now);
    let request = request(&lab, json!({ "overrides": overrides }));
    let task = lab.ok("RunTask", request)["tasks"][0].clone();
    assert_eq!(
        (&task["cpu"], &task["memory"], &task["overrides"]["cpu"]),
        (&json!("512"), &json!("1024"), &json!("512"))
    );
    let mut started = None;
    while started.is_none() {
        lab.now = lab.account.next().unwrap();
        lab.account.advance(lab.now);
        started = lab.account.take_effects().into_iter().find_map(|effect| match effect {
            crate::workload::Effect::Start(start) => Some(*start),
            _ => None,
        });
    }
    let start = started.unwrap();
    assert_eq!((start.cpu, start.memory_mib, start.service.as_str()), (512, 1024, ""));
    let variables: Vec<_> = start.containers[0].variables().collect();
    assert_eq!(variables, [("A", "1"), ("B", "3"), ("C", "4")]);
}

#[test]
fn tasks_are_listed_by_who_started_them_by_their_family_and_by_what_is_desired() {
    let mut lab = Lab::new();
    lab.running(json!({ "desiredCount": 1 }));
    lab.script("run:web", Script::default());
    let task = run(&mut lab, json!({ "startedBy": "me" }));
    let mut listed = |filter: Value| {
        lab.ok("ListTasks", laid_over(json!({ "cluster": "prod" }), filter))["taskArns"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert_eq!(listed(json!({ "startedBy": "me" })), [task["taskArn"].clone()]);
    assert_eq!(listed(json!({ "family": "web" })).len(), 2);
    assert_eq!(listed(json!({ "serviceName": "web" })).len(), 1);
    assert_eq!(listed(json!({ "desiredStatus": "STOPPED" })).len(), 0);
    lab.run(60);
    assert_eq!(described(&mut lab, &task)["lastStatus"], "RUNNING");
    lab.ok("StopTask", json!({ "cluster": "prod", "task": task["taskArn"], "reason": "enough" }));
    let task = stopped(&mut lab, &task);
    assert_eq!((&task["stopCode"], &task["stoppedReason"]), (&json!("UserInitiated"), &json!("enough")));
    assert_eq!(task["containers"][0]["exitCode"], 0);
}

#[test]
fn a_repeated_token_runs_nothing_again_and_one_with_other_parameters_is_a_conflict() {
    let mut lab = Lab::new();
    lab.register("web", json!({}));
    let first = run(&mut lab, json!({ "clientToken": "t" }));
    assert_eq!(run(&mut lab, json!({ "clientToken": "t" }))["taskArn"], first["taskArn"]);
    let other = request(&lab, json!({ "clientToken": "t", "count": 2 }));
    assert!(lab.refused("RunTask", other).starts_with("ConflictException: "));
    let two = request(&lab, json!({ "count": 2 }));
    assert_eq!(lab.ok("RunTask", two)["tasks"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_run_is_refused_before_there_is_a_task() {
    let mut lab = Lab::new();
    lab.register("web", json!({}));
    let mut refused = |members: Value| {
        let request = request(&lab, members);
        lab.refused("RunTask", request)
    };
    assert_eq!(
        refused(json!({ "networkConfiguration": null })),
        "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified."
    );
    // azavea/django-ecsmanage#21.
    assert_eq!(
        refused(json!({ "overrides": { "containerOverrides": [{ "name": "django", "command": ["x"] }] } })),
        "InvalidParameterException: Override for container named django is not a container in the TaskDefinition."
    );
    assert_eq!(
        refused(json!({ "launchType": null })),
        "InvalidParameterException: No Container Instances were found in your cluster."
    );
    assert!(refused(json!({ "count": 11 })).contains("count must be between 1 and 10"));
    assert!(refused(json!({ "startedBy": "me & you" })).contains("startedBy"));
    assert!(refused(json!({ "group": "service:web" })).contains("group"));
    assert!(
        refused(json!({ "taskDefinition": "none" })).starts_with("ClientException: TaskDefinition not found")
    );
    assert!(refused(json!({ "cluster": "none" })).starts_with("ClusterNotFoundException"));
    assert!(refused(json!({ "overrides": { "cpu": "1000" } })).contains("No Fargate configuration exists"));
    let role = json!({ "taskRoleArn": "arn:aws:iam::123456789012:role/nobody" });
    assert!(
        refused(json!({ "overrides": role }))
            .starts_with("ClientException: ECS was unable to assume the role")
    );
    assert_eq!(lab.ok("ListTasks", json!({ "cluster": "prod" }))["taskArns"], json!([]));
}
