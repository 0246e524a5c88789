//! ExecuteCommand: what it refuses, and the agent that it needs.

use serde_json::{Value, json};

use super::lab::{Lab, id, laid_over, task_definition};

const ROLE: &str = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole";

const NOT_ENABLED: &str = "InvalidParameterException: The execute command failed because execute command was not enabled \
    when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute \
    command enabled and try again.";

fn running(members: Value, container: Value) -> Lab {
    let mut lab = Lab::new();
    let definition = task_definition("web", container);
    lab.ok("RegisterTaskDefinition", laid_over(definition, json!({ "taskRoleArn": ROLE })));
    lab.running(members);
    lab
}

fn request(lab: &mut Lab, members: Value) -> Value {
    let task = id(&lab.tasks("RUNNING")[0]);
    let whole = json!({ "cluster": "prod", "task": task, "command": "/bin/sh", "interactive": true });
    laid_over(whole, members)
}

#[test]
fn a_session_is_named_by_everything_that_the_cli_needs() {
    // ExecuteCommand in the ECS API reference; aws-cli's customizations/ecs/executecommand.py.
    let mut lab = running(json!({ "enableExecuteCommand": true }), json!({}));
    let task = lab.tasks("RUNNING")[0].clone();
    let asked = request(&mut lab, json!({ "task": task["taskArn"] }));
    let reply = lab.ok("ExecuteCommand", asked);
    assert_eq!((&reply["taskArn"], &reply["containerName"]), (&task["taskArn"], &json!("web")));
    assert_eq!(reply["containerArn"], task["containers"][0]["containerArn"]);
    assert!(reply["clusterArn"].as_str().unwrap().ends_with(":cluster/prod"));
    let session = reply["session"]["sessionId"].as_str().unwrap();
    let url = format!(
        "wss://ssmmessages.ap-southeast-1.amazonaws.com/v1/data-channel/{session}?role=publish_subscribe"
    );
    assert!(session.starts_with("ecs-execute-command-"), "{session}");
    assert_eq!(reply["session"]["streamUrl"], url);
    assert!(reply["session"]["tokenValue"].as_str().unwrap().len() >= 32);
}

#[test]
fn a_request_that_means_no_running_container_is_refused() {
    let mut lab = running(json!({ "enableExecuteCommand": true }), json!({}));
    for (members, refusal) in [
        (json!({ "cluster": "nope" }), "ClusterNotFoundException: Cluster not found."),
        (
            json!({ "interactive": false }),
            "InvalidParameterException: Interactive is the only mode supported currently.",
        ),
        (json!({ "command": "  " }), "InvalidParameterException: command cannot be empty"),
        (json!({ "task": "nope" }), "InvalidParameterException: task length should be one of [32,36]"),
        (
            json!({ "task": "0123456789abcdef0123456789abcdef" }),
            "InvalidParameterException: The task provided in the request was not found.",
        ),
        (
            json!({ "container": "nope" }),
            "InvalidParameterException: The container provided in the request was not found in the task.",
        ),
    ] {
        let asked = request(&mut lab, members);
        assert_eq!(lab.refused("ExecuteCommand", asked), refusal);
    }
}

#[test]
fn a_task_with_several_containers_needs_a_name() {
    let mut lab = Lab::new();
    let mut definition = task_definition("web", json!({}));
    let log = json!({ "name": "log", "image": "public.example/log:1", "essential": false });
    definition["containerDefinitions"].as_array_mut().unwrap().push(log);
    definition["taskRoleArn"] = json!(ROLE);
    lab.ok("RegisterTaskDefinition", definition);
    lab.running(json!({ "enableExecuteCommand": true }));
    let unnamed = request(&mut lab, json!({}));
    assert!(lab.refused("ExecuteCommand", unnamed).starts_with("InvalidParameterException: "));
    let named = request(&mut lab, json!({ "container": "log" }));
    assert_eq!(lab.ok("ExecuteCommand", named)["containerName"], "log");
}

#[test]
fn commands_are_for_tasks_that_were_started_with_them_and_whose_agent_runs() {
    let mut lab = running(json!({}), json!({}));
    let closed = request(&mut lab, json!({}));
    assert_eq!(lab.refused("ExecuteCommand", closed), NOT_ENABLED);
    let readonly = json!({ "readonlyRootFilesystem": true });
    let mut lab = running(json!({ "enableExecuteCommand": true }), readonly);
    let unwritable = request(&mut lab, json!({}));
    assert_eq!(lab.refused("ExecuteCommand", unwritable), NOT_ENABLED);
}

#[test]
fn the_agent_comes_seconds_after_its_container_and_goes_with_it() {
    let mut lab = Lab::new();
    let definition = laid_over(task_definition("web", json!({})), json!({ "taskRoleArn": ROLE }));
    lab.ok("RegisterTaskDefinition", definition);
    lab.create(json!({ "enableExecuteCommand": true, "loadBalancers": [] }));
    lab.run_until(120, |lab| lab.tasks("RUNNING").iter().any(|task| task["lastStatus"] == "RUNNING"));
    let agent = |lab: &mut Lab| lab.tasks("RUNNING")[0]["containers"][0]["managedAgents"][0].clone();
    assert_eq!(agent(&mut lab)["lastStatus"], "PENDING");
    let early = request(&mut lab, json!({}));
    assert_eq!(lab.refused("ExecuteCommand", early.clone()), NOT_ENABLED);
    lab.run(5);
    assert_eq!(agent(&mut lab)["lastStatus"], "RUNNING");
    lab.ok("ExecuteCommand", early.clone());
    lab.ok("StopTask", json!({ "cluster": "prod", "task": early["task"] }));
    assert_eq!(lab.refused("ExecuteCommand", early.clone()), NOT_ENABLED);
    lab.run(60);
    let reply = lab.ok("DescribeTasks", json!({ "cluster": "prod", "tasks": [early["task"]] }));
    assert_eq!(reply["tasks"][0]["containers"][0]["managedAgents"][0]["lastStatus"], "STOPPED");
}

#[test]
fn a_session_that_nobody_opens_makes_room_for_others() {
    let mut lab = running(json!({ "enableExecuteCommand": true }), json!({}));
    let asked = request(&mut lab, json!({}));
    for _ in 0..2 {
        lab.ok("ExecuteCommand", asked.clone());
    }
    let limit = "ClientException: Unable to start new execute sessions because the maximum session limit of 2 has been reached.";
    assert_eq!(lab.refused("ExecuteCommand", asked.clone()), limit);
    lab.run(60);
    lab.ok("ExecuteCommand", asked);
}

#[test]
fn a_service_that_takes_commands_needs_a_task_role() {
    // aws/aws-toolkit-jetbrains#3649.
    let refusal = |made: &str| {
        format!(
            "InvalidParameterException: The service couldn't be {made} because a valid taskRoleArn is not being used. \
             Specify a valid task role in your task definition and try again."
        )
    };
    let mut lab = Lab::new();
    lab.register("web", json!({}));
    let create = lab.service_request(json!({ "enableExecuteCommand": true }));
    assert_eq!(lab.refused("CreateService", create), refusal("created"));
    lab.running(json!({}));
    let update = json!({ "cluster": "prod", "service": "web", "enableExecuteCommand": true });
    assert_eq!(lab.refused("UpdateService", update), refusal("updated"));
}
