//! What deploy.toml says of a Service Connect endpoint beside its names.

use serde_json::json;

use super::account::{converged, desired};
use super::*;
use crate::model::spec::Members;
use crate::model::{Alias, AppProtocol, ConnectTls, Endpoint, Offer};

#[test]
fn timeouts_and_tls_are_sent_once_and_what_the_file_does_not_say_stays() {
    let mut desired = desired();
    let mut observed = converged();
    let connect = desired.environment.services[0].connect.as_mut().unwrap();
    connect.own.request_timeout_secs = Some(60);
    connect.own.tls =
        Some(ConnectTls { issuer: "arn:pca".into(), kms_key: None, role: Some("arn:role".into()) });
    let planned = plan(&desired, &observed);
    assert!(titles(&planned).contains(&"update service ielts-backend-service".to_owned()));
    let text = crate::view::plan_text(&planned);
    assert!(text.contains("connect.services.backend.timeout (perRequestTimeoutSeconds: 60)"), "{text}");
    let endpoint = &mut backend(&mut observed).spec.connect.as_mut().unwrap().services[0];
    endpoint.extra = Members::of(json!({
        "timeout": { "perRequestTimeoutSeconds": 60, "idleTimeoutSeconds": 900 },
        "tls": { "issuerCertificateAuthority": { "awsPcaAuthorityArn": "arn:pca" }, "roleArn": "arn:role" },
        "ingressPortOverride": 9000,
    }));
    let planned = plan(&desired, &observed);
    assert!(planned.is_empty());
    let kept =
        "backend: stays as it is on AWS, and deploy.toml does not say it: connect.idle-timeout-secs = 900";
    assert_eq!(planned.notes, [kept]);
    desired.environment.services[0].connect.as_mut().unwrap().own.idle_timeout_secs = Some(900);
    assert_eq!(plan(&desired, &observed).notes, [""; 0]);
    desired.environment.services[0].connect.as_mut().unwrap().own.tls = None;
    let kept = plan(&desired, &observed).notes.remove(0);
    assert!(kept.ends_with("connect.tls.issuer = \"arn:pca\", connect.tls.role = \"arn:role\""), "{kept}");
}

#[test]
fn whatever_key_is_taken_out_and_changes_nothing_on_aws_is_noted() {
    let (desired, mut observed) = (desired(), converged());
    let running = backend(&mut observed);
    let alarms = json!({ "alarmNames": ["errors"], "enable": true, "rollback": true });
    running.spec.extra.put(&["deploymentConfiguration", "alarms"], alarms);
    running.spec.extra.put(&["availabilityZoneRebalancing"], json!("DISABLED"));
    let group = &desired.environment.services[0].target_group.name;
    let attributes = &mut observed.target_groups.get_mut(group).unwrap().spec.attributes;
    for (name, value) in [("stickiness.enabled", "true"), ("stickiness.type", "lb_cookie")] {
        attributes.insert(name.to_owned(), value.to_owned());
    }
    let planned = plan(&desired, &observed);
    assert!(planned.is_empty());
    let kept = "backend: stays as it is on AWS, and deploy.toml does not say it: deployment.alarms.names = [\"errors\"], \
                deployment.alarms.enable = true, deployment.alarms.rollback = true, availability-zone-rebalancing = false, \
                target-group.stickiness-secs = 86400";
    assert_eq!(planned.notes, [kept]);
}

/// The backend with a further port and another name of its own one.
fn with_further(desired: &mut Desired) {
    let endpoint = |name: &str, port: u16, port_name: &str| Endpoint {
        name: name.into(),
        port,
        port_name: port_name.into(),
        offer: Offer {
            discovery_name: name.into(),
            alias: Alias { port: 9090, dns: format!("{name}.ielts.local") },
            ..Offer::default()
        },
        ..Endpoint::default()
    };
    let further = vec![endpoint("grpc", 9090, "grpc"), endpoint("legacy", 0, "backend")];
    desired.environment.services[0].connect.as_mut().unwrap().endpoints = further;
}

