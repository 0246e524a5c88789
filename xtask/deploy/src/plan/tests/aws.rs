//! What the `aws` tables of deploy.toml come to.

use super::*;
use crate::model::spec::{Member, Members};
use crate::plan::{service_spec, task_definition_spec};

fn members(wire: serde_json::Value) -> Members {
    Members::of(wire)
}

#[test]
fn members_of_the_task_definition_and_the_container_reach_the_request() {
    let mut desired = desired();
    let tables = &mut desired.environment.services[0].aws;
    tables.task_definition = members(json!({
        "volumes": [{ "name": "data", "efsVolumeConfiguration": { "fileSystemId": "fs-1" } }],
        "containerDefinitions": [{ "name": "agent", "image": "agent:7", "essential": false }],
    }));
    tables.container = members(json!({
        "ulimits": [{ "name": "nofile", "softLimit": 1, "hardLimit": 2 }],
        "logConfiguration": { "options": { "mode": "non-blocking" } },
    }));
    let spec = task_definition_spec(&desired, &desired.environment.services[0], &converged());
    assert_eq!(
        spec.image().map(|image| &image[..16]),
        Some("registry/ielts/b"),
        "the own container stays the first"
    );
    assert_eq!(spec.of_container("agent", "essential"), Some(&json!(false)));
    let log = spec.of_container("backend", "logConfiguration").unwrap();
    assert_eq!(
        (&log["options"]["mode"], &log["options"]["awslogs-group"]),
        (&json!("non-blocking"), &json!("/ecs/ielts-backend"))
    );
    let plan = plan(&desired, &converged());
    let text = crate::view::plan_text(&plan);
    for line in [
        "+ volumes.data (efsVolumeConfiguration: {fileSystemId: fs-1})",
        "+ containers.backend.ulimits.nofile (softLimit: 1, hardLimit: 2)",
        "+ containers.backend.logConfiguration.options.mode (non-blocking)",
        "+ containers.agent (agent:7)",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_a_container_runs_and_the_task_s_disk_are_named_in_the_plan() {
    let mut desired = desired();
    let service = &mut desired.environment.services[0];
    service.ephemeral_storage_gib = Some(50);
    service.container.entry_point = vec!["/app/backend".to_owned()];
    service.container.command = vec!["serve".to_owned()];
    service.container.user = Some("1000".to_owned());
    service.container.working_directory = Some("/srv".to_owned());
    let text = crate::view::plan_text(&plan(&desired, &converged()));
    for line in [
        "+ ephemeralStorage (sizeInGiB: 50)",
        "+ containers.backend.entryPoint (/app/backend)",
        "+ containers.backend.command (serve)",
        "+ containers.backend.user (1000)",
        "+ containers.backend.workingDirectory (/srv)",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn another_log_driver_takes_no_options_of_awslogs() {
    let mut desired = desired();
    let log = json!({ "logDriver": "awsfirelens", "options": { "Name": "datadog" } });
    desired.environment.services[0].aws.container = members(json!({ "logConfiguration": log }));
    let spec = task_definition_spec(&desired, &desired.environment.services[0], &converged());
    assert_eq!(spec.of_container("backend", "logConfiguration"), Some(&log));
}

#[test]
fn members_of_the_service_are_sent_where_they_change_something() {
    let mut desired = desired();
    let mut observed = converged();
    let running = observed.services.values_mut().next().unwrap();
    running.spec.extra = members(
        json!({ "availabilityZoneRebalancing": "ENABLED", "serviceRegistries": [{ "registryArn": "r" }] }),
    );
    let connect = running.spec.connect.as_mut().unwrap();
    connect.extra = members(json!({ "logConfiguration": { "logDriver": "awslogs" } }));
    connect.services[0].extra = members(json!({ "tls": { "kmsKey": "k" } }));
    assert_eq!(titles(&plan(&desired, &observed)), [""; 0], "what the file does not say stays");

    let tables = &mut desired.environment.services[0].aws;
    tables.service =
        members(json!({ "deploymentConfiguration": { "alarms": { "enable": false, "alarmNames": [] } } }));
    assert_eq!(titles(&plan(&desired, &observed)), [""; 0], "AWS's default is no change");

    let tables = &mut desired.environment.services[0].aws;
    tables.service = members(json!({ "availabilityZoneRebalancing": "DISABLED" }));
    tables.connect =
        members(json!({ "services": [{ "portName": "backend", "timeout": { "idleTimeoutSeconds": 60 } }] }));
    let wanted = service_spec(&desired.environment, &desired.environment.services[0], &observed);
    let running = &observed.services.values().next().unwrap().spec;
    let sent = [Member::ServiceConnectConfiguration, Member::Extra("availabilityZoneRebalancing".into())];
    assert_eq!(running.differing(&wanted), sent.into());
    let expected = json!({ "tls": { "kmsKey": "k" }, "timeout": { "idleTimeoutSeconds": 60 } });
    assert_eq!(wanted.connect.unwrap().services[0].extra, members(expected));
    let text = crate::view::plan_text(&plan(&desired, &observed));
    assert!(text.contains("+ connect.services.backend.timeout (idleTimeoutSeconds: 60)"), "{text}");
    assert!(text.contains("availabilityZoneRebalancing: ENABLED → DISABLED"), "{text}");
}

#[test]
fn attributes_of_a_target_group_are_set_beside_those_that_have_keys() {
    let mut desired = desired();
    let attribute = ("slow_start.duration_seconds".to_owned(), "30".to_owned());
    desired.environment.services[0].aws.target_group_attributes = [attribute].into();
    let plan = plan(&desired, &converged());
    assert_eq!(titles(&plan), ["set attributes of ielts-backend-tg"]);
    let text = crate::view::plan_text(&plan);
    assert!(text.contains("slow_start.duration_seconds (30)"), "{text}");
}

/// deploy.toml and definitions that somebody else registered may hold a secret as a plain variable.
#[test]
fn a_plan_shows_no_secret_of_either_side() {
    let mut desired = desired();
    let variables = &mut desired.environment.services[0].container.environment;
    variables.insert("DSN".into(), "app:hunter2@tcp(db:3306)/shop".into());
    variables.insert("API_TOKEN".into(), "hunter2".into());
    variables.insert("HEADER".into(), "Basic aHVudGVyMjpodW50ZXIy".into());
    let text = crate::view::plan_text(&plan(&desired, &converged()));
    assert!(text.contains("DSN") && text.contains("***"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVy"), "{text}");
}

/// By the API reference another strategy starts no deployment by itself, and a forced one starts a second where the call starts
/// one anyway.
#[test]
fn tasks_move_to_another_capacity_provider_once() {
    let mut desired = desired();
    let strategy = json!([{ "capacityProvider": "FARGATE_SPOT", "weight": 1 }]);
    desired.environment.services[0].aws.service = members(json!({ "capacityProviderStrategy": strategy }));
    let mut observed = converged();
    let of = json!([{ "capacityProvider": "FARGATE", "weight": 1 }]);
    backend(&mut observed).spec.extra = members(json!({ "capacityProviderStrategy": of }));
    let forced = |desired: &Desired| {
        let plan = plan(desired, &observed);
        let found = plan.steps().find_map(|step| match step.action {
            Action::UpdateService { force, .. } => Some(force),
            _ => None,
        });
        (found, stages(&plan).last().map(|(_, settle)| settle.len()))
    };
    assert_eq!(forced(&desired), (Some(true), Some(1)));
    desired.release.images.insert(ServiceKey("backend".into()), account::digest('c'));
    assert_eq!(forced(&desired), (Some(false), Some(1)));
}

#[test]
fn a_change_of_a_public_variable_is_shown_and_that_of_its_neighbour_is_not() {
    let mut desired = desired();
    let mut observed = converged();
    let before = &mut desired.environment.services[0].aws;
    before.container = members(json!({ "dockerLabels": { "kept": "1" } }));
    let spec = task_definition_spec(&desired, &desired.environment.services[0], &observed);
    backend(&mut observed).task_definition = account::revision(spec, 1);
    let container = &mut desired.environment.services[0].container;
    for name in ["TOKEN_LIFETIME", "API_TOKEN"] {
        container.environment.insert(name.into(), "3600".into());
    }
    container.public = vec!["TOKEN_LIFETIME".into()];
    desired.environment.services[0].aws.container = members(json!({
        "dockerLabels": { "kept": "1", "TOKEN_LIFETIME": "5", "other-token": "hunter2" },
        "logConfiguration": { "options": { "TOKEN_LIFETIME": "7" } },
    }));
    let text = crate::view::plan_text(&plan(&desired, &observed));
    for line in [
        "environment.TOKEN_LIFETIME (3600)",
        "dockerLabels.TOKEN_LIFETIME (5)",
        "options.TOKEN_LIFETIME (7)",
        "API_TOKEN (***)",
        "other-token (***)",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
