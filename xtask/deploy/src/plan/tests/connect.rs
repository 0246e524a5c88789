//! What deploy.toml says of a Service Connect endpoint beside its names.

use serde_json::json;

use super::account::{converged, desired};
use super::*;
use crate::model::spec::Members;
use crate::model::{AppProtocol, ConnectTls};

#[test]
fn timeouts_and_tls_are_sent_once_and_what_the_file_does_not_say_stays() {
    let mut desired = desired();
    let mut observed = converged();
    let connect = desired.environment.services[0].connect.as_mut().unwrap();
    connect.request_timeout_secs = Some(60);
    connect.tls = Some(ConnectTls { issuer: "arn:pca".into(), kms_key: None, role: Some("arn:role".into()) });
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
    let kept = "backend: its endpoint keeps idle-timeout-secs = 900, which deploy.toml does not say";
    assert_eq!(planned.notes, [kept]);
    desired.environment.services[0].connect.as_mut().unwrap().idle_timeout_secs = Some(900);
    assert_eq!(plan(&desired, &observed).notes, [""; 0]);
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
