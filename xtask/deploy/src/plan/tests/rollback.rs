//! Plans that roll back.

use super::account::{converged, desired, digest};
use super::{backend, stages, titles};
use crate::model::{Desired, Observed, Pin, ServiceKey};
use crate::plan::{Order, Undo, restart, resume_restart, rollback, scale};

/// Both services run revision 2 and shall run revision 1 again.
fn moved() -> (Desired, Observed) {
    let (mut desired, mut observed) = (desired(), converged());
    desired.release.images.clear();
    for (key, state) in &mut observed.services {
        let revision = state.task_definition.arn.clone();
        desired.release.pins.insert(
            key.clone(),
            Pin { revision, proven: true, settings: Some(state.spec.clone()), ..Pin::default() },
        );
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
fn a_client_is_not_restored_before_the_endpoint_that_it_uses() {
    let (mut desired, mut observed) = moved();
    let (client, server) = (ServiceKey("frontend".into()), ServiceKey("backend".into()));
    backend(&mut observed).spec.connect.as_mut().unwrap().services[0].alias_port = 8081;
    let planned = |desired: &Desired, observed: &Observed| {
        let plan = rollback(desired, observed, Order::Reverse);
        (
            stages(&plan)
                .into_iter()
                .flat_map(|(_, settle)| settle.into_iter().map(str::to_owned))
                .collect::<Vec<_>>(),
            titles(&plan).join(", "),
        )
    };
    assert_eq!(planned(&desired, &observed).0, ["backend", "frontend"]);
    // ECS rolled the client back already. Its deployment saw the release's endpoint, or the one from before it.
    desired.release.pins.get_mut(&client).unwrap().revision =
        observed.services[&client].task_definition.arn.clone();
    let mut made = |key: &ServiceKey, at| observed.services.get_mut(key).unwrap().deployed_at_ms = Some(at);
    made(&server, 2_000);
    made(&client, 3_000);
    let (order, steps) = planned(&desired, &observed);
    assert_eq!(
        (order, steps.as_str()),
        (
            vec!["backend".into(), "frontend".into()],
            "update service ielts-backend-service, redeploy service ielts-frontend-service"
        )
    );
    observed.services.get_mut(&client).unwrap().deployed_at_ms = Some(1_000);
    assert_eq!(planned(&desired, &observed).0, ["backend"]);
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
            "service ielts-frontend-service does not exist",
            "the image ffffffffffff of backend is no longer in ielts/backend",
        ]
    );
}

#[test]
fn a_restart_forces_a_deployment_once_and_after_one_in_progress() {
    let (mut desired, mut observed) = (desired(), converged());
    let services = desired.environment.services.clone();
    let services: Vec<_> = services.iter().collect();
    backend(&mut observed).primary = Some("ecs-svc/1".into());
    let frontend = observed.services.get_mut(&services[1].key).unwrap();
    (frontend.rollout, frontend.primary) = (Some("IN_PROGRESS".into()), Some("ecs-svc/8".into()));
    desired.release = restart(&observed, &services, "ana".into());
    let plan = rollback(&desired, &observed, Order::Together);
    assert_eq!(
        titles(&plan),
        ["redeploy service ielts-frontend-service", "redeploy service ielts-backend-service"]
    );
    assert_eq!(
        stages(&plan),
        [
            ("wait".into(), vec!["frontend"]),
            ("restart frontend and backend".into(), vec!["frontend", "backend"])
        ]
    );
    // A run of the restart that was killed began the deployment in progress: it is followed.
    let left = Undo::of(&plan, &desired, &observed);
    resume_restart(&mut desired.release, &left, &observed);
    let plan = rollback(&desired, &observed, Order::Together);
    assert_eq!(titles(&plan), ["redeploy service ielts-backend-service"]);
    assert_eq!(stages(&plan), [("restart frontend and backend".into(), vec!["frontend", "backend"])]);
    assert_eq!(plan.notes, ["frontend: the restart that an earlier run began is followed"]);
    // Killed after the write, or read again for the proof: nothing is forced a second time.
    backend(&mut observed).primary = Some("ecs-svc/2".into());
    assert!(rollback(&desired, &observed, Order::Together).is_empty());
    backend(&mut observed).desired = 0;
    let refused = rollback(&desired, &observed, Order::Together).refusals;
    assert_eq!(refused[0].remedy, "`cargo xtask scale backend 2` starts tasks");
}

#[test]
fn a_count_outside_of_the_scaling_is_refused_and_what_moves_it_is_named() {
    let (mut desired, mut observed) = (desired(), converged());
    let service = desired.environment.services[0].clone();
    let planned = |desired: &mut Desired, observed: &Observed, count| {
        desired.release = scale(observed, &service, count, "ana".into());
        rollback(desired, observed, Order::Together)
    };
    let plan = planned(&mut desired, &observed, 4);
    assert_eq!(titles(&plan), ["raise desired count of ielts-backend-service 2 → 4"]);
    assert_eq!(plan.notes, ["backend has 4 tasks until backend-cpu-scaling moves it, between 2 and 10"]);
    assert!(planned(&mut desired, &observed, 2).is_empty());
    for count in [0, 1, 11] {
        assert_eq!(planned(&mut desired, &observed, count).refusals.len(), 1, "{count}");
    }
    observed.scaling.clear();
    let plan = planned(&mut desired, &observed, 1);
    assert_eq!(titles(&plan), ["lower desired count of ielts-backend-service 2 → 1"]);
    assert_eq!(plan.notes, ["backend has no scaling: it keeps 1 tasks, also through deploys"]);
}
