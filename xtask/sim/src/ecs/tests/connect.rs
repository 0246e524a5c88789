//! Service Connect: who sees which endpoint, and who answers (ECS guide, service-connect).

use std::time::Duration;

use serde_json::{Value, json};

use super::lab::{Lab, id, laid_over};
use crate::ecs::{ConnectLookup, ConnectTarget, connect_stream, connect_targets};
use crate::wire::Api;
use crate::workload::scripted::Script;

/// A lab with the namespace `ielts.local`.
pub(super) fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.api(Api::CloudMap, "CreateHttpNamespace", json!({ "Name": "ielts.local", "CreatorRequestId": "1" }))
        .unwrap();
    lab.run(60);
    lab
}

pub(super) fn connect(services: Value) -> Value {
    json!({ "enabled": true, "namespace": "ielts.local", "services": services })
}

/// Creates a service outside the load balancer that offers `name` on the alias `<name>.ielts.local:<port>`.
pub(super) fn create(lab: &mut Lab, name: &str, port: u16) {
    lab.register(name, json!({}));
    let alias = json!({ "port": port, "dnsName": format!("{name}.ielts.local") });
    let services = json!([{ "portName": name, "discoveryName": name, "clientAliases": [alias] }]);
    let request = lab.service_request(json!({
        "serviceName": name,
        "taskDefinition": name,
        "loadBalancers": [],
        "serviceConnectConfiguration": connect(services),
    }));
    lab.ok("CreateService", request);
}

pub(super) fn completed(lab: &mut Lab, name: &str) {
    for _ in 0..600 {
        if lab.service(name)["deployments"][0]["rolloutState"] == "COMPLETED" {
            return;
        }
        lab.run(1);
    }
    panic!("{name} is not COMPLETED");
}

pub(super) fn tasks(lab: &mut Lab, name: &str) -> Vec<String> {
    let reply = lab.ok("ListTasks", json!({ "cluster": "prod", "serviceName": name }));
    let arns = reply["taskArns"].as_array().unwrap().clone();
    arns.iter().map(|arn| id(&json!({ "taskArn": arn }))).collect()
}

/// The targets of a name that the client knows.
fn found(lab: &Lab, client: &str, host: &str, port: u16) -> Vec<ConnectTarget> {
    match lookup(lab, client, host, port) {
        ConnectLookup::Targets(targets, _) => targets,
        ConnectLookup::Unknown => panic!("{host}:{port} is not known"),
    }
}

fn lookup(lab: &Lab, client: &str, host: &str, port: u16) -> ConnectLookup {
    connect_targets(&lab.account.ecs, &client.to_owned(), host, port)
}

#[test]
fn a_client_sees_only_the_endpoints_that_existed_when_its_deployment_was_made() {
    let mut lab = lab();
    create(&mut lab, "frontend", 3000);
    completed(&mut lab, "frontend");
    create(&mut lab, "backend", 8080);
    completed(&mut lab, "backend");
    let client = tasks(&mut lab, "frontend")[0].clone();
    assert_eq!(lookup(&lab, &client, "backend.ielts.local", 8080), ConnectLookup::Unknown);

    // Even a task that is replaced later keeps the old set.
    lab.ok("StopTask", json!({ "cluster": "prod", "task": client }));
    lab.run(120);
    for client in tasks(&mut lab, "frontend") {
        assert_eq!(lookup(&lab, &client, "backend.ielts.local", 8080), ConnectLookup::Unknown);
    }
    let redeploy = json!({ "cluster": "prod", "service": "frontend", "forceNewDeployment": true });
    lab.ok("UpdateService", redeploy);
    completed(&mut lab, "frontend");
    let client = tasks(&mut lab, "frontend")[0].clone();
    let servers = tasks(&mut lab, "backend");
    let targets: Vec<_> = servers.into_iter().map(|task| ConnectTarget { task, port: 8080 }).collect();
    assert_eq!(found(&lab, &client, "backend.ielts.local", 8080), targets);
}

