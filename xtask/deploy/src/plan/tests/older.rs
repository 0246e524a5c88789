//! Commits that come after each other, and those that do not.

use super::account::{converged, desired};
use super::backend;
use crate::plan::{Plan, refuse_older};

/// What is refused and noted when commit `ours` of second `committed` meets a backend of commit `b` of second 100.
fn guarded(ours: &str, committed: Option<u64>, base: Option<&str>) -> (usize, usize) {
    let (mut desired, mut observed) = (desired(), converged());
    desired.release.commit = Some(ours.to_owned());
    desired.release.committed = committed;
    let tags = &mut backend(&mut observed).task_definition.tags;
    tags.insert("commit".to_owned(), "b".to_owned());
    tags.insert("committed".to_owned(), "100".to_owned());
    let mut plan = Plan::default();
    refuse_older(&mut plan, &desired, &observed, |_| base.map(str::to_owned));
    (plan.refusals.len(), plan.notes.len())
}

#[test]
fn a_pipeline_that_is_run_again_does_not_replace_a_newer_release() {
    for (ours, committed, base, expected) in [
        ("b", None, Some("b"), (0, 0)),
        ("a", None, Some("a"), (1, 0)),
        ("c", None, Some("b"), (0, 0)),
        ("d", None, Some("a"), (0, 1)),
        // A clone without history: the times decide, where they are known.
        ("a", Some(99), None, (1, 0)),
        ("c", Some(101), None, (0, 0)),
        ("c", None, None, (0, 1)),
    ] {
        assert_eq!(guarded(ours, committed, base), expected, "{ours} {committed:?} {base:?}");
    }
}

#[test]
fn a_service_that_is_gone_or_has_no_commit_refuses_nothing() {
    let (mut desired, mut observed) = (desired(), converged());
    desired.release.commit = Some("a".to_owned());
    let mut plan = Plan::default();
    refuse_older(&mut plan, &desired, &observed, |_| Some("a".to_owned()));
    let service = backend(&mut observed);
    service.task_definition.tags.insert("commit".to_owned(), "b".to_owned());
    service.status = "INACTIVE".to_owned();
    refuse_older(&mut plan, &desired, &observed, |_| Some("a".to_owned()));
    assert_eq!(plan, Plan::default());
}
