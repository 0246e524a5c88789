//! Plans that roll back.

use super::account::{converged, desired, digest};
use super::{backend, stages, titles};
use crate::model::{Desired, Observed, Pin, ServiceKey};
use crate::plan::{Order, rollback};

/// Both services run revision 2 and shall run revision 1 again.
fn moved() -> (Desired, Observed) {
    let (mut desired, mut observed) = (desired(), converged());
    desired.release.images.clear();
    for (key, state) in &mut observed.services {
        let revision = state.task_definition.arn.clone();
        desired
            .release
            .pins
            .insert(key.clone(), Pin { revision, proven: true, settings: Some(state.spec.clone()) });
        state.task_definition.arn = state.task_definition.arn.replace(":1", ":2");
    }
    (desired, observed)
}

#[test]
fn a_release_rolls_back_in_the_reverse_order_or_at_once() {
    let (desired, observed) = moved();
    let plan = rollback(&desired, &observed, Order::Reverse);
    assert_eq!(
        stages(&plan),
        [("roll back frontend".into(), vec!["frontend"]), ("roll back backend".into(), vec!["backend"]),]
    );
    let plan = rollback(&desired, &observed, Order::Together);
    assert_eq!(stages(&plan), [("roll back frontend and backend".into(), vec!["frontend", "backend"])]);
    assert_eq!(
        titles(&plan),
        ["update service ielts-frontend-service", "update service ielts-backend-service"]
    );
}

#[test]
fn a_service_that_is_back_already_gets_no_second_deployment() {
    let (desired, mut observed) = moved();
    let service = backend(&mut observed);
    service.task_definition.arn = service.task_definition.arn.replace(":2", ":1");
    let plan = rollback(&desired, &observed, Order::Reverse);
    assert_eq!(stages(&plan), [("roll back frontend".into(), vec!["frontend"])]);
}

#[test]
fn a_service_whose_rollback_is_in_progress_is_waited_for() {
    let (desired, mut observed) = moved();
    let service = backend(&mut observed);
    service.task_definition.arn = service.task_definition.arn.replace(":2", ":1");
    service.rollout = Some("IN_PROGRESS".into());
    let plan = rollback(&desired, &observed, Order::Reverse);
    assert_eq!(stages(&plan)[1], ("roll back backend".into(), vec!["backend"]));
}

#[test]
fn a_setting_is_restored_without_a_revision() {
    let (mut desired, mut observed) = moved();
    for (key, state) in &mut observed.services {
        state.task_definition.arn = state.task_definition.arn.replace(":2", ":1");
        if key.0 == "frontend" {
            state.spec.health_check_grace_secs += 30;
        }
    }
    desired.release.pins.remove(&ServiceKey("backend".into()));
    let plan = rollback(&desired, &observed, Order::Reverse);
    assert_eq!(titles(&plan), ["update service ielts-frontend-service"]);
}

#[test]
fn an_image_or_a_service_that_is_gone_is_refused_before_anything_is_touched() {
    let (mut desired, mut observed) = moved();
    desired.release.images.insert(ServiceKey("backend".into()), digest('f'));
    observed.services.remove(&ServiceKey("frontend".into()));
    let plan = rollback(&desired, &observed, Order::Together);
    let refused: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.what.as_str()).collect();
    assert_eq!(
        refused,
        [
            "service ielts-frontend-service is not there",
            "the image ffffffffffff of backend is gone from ielts/backend",
        ]
    );
}