#[test]
fn server_before_client_needs_no_second_deployment_and_survives_a_roll_of_the_server() {
    let mut lab = lab();
    create(&mut lab, "backend", 8080);
    create(&mut lab, "frontend", 3000);
    completed(&mut lab, "backend");
    completed(&mut lab, "frontend");
    let client = tasks(&mut lab, "frontend")[0].clone();
    let before = lookup(&lab, &client, "Backend.ielts.local", 8080);
    assert!(
        matches!(&before, ConnectLookup::Targets(targets, _) if targets.len() == 2),
        "names have no case"
    );
    assert_eq!(lookup(&lab, &client, "backend.ielts.local", 9090), ConnectLookup::Unknown);
    assert_eq!(lookup(&lab, &client, "backend", 8080), ConnectLookup::Unknown);

    lab.ok("UpdateService", json!({ "cluster": "prod", "service": "backend", "forceNewDeployment": true }));
    let end = lab.now.plus_secs(300);
    let mut fewest = usize::MAX;
    lab.watch_until(end, &mut |account, _| {
        if let ConnectLookup::Targets(targets, _) =
            connect_targets(&account.ecs, &client, "backend.ielts.local", 8080)
        {
            fewest = fewest.min(targets.len());
        } else {
            fewest = 0;
        }
    });
    assert_eq!(fewest, 2);
    assert_ne!(lookup(&lab, &client, "backend.ielts.local", 8080), before, "other tasks answer now");
}

#[test]
fn a_task_with_a_health_check_gets_its_first_call_once_it_is_healthy() {
    let mut lab = lab();
    create(&mut lab, "backend", 8080);
    let check = json!({ "command": ["CMD", "probe"], "interval": 10 });
    let arn = lab.register("backend", json!({ "healthCheck": check }));
    lab.script("backend", Script::boots_in(60_000));
    lab.ok(
        "UpdateService",
        json!({ "cluster": "prod", "service": "backend", "taskDefinition": arn,
        "healthCheckGracePeriodSeconds": 120, "desiredCount": 1,
        "deploymentConfiguration": { "minimumHealthyPercent": 0 } }),
    );
    create(&mut lab, "frontend", 3000);
    lab.run(60);
    let client = tasks(&mut lab, "frontend")[0].clone();
    assert!(found(&lab, &client, "backend.ielts.local", 8080).is_empty());
    lab.run(60);
    let ConnectLookup::Targets(targets, _) = lookup(&lab, &client, "backend.ielts.local", 8080) else {
        panic!()
    };
    assert_eq!(targets.len(), 1);
}

#[test]
fn a_task_without_service_connect_sees_nothing() {
    let mut lab = lab();
    create(&mut lab, "backend", 8080);
    completed(&mut lab, "backend");
    lab.running(json!({}));
    let client = id(&lab.tasks("RUNNING")[0]);
    assert_eq!(lookup(&lab, &client, "backend.ielts.local", 8080), ConnectLookup::Unknown);
    assert_eq!(lookup(&lab, "no-such-task", "backend.ielts.local", 8080), ConnectLookup::Unknown);
}

#[test]
fn service_connect_mistakes_are_refused_with_awss_texts() {
    let mut lab = lab();
    lab.register("web", json!({}));
    let mut refused = |members: Value| {
        let request = lab.service_request(json!({ "serviceConnectConfiguration": members }));
        lab.refused("CreateService", request)
    };
    assert_eq!(
        refused(laid_over(connect(json!([])), json!({ "namespace": "absent.local" }))),
        "NamespaceNotFoundException: Failed to retrieve namespace for absent.local"
    );
    assert_eq!(
        refused(connect(json!([{ "portName": "http", "clientAliases": [{ "port": 80 }] }]))),
        "InvalidParameterException: portName(http) does not refer to any named PortMapping in the container \
         definitions"
    );
    let long = "x".repeat(65);
    assert!(
        refused(connect(json!([{ "portName": "web", "discoveryName": long }]))).contains("discoveryName")
    );
    assert!(
        refused(json!({ "enabled": true })).starts_with("InvalidParameterException"),
        "no namespace at all"
    );
}

#[test]
fn a_discovery_name_belongs_to_one_service_of_the_namespace() {
    let mut lab = lab();
    create(&mut lab, "backend", 8080);
    lab.register("web", json!({}));
    let services =
        json!([{ "portName": "web", "discoveryName": "backend", "clientAliases": [{ "port": 80 }] }]);
    let request = lab.service_request(json!({ "serviceConnectConfiguration": connect(services) }));
    let refused = lab.refused("CreateService", request);
    assert!(refused.contains("SC service is already used by arn:aws:servicediscovery:"), "{refused}");
    // The service itself keeps its name through an update.
    lab.ok("UpdateService", json!({ "cluster": "prod", "service": "backend", "forceNewDeployment": true }));
}

