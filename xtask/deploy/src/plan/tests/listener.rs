//! Plans for the listeners.

use super::account::{converged, desired, empty};
use super::titles;
use crate::model::spec::ListenerSpec;
use crate::model::{Desired, Listener, ListenerState, Observed, Protocol};
use crate::plan::{Action, Step, Why, plan, wanted};

const OWN: &str = "arn:aws:acm:r:a:certificate/own";
const FURTHER: &str = "arn:aws:acm:r:a:certificate/further";
const OTHER: &str = "arn:aws:acm:r:a:certificate/other";

fn https() -> Desired {
    let mut desired = desired();
    desired.environment.load_balancer.host = Some("app.example.com".into());
    desired.environment.load_balancer.listener = Listener {
        port: 443,
        protocol: Protocol::Https,
        certificate: Some(OWN.into()),
        further_certificates: vec![FURTHER.into()],
        ssl_policy: Some("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09".into()),
        redirect_http: Some(true),
    };
    desired
}

/// An account as desired, but for its listener.
fn account(change: impl FnOnce(&mut ListenerSpec)) -> Observed {
    let environment = https().environment;
    let mut observed = converged();
    let state = |spec| ListenerState { arn: "listener".into(), spec };
    let mut listener = wanted::listener(&environment.load_balancer.listener, "ielts-prod-alb");
    change(&mut listener);
    observed.listener = Some(state(listener));
    observed.redirect = wanted::redirect(&environment.load_balancer.listener, "ielts-prod-alb").map(state);
    observed
}

fn shared() -> Desired {
    let mut desired = https();
    let reference = "ielts-prod-alb".into();
    desired.environment.load_balancer.name = reference;
    desired.environment.load_balancer.existing = true;
    desired
}

fn steps(desired: &Desired, observed: &Observed) -> Vec<Step> {
    plan(desired, observed).steps().cloned().collect()
}

#[test]
fn https_gets_a_listener_with_the_policy_and_another_that_redirects_to_it() {
    let plan = plan(&https(), &empty());
    let titles = titles(&plan);
    assert!(titles.contains(&"create listener HTTPS:443".to_owned()), "{titles:?}");
    assert!(titles.contains(&"create listener HTTP:80, redirects to 443".to_owned()), "{titles:?}");
    assert_eq!(steps(&https(), &account(|_| {})), []);
}

#[test]
fn another_certificate_or_policy_of_the_own_listener_is_a_planned_change() {
    let observed = account(|spec| {
        spec.certificate = Some(OTHER.into());
        spec.ssl_policy = Some("ELBSecurityPolicy-2016-08".into());
        spec.further_certificates.clear();
    });
    let steps = steps(&https(), &observed);
    let [Step { action: Action::ModifyListener(spec), why: Why::Changed(changes) }, added] = &steps[..]
    else {
        panic!("{steps:?}")
    };
    assert_eq!(spec.certificate.as_deref(), Some(OWN));
    let fields: Vec<_> = changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["certificate", "ssl_policy"]);
    let action = Action::AddListenerCertificates { port: 443, certificates: vec![FURTHER.into()] };
    assert_eq!(added.action, action);
}

#[test]
fn certificates_that_the_file_does_not_name_stay() {
    let observed = account(|spec| spec.further_certificates.push(OTHER.into()));
    let plan = plan(&https(), &observed);
    assert!(plan.is_empty() && plan.notes.iter().any(|note| note.contains(OTHER)), "{plan:?}");
}

#[test]
fn a_listener_that_others_use_keeps_its_default_certificate_and_policy() {
    let observed = account(|spec| {
        spec.certificate = Some(OTHER.into());
        spec.ssl_policy = Some("ELBSecurityPolicy-2016-08".into());
    });
    let steps = steps(&shared(), &observed);
    let action = Action::AddListenerCertificates { port: 443, certificates: vec![OWN.into()] };
    assert_eq!(steps.iter().map(|step| &step.action).collect::<Vec<_>>(), [&action]);
}

#[test]
fn what_somebody_else_listens_for_on_port_80_goes_on() {
    let mut observed = account(|_| {});
    observed.redirect.as_mut().unwrap().spec.redirect_to = None;
    let found = plan(&https(), &observed);
    assert!(found.is_empty() && found.notes.iter().any(|note| note.contains("listener 80")), "{found:?}");
    observed.redirect.as_mut().unwrap().spec.redirect_to = Some(8443);
    let moved = plan(&https(), &observed);
    assert_eq!(titles(&moved), ["modify listener HTTP:80"]);
}
