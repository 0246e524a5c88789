//! What a release restores: all that it changed, and nothing that somebody changed since.

use std::collections::BTreeSet;

use super::account::{converged, desired};
use super::{backend, stages, titles};
use crate::model::spec::{ScalableTargetSpec, TargetGroupSpec};
use crate::model::{Desired, Observed, ServiceKey};
use crate::plan::{Action, Order, Plan, Revision, Stage, Step, Undo, plan, rollback, scale, undo};

/// An account whose bounds, health check and grace period the release changes, and the account with all of it written.
fn changed() -> (Undo, Desired, Observed, Observed) {
    let (desired, written) = (desired(), converged());
    let mut before = converged();
    bounds(&mut before).max = 6;
    before.target_groups.get_mut("ielts-backend-tg").unwrap().spec.health.interval_secs = 7;
    backend(&mut before).spec.health_check_grace_secs = 1;
    let record = Undo::of(&plan(&desired, &before), &desired, &before);
    let mut towards = desired;
    for (key, pin, _) in record.pins() {
        towards.release.pins.insert(key.clone(), pin);
    }
    (record, towards, before, written)
}

fn delay(observed: &mut Observed, secs: &str) {
    let group = &mut observed.target_groups.get_mut("ielts-backend-tg").unwrap().spec;
    group.attributes.insert(TargetGroupSpec::DEREGISTRATION_DELAY.into(), secs.into());
}

fn bounds(observed: &mut Observed) -> &mut ScalableTargetSpec {
    observed.scaling.get_mut(&ServiceKey("backend".into())).unwrap().target.as_mut().unwrap()
}

#[test]
fn settings_come_first_and_each_stage_names_its_service() {
    let (record, desired, before, written) = changed();
    let back = undo(&record, &desired, &written);
    assert_eq!(
        stages(&back).into_iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["restore settings", "roll back backend"]
    );
    assert_eq!(titles(&back).len(), 3, "{:?}", titles(&back));
    assert!(undo(&record, &desired, &before).is_empty());
}

#[test]
fn tasks_of_a_failed_release_do_not_drain_for_the_default_delay_of_a_hand_made_target_group() {
    let (desired, written) = (desired(), converged());
    let mut before = converged();
    delay(&mut before, "300");
    backend(&mut before).spec.health_check_grace_secs = 1;
    let record = Undo::of(&plan(&desired, &before), &desired, &before);
    let mut towards = desired;
    towards.release.pins.extend(record.pins().map(|(key, pin, _)| (key.clone(), pin)));
    let back = undo(&record, &towards, &written);
    let names: Vec<_> = stages(&back).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["roll back backend", "restore rules and attributes"]);
}

#[test]
fn a_bound_that_somebody_changed_since_stays_and_the_other_is_restored() {
    let (record, desired, _, mut now) = changed();
    bounds(&mut now).min = 4;
    let back = titles(&undo(&record, &desired, &now));
    assert!(back.iter().any(|title| title.ends_with("ielts-backend-service 4 to 6")), "{back:?}");
    bounds(&mut now).max = 17;
    let back = titles(&undo(&record, &desired, &now));
    assert!(!back.iter().any(|title| title.starts_with("register scalable target")), "{back:?}");
}

#[test]
fn a_rerun_after_a_kill_restores_what_the_first_run_found() {
    let (record, towards, before, written) = changed();
    // Half of it is written: the second run plans only the rest.
    let mut half = before.clone();
    *bounds(&mut half) = bounds(&mut written.clone()).clone();
    let second = Undo::of(&plan(&desired(), &half), &desired(), &half).after(record, &half);
    assert!(second.is_resumed());
    let back = undo(&second, &towards, &written);
    assert_eq!(titles(&back).len(), 3, "{:?}", titles(&back));
    assert!(undo(&second, &towards, &before).is_empty());
}

#[test]
fn what_an_earlier_run_rolled_whole_is_what_the_next_release_restores() {
    let (record, _, _, mut written) = changed();
    let state = backend(&mut written);
    state.task_definition.tags.insert("release".into(), desired().release.id);
    state.rollout = Some("IN_PROGRESS".into());
    let mut other = desired();
    other.environment.services[0].deployment.health_check_grace_secs += 1;
    let next = |now: &Observed, desired: &Desired| {
        Undo::of(&plan(desired, now), desired, now).after(record.clone(), now)
    };
    assert!(next(&written, &other).is_resumed(), "half a release is none");
    backend(&mut written).rollout = Some("COMPLETED".into());
    assert!(next(&written, &desired()).is_resumed(), "the same release, run again");
    let next = next(&written, &other);
    assert!(!next.is_resumed() && next.pins().all(|(.., earlier)| !earlier));
}