#[test]
fn the_alias_defaults_to_discovery_name_and_namespace() {
    let mut lab = lab();
    lab.register("web", json!({}));
    let services = json!([{ "portName": "web", "clientAliases": [{ "port": 80 }] }]);
    lab.create(json!({ "loadBalancers": [], "serviceConnectConfiguration": connect(services.clone()) }));
    completed(&mut lab, "web");
    let client = tasks(&mut lab, "web")[0].clone();
    let ConnectLookup::Targets(targets, _) = lookup(&lab, &client, "web.ielts.local", 80) else { panic!() };
    assert_eq!(targets.iter().map(|target| target.port).collect::<Vec<_>>(), [8080, 8080]);
    let deployment = lab.service("web")["deployments"][0].clone();
    assert_eq!(deployment["serviceConnectConfiguration"]["namespace"], "ielts.local", "as it was given");
    assert_eq!(deployment["serviceConnectConfiguration"]["services"][0]["portName"], "web");
    assert_eq!(deployment["serviceConnectResources"][0]["discoveryName"], "web");
}

#[test]
fn a_clusters_default_namespace_is_made_and_used() {
    let mut lab = Lab::new();
    let defaults = json!({ "namespace": "shared.local" });
    let made = lab.ok("CreateCluster", json!({ "clusterName": "other", "serviceConnectDefaults": defaults }));
    assert_eq!(made["cluster"]["status"], "PROVISIONING");
    lab.run(60);
    let described = lab.ok("DescribeClusters", json!({ "clusters": ["other"] }));
    assert_eq!(described["clusters"][0]["status"], "ACTIVE");
    let arn = described["clusters"][0]["serviceConnectDefaults"]["namespace"].as_str().unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:servicediscovery:"), "{arn}");
    lab.register("web", json!({}));
    let services = json!([{ "portName": "web", "clientAliases": [{ "port": 80 }] }]);
    let request = lab.service_request(json!({ "cluster": "other", "loadBalancers": [],
        "serviceConnectConfiguration": { "enabled": true, "services": services } }));
    lab.ok("CreateService", request);
}

#[test]
fn the_protocol_of_a_service_connect_port_cannot_change() {
    // UpdateService in the ECS API reference: delete and recreate the service.
    let mut lab = lab();
    create(&mut lab, "backend", 8080);
    let port = |protocol: &str| json!({ "portMappings": [{ "containerPort": 8080, "name": "backend", "appProtocol": protocol }] });
    let arn = lab.register("backend", port("http"));
    let update = json!({ "cluster": "prod", "service": "backend", "taskDefinition": arn });
    assert!(lab.refused("UpdateService", update).contains("appProtocol"));
}

#[test]
fn an_endpoint_of_another_namespace_is_not_seen() {
    let mut lab = lab();
    let other = json!({ "Name": "other.local", "CreatorRequestId": "2" });
    lab.api(Api::CloudMap, "CreateHttpNamespace", other).unwrap();
    lab.run(60);
    create(&mut lab, "backend", 8080);
    lab.register("web", json!({}));
    let configuration = json!({ "enabled": true, "namespace": "other.local", "services": [] });
    lab.create(json!({ "loadBalancers": [], "serviceConnectConfiguration": configuration }));
    completed(&mut lab, "web");
    let client = tasks(&mut lab, "web")[0].clone();
    assert_eq!(lookup(&lab, &client, "backend.ielts.local", 8080), ConnectLookup::Unknown);
}

/// `web` as a client of itself, with this `appProtocol` and these services.
fn own_client(lab: &mut Lab, protocol: Value, services: Value) -> String {
    let mapping =
        laid_over(json!({ "containerPort": 8080, "name": "web" }), json!({ "appProtocol": protocol }));
    lab.register("web", json!({ "portMappings": [mapping] }));
    lab.create(json!({ "loadBalancers": [], "serviceConnectConfiguration": connect(services) }));
    completed(lab, "web");
    tasks(lab, "web")[0].clone()
}

