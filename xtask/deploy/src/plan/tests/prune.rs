//! Revisions that go, and those that never do.

use std::collections::BTreeMap;

use crate::model::TaskDefinitionState;
use crate::plan::{Action, prune};

/// Revisions 1 to `count`, newest first; those in `proven` were.
fn revisions(count: u32, proven: &[u32]) -> Vec<TaskDefinitionState> {
    let revision = |number: u32| {
        let mut tags = BTreeMap::from([("app", "ielts"), ("release", "r")]);
        if proven.contains(&number) {
            tags.insert("proven", "2026-11-23T08:00:12Z");
        }
        TaskDefinitionState {
            arn: format!("td/f:{number}"),
            tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            active: true,
            ..TaskDefinitionState::default()
        }
    };
    (1..=count).rev().map(revision).collect()
}

fn arns(revisions: &[TaskDefinitionState]) -> Vec<String> {
    revisions.iter().map(|revision| revision.arn.clone()).collect()
}

fn gone(keep: usize, revisions: &[TaskDefinitionState], running: &[&str]) -> Vec<String> {
    let running: Vec<String> = running.iter().map(|arn| (*arn).to_owned()).collect();
    let steps = prune("ielts", keep, &arns(revisions), revisions, &running);
    let arn = |action| match action {
        Action::DeregisterTaskDefinition { revision } => revision,
        other => panic!("{}", other.title()),
    };
    steps.into_iter().map(|step| arn(step.action)).collect()
}

#[test]
fn the_oldest_go_and_the_newest_stay() {
    let all = revisions(6, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(gone(4, &all, &["td/f:6"]), ["td/f:1", "td/f:2"]);
    assert_eq!(gone(6, &all, &["td/f:6"]), Vec::<String>::new());
}

#[test]
fn what_runs_and_the_last_good_one_are_never_deregistered() {
    let failed = revisions(6, &[1, 2]);
    assert_eq!(gone(2, &failed, &["td/f:2"]), ["td/f:3", "td/f:4"]);
    let all = revisions(6, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(gone(2, &all, &["td/f:1"]), ["td/f:2", "td/f:3", "td/f:4"]);
}

#[test]
fn revisions_of_somebody_else_and_those_that_were_not_read_stay() {
    let mut all = revisions(6, &[5, 6]);
    all[5].tags.remove("app");
    all[4].tags.insert("app".to_owned(), "other".to_owned());
    assert_eq!(gone(2, &all, &[]), ["td/f:3", "td/f:4"]);
    let read = &all[..3];
    assert_eq!(prune("ielts", 2, &arns(&all), read, &[]).len(), 1);
}