#[test]
fn what_an_undo_could_not_restore_and_is_complete_is_what_the_next_release_restores() {
    let (mut record, _, _, mut written) = changed();
    let mut desired = desired();
    let found = backend(&mut written).task_definition.arn.clone();
    // It changed the frontend also, which was restored.
    let mut before = converged();
    for state in before.services.values_mut() {
        state.spec.health_check_grace_secs = 1;
        state.task_definition.arn.push('0');
    }
    record = Undo::of(&plan(&desired, &before), &desired, &before).after(record, &before);
    let frontend = ServiceKey("frontend".into());
    written.services.insert(frontend.clone(), before.services[&frontend].clone());
    let state = backend(&mut written);
    state.task_definition.tags.insert("release".into(), desired.release.id.clone());
    state.rollout = Some("COMPLETED".into());
    desired.environment.services[0].deployment.health_check_grace_secs += 1;
    let pin = |record: Undo, now: &Observed| {
        let next = Undo::of(&plan(&desired, now), &desired, now).after(record, now);
        next.pins()
            .find(|(key, ..)| key.0 == "backend")
            .map(|(_, pin, earlier)| (pin.revision, earlier))
            .unwrap()
    };
    let killed = pin(record.clone(), &written);
    assert!(killed.0 != found && killed.1, "a killed run undid nothing");
    assert_eq!(pin(record.ended(), &written), (found, false));
    backend(&mut written).rollout = Some("IN_PROGRESS".into());
    assert_eq!(pin(record.ended(), &written), killed);
}

#[test]
fn a_killed_run_that_ran_an_older_release_s_revision_again_is_undone_all_the_same() {
    let (before, mut now) = (converged(), converged());
    let key = ServiceKey("backend".into());
    let found = before.services[&key].clone();
    let again = format!("{}9", found.task_definition.arn);
    let action = Action::UpdateService {
        service: key.clone(),
        spec: Box::new(found.spec.clone()),
        members: BTreeSet::new(),
        revision: Some(Revision::Existing(again.clone())),
        force: false,
    };
    let mut stage = Stage::new("roll");
    stage.lane("backend".to_owned(), vec![Step::because(action, "")]);
    let plan = Plan { stages: vec![stage], ..Plan::default() };
    let record = Undo::of(&plan, &desired(), &before);
    let state = backend(&mut now);
    state.task_definition.arn = again;
    state.task_definition.tags.insert("release".into(), "the release that registered it".into());
    state.rollout = Some("IN_PROGRESS".into());
    let next = Undo::default().after(record, &now);
    let pins: Vec<_> = next.pins().map(|(key, pin, earlier)| (key.clone(), pin.revision, earlier)).collect();
    assert_eq!(pins, [(key, found.task_definition.arn, true)]);
}

#[test]
fn a_first_release_over_nothing_has_nothing_to_restore() {
    let mut nothing = converged();
    nothing.services.clear();
    assert!(Undo::of(&plan(&desired(), &nothing), &desired(), &nothing).is_empty());
}

#[test]
fn a_count_that_scale_changes_is_restored_unless_somebody_changed_it_since() {
    let before = converged();
    let web = desired().environment.services[0].clone();
    let found = before.services[&web.key].desired;
    let scaled = Desired { release: scale(&before, &web, found + 2, "ana".into()), ..desired() };
    let record = Undo::of(&rollback(&scaled, &before, Order::Together), &scaled, &before);
    assert!(!record.is_empty() && record.touches(&web.key));
    assert_eq!(record.count(&web.key), Some(found));
    let back = |record: &Undo, now: u32| {
        let mut written = before.clone();
        backend(&mut written).desired = now;
        undo(record, &desired(), &written).steps().map(|step| step.action.clone()).collect::<Vec<_>>()
    };
    let restores = |from: u32| {
        let (service, name) = (web.key.clone(), web.name.clone());
        vec![Action::SetDesiredCount { service, name, from, to: found }]
    };
    for (now, expected) in [(found + 2, restores(found + 2)), (found, vec![]), (found + 1, vec![])] {
        assert_eq!(back(&record, now), expected, "{now}");
    }
    // The next run finds the new count: what the killed one found is older.
    let mut written = before.clone();
    backend(&mut written).desired = found + 2;
    let next = Undo::default().after(record, &written);
    assert!(next.is_resumed());
    assert_eq!(back(&next, found + 2), restores(found + 2));
}
