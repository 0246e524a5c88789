//! Which member of UpdateService carries which field, and what survives it.

use serde_json::json;

use super::*;

fn members(wire: serde_json::Value) -> Members {
    Members::of(wire)
}

fn service() -> ServiceSpec {
    ServiceSpec {
        name: "web".into(),
        cluster: "c".into(),
        launch_type: "FARGATE".into(),
        platform_version: "LATEST".into(),
        subnets: vec!["a".into()],
        security_groups: vec!["sg".into()],
        assign_public_ip: false,
        load_balancers: vec![LoadBalancerBinding {
            target_group: "web-tg".into(),
            container: "web".into(),
            port: 8080,
            extra: members(json!({ "advancedConfiguration": { "roleArn": "r" } })),
        }],
        connect: Some(ConnectSpec {
            namespace: "local".into(),
            services: vec![ConnectServiceSpec {
                name: "web".into(),
                discovery_name: "web".into(),
                alias_port: 8080,
                alias_dns: "web.local".into(),
                extra: members(json!({ "tls": { "kmsKey": "k" } })),
            }],
            extra: members(json!({ "logConfiguration": { "logDriver": "awslogs" } })),
        }),
        minimum_healthy_percent: 100,
        maximum_percent: 200,
        circuit_breaker: true,
        circuit_breaker_rollback: true,
        circuit_breaker_threshold: ThresholdSpec::default(),
        circuit_breaker_reset: true,
        early_success: None,
        health_check_grace_secs: 60,
        enable_execute_command: false,
        propagate_tags: "NONE".into(),
        managed_tags: false,
        extra: members(json!({ "availabilityZoneRebalancing": "ENABLED" })),
    }
}

#[test]
fn every_field_is_sent_by_its_member() {
    type Change = fn(&mut ServiceSpec);
    let early = || Some(EarlySuccessSpec { healthy_percent: 50, cleanup: "BLOCKING".into() });
    let changes: [(Member, &[Change]); 11] = [
        (Member::PlatformVersion, &[|it| it.platform_version = "1.3.0".into()]),
        (
            Member::NetworkConfiguration,
            &[
                |it| it.subnets.clear(),
                |it| it.security_groups.clear(),
                |it| it.assign_public_ip = true,
                |it| it.extra.put(&["networkConfiguration", "x"], json!(1)),
            ],
        ),
        (
            Member::LoadBalancers,
            &[
                |it| it.load_balancers.clear(),
                |it| it.load_balancers[0].port = 1,
                |it| it.load_balancers[0].extra = Members::default(),
            ],
        ),
        (
            Member::ServiceConnectConfiguration,
            &[
                |it| it.connect = None,
                |it| it.connect.as_mut().unwrap().extra = Members::default(),
                |it| it.connect.as_mut().unwrap().services[0].extra = Members::default(),
            ],
        ),
        (
            Member::DeploymentConfiguration,
            &[
                |it| it.minimum_healthy_percent = 50,
                |it| it.maximum_percent = 150,
                |it| it.circuit_breaker = false,
                |it| it.circuit_breaker_rollback = false,
                |it| it.circuit_breaker_threshold.value = 1,
                |it| it.circuit_breaker_reset = false,
                |it| it.extra.put(&["deploymentConfiguration", "alarms"], json!({ "enable": true })),
            ],
        ),
        (Member::HealthCheckGracePeriodSeconds, &[|it| it.health_check_grace_secs = 0]),
        (Member::EnableExecuteCommand, &[|it| it.enable_execute_command = true]),
        (Member::Tags, &[|it| it.propagate_tags = "SERVICE".into(), |it| it.managed_tags = true]),
        (
            Member::Extra("availabilityZoneRebalancing".into()),
            &[
                |it| it.extra.put(&["availabilityZoneRebalancing"], json!("DISABLED")),
                |it| it.extra = Members::default(),
            ],
        ),
        (Member::Extra("monitoring".into()), &[|it| it.extra.put(&["monitoring"], json!({}))]),
        (Member::Extra("serviceRegistries".into()), &[|it| it.extra.put(&["serviceRegistries"], json!([]))]),
    ];
    assert_eq!(service().differing(&service()), BTreeSet::new());
    for (member, changes) in changes {
        for (number, change) in changes.iter().enumerate() {
            let mut other = service();
            change(&mut other);
            assert_eq!(service().differing(&other), BTreeSet::from([member.clone()]), "{member:?} {number}");
            assert_eq!(other.differing(&service()), BTreeSet::from([member.clone()]), "{member:?} {number}");
        }
    }
    let other = ServiceSpec { early_success: early(), ..service() };
    assert_eq!(service().differing(&other), BTreeSet::from([Member::DeploymentConfiguration]));
}

#[test]
fn what_no_field_covers_survives_and_moves_to_no_other_endpoint() {
    let bare = |name: &str, target_group: &str| {
        let mut bare = service();
        bare.extra = Members::default();
        bare.load_balancers[0].extra = Members::default();
        target_group.clone_into(&mut bare.load_balancers[0].target_group);
        let connect = bare.connect.as_mut().unwrap();
        connect.extra = Members::default();
        connect.services[0].extra = Members::default();
        name.clone_into(&mut connect.services[0].name);
        bare
    };
    assert_eq!(bare("web", "web-tg").with_extra_of(&service()), service());
    let renamed = bare("other", "other-tg").with_extra_of(&service());
    assert!(renamed.load_balancers[0].extra.is_empty());
    assert!(renamed.connect.as_ref().unwrap().services[0].extra.is_empty());
    assert!(!renamed.connect.unwrap().extra.is_empty());
}

#[test]
fn the_record_of_an_undo_holds_what_no_field_covers() {
    let text = serde_json::to_string(&service()).unwrap();
    assert_eq!(serde_json::from_str::<ServiceSpec>(&text).unwrap(), service());
}
