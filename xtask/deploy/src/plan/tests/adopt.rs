//! Services that the console made, and what a first release does to them.

use super::*;
use crate::config;
use crate::model::spec::{Members, TaskDefinitionSpec};
use crate::model::{Environment, ServiceKey};
use crate::plan::{refuse_losses, service_spec, task_definition_spec};

const FILE: &str = include_str!("../../../tests/fixtures/ielts.toml");

fn load(lines: &str) -> Environment {
    let text = format!("{FILE}\n{lines}");
    config::load("deploy.toml", &text, Some("prod"))
        .map_err(|report| report.render(false))
        .unwrap()
        .environment
}

/// A backend that runs what the file says, by somebody else's hand, with these members on top.
fn hand_made(environment: &Environment, own: Value, over: Value) -> (Desired, Observed) {
    let desired = Desired { environment: environment.clone(), release: desired().release };
    let service = environment.services.iter().find(|service| service.key.0 == "backend").unwrap();
    let mut observed = converged();
    observed.made = Some(std::collections::BTreeMap::new());
    observed.services.retain(|key, _| key.0 == "backend");
    let settings = service_spec(environment, service, &empty());
    let mut members = task_definition_spec(&desired, service, &observed).members().clone();
    members.lay(&Members::of(over));
    members.put(&["containerDefinitions", "backend"], (&Members::of(own)).into());
    let running = observed.services.get_mut(&ServiceKey("backend".into())).unwrap();
    running.spec = settings;
    running.task_definition.spec = TaskDefinitionSpec::of(members);
    (desired, observed)
}

fn refused(desired: &Desired, observed: &Observed) -> Option<Refusal> {
    let mut plan = Plan::default();
    refuse_losses(&mut plan, desired, observed);
    plan.refusals.pop()
}

fn console() -> (Value, Value) {
    let own = json!({
        "user": "1000", "memory": 1024, "stopTimeout": 60,
        "ulimits": [{ "name": "nofile", "softLimit": 1024, "hardLimit": 2048 }],
        "portMappings": [{ "containerPort": 9000, "name": "metrics" }],
        "environment": [{ "name": "EXTRA", "value": "1" }, { "name": "API_TOKEN", "value": "hunter2" }],
        "logConfiguration": { "options": { "awslogs-create-group": "true", "mode": "non-blocking", "max-buffer-size": "25m" } },
        "mountPoints": [{ "containerPath": "/data", "sourceVolume": "data" }],
    });
    let over = json!({
        "volumes": [{ "name": "data", "efsVolumeConfiguration": { "fileSystemId": "fs-1" } }],
        "ephemeralStorage": { "sizeInGiB": 50 }, "cpu": "1024", "memory": "4096",
        "containerDefinitions": [{ "name": "datadog", "image": "datadog/agent:7", "essential": false }],
    });
    (own, over)
}

#[test]
fn a_first_release_that_would_lose_what_the_console_added_is_refused_with_the_lines_that_keep_it() {
    let (own, over) = console();
    let (desired, mut observed) = hand_made(&load(""), own, over);
    let running = observed.services.values_mut().next().unwrap();
    running.spec.enable_execute_command = true;
    running.spec.connect.as_mut().unwrap().services[0].discovery_name = "api".into();
    let refusal = refused(&desired, &observed).unwrap();
    insta::assert_snapshot!(format!("{}\n{}", refusal.what, refusal.remedy));
}

#[test]
fn with_the_printed_lines_in_the_file_nothing_is_lost() {
    let (mut own, over) = console();
    // A secret is not printed, so its line is not one to paste.
    own["environment"].as_array_mut().unwrap().pop();
    let (desired, observed) = hand_made(&load(""), own, over);
    let refusal = refused(&desired, &observed).unwrap();
    let (_, lines) = refusal.remedy.split_once("\n\n").unwrap();
    // A table cannot be opened twice: keys of tables that the file has are pasted where they are.
    let mut text = FILE.to_owned();
    for section in lines.split("\n[").map(|section| section.trim_start_matches('[')) {
        let (name, body) = section.split_once("]\n").unwrap();
        let header = format!("[{name}]\n");
        match text.find(&header) {
            Some(at) => text.insert_str(at + header.len(), &format!("{body}\n")),
            None => text.push_str(&format!("\n{header}{body}\n")),
        }
    }
    let environment = config::load("deploy.toml", &text, Some("prod"))
        .map_err(|report| report.render(false))
        .unwrap()
        .environment;
    let kept = Desired { environment, ..desired };
    assert_eq!(refused(&kept, &observed), None, "{lines}");
    let service = kept.environment.services.iter().find(|service| service.key.0 == "backend").unwrap();
    let wanted = task_definition_spec(&kept, service, &observed);
    let running = &observed.services.values().next().unwrap().task_definition.spec;
    let changes: Vec<String> = running.changes(&wanted).into_iter().map(|change| change.field).collect();
    assert_eq!(
        changes,
        ["cpu", "memory", "containers.backend.stopTimeout"],
        "what the file says otherwise\n{lines}"
    );
}

/// Pasted unseen, the mask would take the secret's place, and nothing would say so.
#[test]
fn a_masked_secret_is_no_line_to_paste() {
    let environment = json!([{ "name": "API_TOKEN", "value": "hunter2" }]);
    let agent = json!({ "name": "agent", "image": "agent:7", "environment": environment });
    let over = json!({ "containerDefinitions": [agent] });
    let (desired, observed) = hand_made(&load(""), json!({ "environment": environment }), over);
    let refusal = refused(&desired, &observed).unwrap();
    let (_, lines) = refusal.remedy.split_once("\n\n").unwrap();
    let masked: Vec<&str> = lines.lines().filter(|line| line.contains("***")).collect();
    assert_eq!(masked.len(), 2, "{lines}");
    assert!(masked.iter().all(|line| line.starts_with("# ")), "{lines}");
    assert!(!lines.contains("hunter2"), "{lines}");
}

#[test]
fn what_this_tool_deployed_before_follows_the_file() {
    let (own, over) = console();
    let (desired, mut observed) = hand_made(&load(""), own, over);
    let tags = [("release".to_owned(), "r1".to_owned())];
    observed.services.values_mut().next().unwrap().task_definition.tags = tags.into();
    assert_eq!(refused(&desired, &observed), None);
}

#[test]
fn what_the_file_says_may_change_and_what_only_a_release_sets_too() {
    let own = json!({ "image": "nginx:1", "stopTimeout": 60, "logConfiguration": { "options": { "awslogs-stream-prefix": "ecs" } } });
    let environment = load("");
    assert!(environment.written.contains("service.backend.container.stop-timeout-secs"));
    let (desired, observed) =
        hand_made(&environment, own, json!({ "requiresCompatibilities": ["EC2", "FARGATE"] }));
    assert_eq!(refused(&desired, &observed), None);
}