#[test]
fn timeouts_are_the_protocols_unless_the_endpoint_gives_its_own_and_zero_is_none() {
    let secs = |secs: u64| (secs > 0).then(|| Duration::from_secs(secs));
    let alias = json!([{ "port": 80, "dnsName": "web" }]);
    for (protocol, given, per_request, idle) in [
        (json!("http"), Value::Null, 15, 300),
        (json!("http"), json!({ "perRequestTimeoutSeconds": 120 }), 120, 300),
        (json!("grpc"), json!({ "perRequestTimeoutSeconds": 0, "idleTimeoutSeconds": 0 }), 0, 0),
        (Value::Null, Value::Null, 0, 3600),
        (Value::Null, json!({ "idleTimeoutSeconds": 60 }), 0, 60),
    ] {
        let mut lab = lab();
        let services = json!([laid_over(
            json!({ "portName": "web", "clientAliases": alias }),
            json!({ "timeout": given })
        )]);
        let client = own_client(&mut lab, protocol.clone(), services.clone());
        let ConnectLookup::Targets(_, timeouts) = lookup(&lab, &client, "web", 80) else { panic!() };
        assert_eq!(
            (timeouts.per_request, timeouts.idle),
            (secs(per_request), secs(idle)),
            "{protocol} {given}"
        );
        let shown = &lab.service("web")["deployments"][0]["serviceConnectConfiguration"]["services"][0];
        assert_eq!(shown["timeout"], services[0]["timeout"]);
    }
}

#[test]
fn a_tcp_endpoint_is_found_by_its_port_as_long_as_no_other_has_the_port() {
    let mut lab = lab();
    let db = json!({ "portName": "web", "discoveryName": "db", "clientAliases": [{ "port": 5432, "dnsName": "db" }] });
    let cache = laid_over(
        db.clone(),
        json!({ "discoveryName": "cache", "clientAliases": [{ "port": 6379, "dnsName": "cache" }] }),
    );
    let client = own_client(&mut lab, Value::Null, json!([db, cache]));
    let stream = |lab: &Lab, port| connect_stream(&lab.account.ecs, &client, port);
    assert!(matches!(stream(&lab, 5432), Some(ConnectLookup::Targets(targets, _)) if targets.len() == 2));
    assert!(stream(&lab, 6379).is_some(), "two names of one port");
    assert_eq!(stream(&lab, 80), None);
    let second = laid_over(
        db.clone(),
        json!({ "discoveryName": "replica", "clientAliases": [{ "port": 5432, "dnsName": "replica" }] }),
    );
    lab.update(json!({ "serviceConnectConfiguration": connect(json!([db, second])) }));
    completed(&mut lab, "web");
    let client = tasks(&mut lab, "web")[0].clone();
    assert_eq!(
        connect_stream(&lab.account.ecs, &client, 5432),
        None,
        "the port alone does not say which is meant"
    );
}

#[test]
fn tls_is_kept_and_what_service_connect_cannot_do_is_refused() {
    let mut lab = lab();
    let mapping = json!({ "containerPort": 8080, "name": "web" });
    lab.register("web", json!({ "portMappings": [mapping] }));
    let service = |members: Value| {
        let base = json!({ "portName": "web", "clientAliases": [{ "port": 80, "dnsName": "web" }] });
        laid_over(base, members)
    };
    let mut refused = |services: Value| {
        let request = lab.service_request(json!({ "serviceConnectConfiguration": connect(services) }));
        lab.refused("CreateService", request)
    };
    let timeout = json!({ "timeout": { "perRequestTimeoutSeconds": 5 } });
    assert!(refused(json!([service(timeout)])).contains("no appProtocol"));
    assert!(refused(json!([service(json!({ "tls": {} }))])).contains("Private Certificate Authority"));
    let aliases = json!([{ "port": 80, "dnsName": "web" }, { "port": 81, "dnsName": "www" }]);
    assert!(refused(json!([service(json!({ "clientAliases": aliases }))])).contains("must have 1 element"));
    let twice = refused(json!([service(json!({})), service(json!({ "clientAliases": [{ "port": 81 }] }))]));
    assert!(twice.contains("discoveryName(web) is not unique"), "{twice}");
    let authority = "arn:aws:acm-pca:ap-southeast-1:123456789012:certificate-authority/x";
    let tls = json!({ "issuerCertificateAuthority": { "awsPcaAuthorityArn": authority }, "roleArn": "arn:aws:iam::1:role/r" });
    let services = json!([service(json!({ "tls": tls }))]);
    lab.create(json!({ "loadBalancers": [], "serviceConnectConfiguration": connect(services) }));
    let shown = &lab.service("web")["deployments"][0]["serviceConnectConfiguration"]["services"][0];
    assert_eq!(shown["tls"], tls);
}
