//! Target groups: what can change, what cannot, and what deploy.toml does not say.

use super::account::{converged, desired};
use super::*;
use crate::model::spec::TargetGroupSpec;

fn group(observed: &mut Observed) -> &mut TargetGroupSpec {
    &mut observed.target_groups.get_mut("ielts-backend-tg").unwrap().spec
}

#[test]
fn a_health_check_on_another_port_is_seen_and_named() {
    let mut now = converged();
    group(&mut now).health.port = Some(9090);
    let plan = plan(&desired(), &now);
    assert_eq!(titles(&plan), ["modify health check of ielts-backend-tg"]);
    let text = crate::view::plan_text(&plan);
    assert!(text.contains("- health.port (9090)"), "{text}");
}

#[test]
fn attributes_that_deploy_toml_does_not_set_stay_as_they_are() {
    let mut now = converged();
    group(&mut now).attributes.insert("stickiness.enabled".into(), "true".into());
    assert!(plan(&desired(), &now).is_empty());
    group(&mut now).attributes.insert(TargetGroupSpec::DEREGISTRATION_DELAY.into(), "300".into());
    let plan = plan(&desired(), &now);
    let text = crate::view::plan_text(&plan);
    assert!(text.contains("deregistration_delay.timeout_seconds: 300 → 30"), "{text}");
    let [Action::SetTargetGroupAttributes(spec)] =
        &plan.steps().map(|step| step.action.clone()).collect::<Vec<_>>()[..]
    else {
        panic!("{text}")
    };
    assert_eq!(spec.attributes.len(), 1, "only what differs is sent");
}

#[test]
fn an_attribute_that_somebody_changed_since_stays_and_the_others_are_restored() {
    let (mut before, mut now) = (converged(), converged());
    group(&mut before).attributes = [
        (TargetGroupSpec::DEREGISTRATION_DELAY.to_owned(), "300".to_owned()),
        ("slow_start.duration_seconds".to_owned(), "0".to_owned()),
    ]
    .into();
    let record = Undo::of(&plan(&desired(), &before), &desired(), &before);
    group(&mut now).attributes.insert("slow_start.duration_seconds".into(), "60".into());
    assert_eq!(titles(&undo(&record, &desired(), &now)), ["set attributes of ielts-backend-tg"]);
    group(&mut now).attributes.insert(TargetGroupSpec::DEREGISTRATION_DELAY.into(), "7".into());
    assert!(undo(&record, &desired(), &now).is_empty());
}

/// Also of a load balancer that is somebody else's: then the file says it all the same.
#[test]
fn attributes_of_the_load_balancer_that_the_file_names_are_set_and_restored() {
    let idle = |secs: &str| [("idle_timeout.timeout_seconds".to_owned(), secs.to_owned())];
    let (mut wanted, mut before) = (desired(), converged());
    wanted.environment.load_balancer.aws.attributes = idle("120").into();
    wanted.environment.load_balancer.existing = true;
    let protection = ("deletion_protection.enabled".to_owned(), "true".to_owned());
    let found = &mut before.load_balancer.as_mut().unwrap().spec.attributes;
    found.extend(idle("60").into_iter().chain([protection]));
    let changes = plan(&wanted, &before);
    assert_eq!(titles(&changes), ["set attributes of load balancer ielts-prod-alb"]);
    assert!(crate::view::plan_text(&changes).contains("idle_timeout.timeout_seconds: 60 → 120"));
    let record = Undo::of(&changes, &wanted, &before);
    let mut now = before.clone();
    now.load_balancer.as_mut().unwrap().spec.attributes.extend(idle("120"));
    assert!(plan(&wanted, &now).is_empty());
    let restored = undo(&record, &wanted, &now);
    assert!(crate::view::plan_text(&restored).contains("idle_timeout.timeout_seconds: 120 → 60"));
    now.load_balancer.as_mut().unwrap().spec.attributes.extend(idle("300"));
    assert!(undo(&record, &wanted, &now).is_empty(), "somebody changed it since");
}

#[test]
fn the_protocol_version_of_a_group_that_serves_is_kept_because_a_rename_would_fail_requests() {
    let mut now = converged();
    group(&mut now).protocol_version = "HTTP2".into();
    let [refusal] = &plan(&desired(), &now).refusals[..] else { panic!() };
    assert_eq!(
        refusal.what,
        "target group ielts-backend-tg has protocol_version HTTP2, wanted is HTTP1, and AWS cannot change that"
    );
    assert!(refusal.remedy.starts_with("keep HTTP2, or `cargo xtask down` first"), "{}", refusal.remedy);
    now.services.clear();
    let [refusal] = &plan(&desired(), &now).refusals[..] else { panic!() };
    assert_eq!(refusal.remedy, "give the target group another name, or delete the old one");
}