#[test]
fn an_endpoint_that_is_new_rolls_before_clients_and_one_that_goes_after_them() {
    let mut desired = desired();
    with_further(&mut desired);
    let planned = plan(&desired, &converged());
    let text = crate::view::plan_text(&planned);
    let line = "+ connect.services.grpc (name: grpc, discovery_name: grpc, alias_port: 9090, alias_dns: grpc.ielts.local)";
    assert!(text.contains(line) && text.contains("portMappings.9090"), "{text}");
    let rolls = |planned: &Plan| {
        let stages = planned.stages.iter().filter(|stage| stage.name.starts_with("roll "));
        stages.map(|stage| stage.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(rolls(&planned), ["roll backend", "roll frontend"]);
    // As it is after that release: nothing to do, and without the endpoints clients go first.
    let mut after = converged();
    let service = &desired.environment.services[0];
    let definition = task_definition_spec(&desired, service, &after);
    let spec = service_spec(&desired.environment, service, &after);
    let running = backend(&mut after);
    (running.spec, running.task_definition.spec) = (spec, definition);
    assert!(plan(&desired, &after).is_empty(), "{}", crate::view::plan_text(&plan(&desired, &after)));
    let mut fewer = desired.clone();
    fewer.environment.services[0].connect.as_mut().unwrap().endpoints.truncate(1);
    fewer.environment.services[1].depends_on.clear();
    assert_eq!(rolls(&plan(&fewer, &after)), ["roll backend"]);
    fewer.environment.services[1].container.command = vec!["serve".to_owned()];
    assert_eq!(rolls(&plan(&fewer, &after)), ["roll frontend", "roll backend"]);
}

#[test]
fn a_renamed_further_endpoint_and_another_protocol_of_its_port_are_refused() {
    let mut desired = desired();
    with_further(&mut desired);
    let mut running = converged();
    let service = &desired.environment.services[0];
    let definition = task_definition_spec(&desired, service, &running);
    let spec = service_spec(&desired.environment, service, &running);
    let state = backend(&mut running);
    (state.spec, state.task_definition.spec) = (spec, definition);
    let grpc = &mut desired.environment.services[0].connect.as_mut().unwrap().endpoints[0];
    grpc.app_protocol = Some(AppProtocol::Grpc);
    grpc.offer.discovery_name = "rpc".into();
    let refusals = plan(&desired, &running).refusals;
    let keys: Vec<&str> = refusals.iter().map(|it| it.remedy.split('`').nth(1).unwrap()).collect();
    let key = "service.backend.connect.endpoint.grpc";
    let expected = [format!("{key}.app-protocol = \"http\""), format!("{key}.discovery-name = \"grpc\"")];
    assert_eq!(keys, expected, "{refusals:?}");
}

#[test]
fn the_protocol_of_a_service_that_runs_is_kept_or_refused() {
    let protocol = |protocol| {
        let mut desired = desired();
        desired.environment.services[0].container.app_protocol = Some(protocol);
        desired
    };
    assert!(plan(&protocol(AppProtocol::Http), &converged()).is_empty());
    let [refusal] = &plan(&protocol(AppProtocol::Tcp), &converged()).refusals[..] else { panic!() };
    assert_eq!(
        refusal.what,
        "ielts-backend-service speaks http in Service Connect, and ECS cannot change that to tcp"
    );
    assert!(
        refusal.remedy.contains("service.backend.container.app-protocol = \"http\""),
        "{}",
        refusal.remedy
    );
    let mut new = converged();
    new.services.clear();
    new.latest.clear();
    let desired = protocol(AppProtocol::Grpc);
    let spec = task_definition_spec(&desired, &desired.environment.services[0], &new);
    assert_eq!(spec.ports().next().unwrap()["appProtocol"], "grpc");
}

#[test]
fn a_client_that_is_older_than_its_servers_endpoint_is_redeployed_whatever_else_the_plan_changes() {
    let (desired, mut observed) = (desired(), converged());
    let mut at = |key: &str, deployed, since| {
        let state = observed.services.get_mut(&ServiceKey(key.into())).unwrap();
        (state.deployed_at_ms, state.endpoints_since_ms) = (Some(deployed), since);
        plan(&desired, &observed)
    };
    assert!(at("frontend", 1_000, None).is_empty());
    let planned = at("backend", 2_000, Some(2_000));
    assert_eq!(titles(&planned), ["redeploy service ielts-frontend-service"]);
    assert!(crate::view::plan_text(&planned).contains("the endpoint of backend is new or changed"));
    assert!(at("frontend", 3_000, None).is_empty());
}
