//! The tag holds what two deploys must know of each other, and nothing makes one of them free that is held.

use super::*;

fn person(process: u32) -> Holder {
    Holder { owner: "ann@laptop".into(), run: None, process: Some(process) }
}

fn workflow(run: &str) -> Holder {
    Holder { owner: "octocat".into(), run: Some(run.into()), process: None }
}

fn lease(holder: Holder) -> Lease {
    Lease { id: "00c0ffee".into(), until: 1_000, release: "r-1".into(), holder, taken: None }
}

#[test]
fn a_lease_is_read_as_it_was_written() {
    let taken = Some("from bob@desk: the runner = gone".to_owned());
    for lease in [
        lease(person(7)),
        lease(workflow("https://ci/runs/42")),
        Lease { taken, ..lease(workflow("https://ci/a=b")) },
    ] {
        assert_eq!(lease.to_string().parse(), Ok(lease));
    }
}

#[test]
fn names_and_notes_of_any_length_and_alphabet_fit_a_tag() {
    let long = "ünïcode, \"quotes\" & more ".repeat(40);
    let holder = Holder { owner: long.clone(), run: Some(long.clone()), process: Some(u32::MAX) };
    let lease =
        Lease { id: "f".repeat(16), until: u64::MAX, release: long.clone(), holder, taken: Some(long) };
    let text = lease.to_string();
    assert!(text.chars().count() <= 256, "{}", text.chars().count());
    assert!(text.chars().all(crate::model::fits_tag), "{text}");
    assert!(text.parse::<Lease>().is_ok_and(|read| read.until == u64::MAX && read.id == lease.id));
}

#[test]
fn whether_a_lease_is_in_the_way() {
    let held = |holder: Holder| Some(lease(holder).to_string());
    let judged = |now, tag: Option<String>, mine, alive| judge(now, tag.as_deref(), &mine, |_| alive);
    assert_eq!(judged(999, None, person(7), true), TagState::Free);
    let bob = Holder { owner: "bob@desk".into(), run: None, process: Some(7) };
    for (tag, mine, alive) in [
        (held(person(7)), bob, true),
        // Two terminals of one person are two deploys.
        (held(person(7)), person(8), true),
        (held(workflow("https://ci/runs/42")), workflow("https://ci/runs/43"), false),
        // The same user by hand, while a workflow run of his deploys.
        (held(workflow("https://ci/runs/42")), Holder { run: None, ..workflow("") }, false),
    ] {
        assert!(
            matches!(judged(999, tag.clone(), mine.clone(), alive), TagState::Held(_)),
            "{tag:?} {mine:?}"
        );
        assert!(matches!(judged(1_000, tag, mine, alive), TagState::Expired(_)));
    }
    for (tag, mine) in [
        (held(person(7)), person(8)),
        (held(workflow("https://ci/runs/42")), workflow("https://ci/runs/42")),
        (held(workflow("https://ci/runs/42?x=1&y")), workflow("https://ci/runs/42?x=1&y")),
    ] {
        assert!(
            matches!(judged(999, tag.clone(), mine.clone(), false), TagState::Ours(_)),
            "{tag:?} {mine:?}"
        );
    }
}

#[test]
fn a_tag_that_nobody_understands_frees_nothing() {
    for text in ["", "held by ann", "id=1 until=soon release=r by=ann", "id= until=5 release=r by=ann"] {
        assert_eq!(judge(u64::MAX, Some(text), &person(7), |_| false), TagState::Illegible(text.to_owned()));
    }
}

#[test]
fn an_expired_lease_is_not_reported_as_a_running_deploy() {
    let lease = lease(workflow("https://ci/runs/42"));
    assert_eq!(
        lease.sentence(900),
        "being deployed by octocat in https://ci/runs/42, release r-1; the lease holds for 100 s, and longer while that \
         run lives"
    );
    let ended =
        "the lease of octocat in https://ci/runs/42, release r-1, expired 0 s ago and was not given back";
    assert_eq!(lease.sentence(1_000), ended);
}
