//! Which plans run a task before the roll.

use super::account::{converged, desired};
use super::{backend, titles};
use crate::history::BEFORE_ROLL;
use crate::model::spec::TaskDefinitionSpec;
use crate::model::{BeforeRoll, Desired, ImageDigest, Observed, ServiceKey};
use crate::plan::{Action, plan};

fn migrating() -> Desired {
    let mut desired = desired();
    let command = ["migrate", "--url", "postgres://u:hunter2@db/x"].map(str::to_owned).to_vec();
    desired.environment.services[0].before_roll = Some(BeforeRoll { command, ..BeforeRoll::default() });
    desired
}

fn moved() -> Desired {
    let mut desired = migrating();
    let digest = ImageDigest(format!("sha256:{}", "d".repeat(64)));
    desired.release.images.insert(ServiceKey("backend".into()), digest);
    desired
}

fn runs(desired: &Desired, observed: &Observed) -> bool {
    plan(desired, observed).steps().any(|step| matches!(step.action, Action::RunTask { .. }))
}

#[test]
fn it_comes_after_the_definitions_and_before_any_request_is_led_elsewhere() {
    let mut observed = converged();
    observed.rules.clear();
    let plan = plan(&moved(), &observed);
    let stages: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(stages, ["foundation", "definitions", "before the roll", "routing", "roll backend"]);
    let title = titles(&plan).into_iter().find(|title| title.starts_with("run ")).unwrap();
    assert!(title.ends_with("once as ielts-backend:(new)") && !title.contains("hunter2"), "{title}");
}

#[test]
fn it_runs_for_a_revision_that_is_new_to_the_service_and_did_not_succeed_for_it_yet() {
    assert!(!runs(&migrating(), &converged()), "nothing rolls");
    let note = "backend: `before-roll` does not run, its revision is unchanged";
    let noted = |observed: &Observed| plan(&migrating(), observed).notes.iter().any(|said| said == note);
    let mut has_run = converged();
    assert!(noted(&has_run));
    backend(&mut has_run).task_definition.tags.insert(BEFORE_ROLL.to_owned(), "now".to_owned());
    assert!(!noted(&has_run));
    assert!(runs(&moved(), &converged()));
    // A release that registered the revision and came no further.
    let mut observed = converged();
    let mut latest = observed.latest[&ServiceKey("backend".into())].clone();
    backend(&mut observed).task_definition.spec = TaskDefinitionSpec::default();
    assert!(runs(&migrating(), &observed));
    latest.tags.insert(BEFORE_ROLL.to_owned(), "2026-11-23T08:00:12Z".to_owned());
    observed.latest.insert(ServiceKey("backend".into()), latest);
    assert!(!runs(&migrating(), &observed));
}
