//! Histories of few lines.

use std::collections::BTreeMap;

use super::*;
use crate::model::spec::TaskDefinitionSpec;
use crate::rollout::SERVICE_DEPLOYMENT_STATUSES;

fn key(name: &str) -> ServiceKey {
    ServiceKey(name.to_owned())
}

/// A revision `family:number` of a release, registered in the minute of its number.
fn revision(family: &str, number: u64, release: &str, proven: bool) -> TaskDefinitionState {
    let mut tags = BTreeMap::from([("release".to_owned(), release.to_owned())]);
    if proven {
        tags.insert(PROVEN.to_owned(), "2026-11-23T08:00:12Z".to_owned());
    }
    TaskDefinitionState {
        arn: format!("arn:aws:ecs:r:a:task-definition/{family}:{number}"),
        spec: TaskDefinitionSpec::default(),
        tags,
        registered_ms: number * 60_000,
        active: true,
    }
}

fn roll(family: &str, number: u64, status: &str) -> Roll {
    let revision = format!("arn:aws:ecs:r:a:task-definition/{family}:{number}");
    Roll { revision, status: status.to_owned(), created_ms: number * 60_000, ..Roll::default() }
}

fn facts(backend: Vec<TaskDefinitionState>, frontend: Vec<TaskDefinitionState>, live: [u64; 2]) -> Facts {
    let arn = |family: &str, number| format!("arn:aws:ecs:r:a:task-definition/{family}:{number}");
    Facts {
        revisions: [(key("backend"), backend), (key("frontend"), frontend)].into(),
        rolls: Vec::new(),
        live: [(key("backend"), arn("b", live[0])), (key("frontend"), arn("f", live[1]))].into(),
    }
}

fn fates(facts: &Facts) -> Vec<(String, Fate)> {
    history(facts).into_iter().map(|past| (past.release, past.fate)).collect()
}

/// Three releases: both services, the backend alone, the frontend alone.
fn three(live: [u64; 2]) -> Facts {
    facts(
        vec![revision("b", 1, "r1", true), revision("b", 2, "r2", true)],
        vec![revision("f", 1, "r1", true), revision("f", 3, "r3", true)],
        live,
    )
}

#[test]
fn a_release_of_one_service_runs_what_the_other_ran_before() {
    let releases = history(&three([2, 3]));
    let runs = |at: usize| {
        releases[at]
            .runs
            .values()
            .map(|run| (run.revision.rsplit('/').next().unwrap(), run.own))
            .collect::<Vec<_>>()
    };
    assert_eq!(runs(0), [("b:2", false), ("f:3", true)]);
    assert_eq!(runs(1), [("b:2", true), ("f:1", false)]);
    assert_eq!(runs(2), [("b:1", true), ("f:1", true)]);
    let fates: Vec<_> = releases.iter().map(|past| past.fate).collect();
    assert_eq!(fates, [Fate::Live, Fate::Proven, Fate::Proven]);
}

#[test]
fn going_back_twice_goes_two_releases_back_and_not_to_and_fro() {
    for (live, good) in [([2, 3], Some("r2")), ([2, 1], Some("r1")), ([1, 1], None)] {
        let facts = three(live);
        let releases = history(&facts);
        assert_eq!(last_good(&releases, &facts).map(|past| past.release.as_str()), good, "{live:?}");
    }
}

#[test]
fn a_release_that_was_never_proven_is_no_rollback_target() {
    let facts = facts(
        vec![revision("b", 1, "r1", true), revision("b", 2, "r2", false), revision("b", 3, "r3", false)],
        vec![revision("f", 1, "r1", true)],
        [3, 1],
    );
    let releases = history(&facts);
    assert_eq!(last_good(&releases, &facts).map(|past| past.release.as_str()), Some("r1"));
}

#[test]
fn a_proven_release_whose_tasks_crashed_later_is_no_rollback_target() {
    let mut facts = three([2, 3]);
    let frontend = facts.revisions.get_mut(&key("frontend")).unwrap();
    frontend[0].tags.insert(CRASHED.to_owned(), "2026-11-23T09:00:00Z".to_owned());
    let releases = history(&facts);
    assert_eq!(last_good(&releases, &facts).map(|past| past.release.as_str()), None);
    assert_eq!(releases[2].fate, Fate::Crashed);
    let frontend = facts.revisions.get_mut(&key("frontend")).unwrap();
    frontend[0].tags.insert(PROVEN.to_owned(), "2026-11-23T09:00:01Z".to_owned());
    let releases = history(&facts);
    assert_eq!(last_good(&releases, &facts).map(|past| past.release.as_str()), Some("r2"));
    assert_eq!(releases[2].fate, Fate::Proven, "a proof after the crash counts");
}

/// Three releases of both services; the backend's third revision crashed since, and somebody rolled its first one by hand.
fn crashed_after_a_rival() -> Facts {
    let of = |family: &str| (1..4).map(|n| revision(family, n, &format!("r{n}"), true)).collect::<Vec<_>>();
    let mut facts = facts(of("b"), of("f"), [3, 3]);
    facts.revisions.get_mut(&key("backend")).unwrap()[2]
        .tags
        .insert(CRASHED.into(), "2027-01-01T00:00:00Z".into());
    facts.rolls.push(Roll { created_ms: 9_000_000, ..roll("b", 1, "SUCCESSFUL") });
    facts
}

#[test]
fn what_crashed_is_left_for_the_newest_proven_release_and_not_for_what_somebody_rolled_by_hand() {
    let facts = crashed_after_a_rival();
    let releases = history(&facts);
    let good = past_crash(&releases, &facts, &[&key("backend")]).unwrap();
    assert_eq!(
        (&*good.release, &*good.runs[&key("backend")].revision),
        ("r2", "arn:aws:ecs:r:a:task-definition/b:2")
    );
    let (backend, frontend) = (key("backend"), key("frontend"));
    for (numbers, release) in [([2, 2], Some("r2")), ([2, 3], None), ([1, 3], None)] {
        let arns = [
            format!("arn:aws:ecs:r:a:task-definition/b:{}", numbers[0]),
            format!("arn:aws:ecs:r:a:task-definition/f:{}", numbers[1]),
        ];
        let runs = [(&backend, &*arns[0]), (&frontend, &*arns[1])].into();
        assert_eq!(release_that_runs(&releases, &runs).map(|past| &*past.release), release, "{numbers:?}");
    }
}

#[test]
fn a_pair_that_was_no_release_rolls_back_to_the_release_before_the_newest_of_it() {
    for live in [[3, 3], [2, 3], [1, 3]] {
        let mut facts = crashed_after_a_rival();
        facts.live = three([0, 0]).live;
        for (family, (key, number)) in
            ["b", "f"].into_iter().zip(["backend", "frontend"].into_iter().zip(live))
        {
            facts
                .live
                .insert(ServiceKey(key.into()), format!("arn:aws:ecs:r:a:task-definition/{family}:{number}"));
        }
        let releases = history(&facts);
        assert_eq!(last_good(&releases, &facts).map(|past| &*past.release), Some("r2"), "{live:?}");
    }
}

#[test]
fn a_release_is_no_rollback_target_where_what_it_left_as_it_was_crashed_since() {
    let mut facts = three([2, 3]);
    facts.revisions.get_mut(&key("backend")).unwrap()[1]
        .tags
        .insert(CRASHED.into(), "2027-01-01T00:00:00Z".into());
    facts.revisions.get_mut(&key("frontend")).unwrap().push(revision("f", 4, "r4", true));
    facts.live.insert(key("frontend"), "arn:aws:ecs:r:a:task-definition/f:4".into());
    let releases = history(&facts);
    assert_eq!(last_good(&releases, &facts).map(|past| &*past.release), Some("r1"));
}

#[test]
fn a_mixed_account_rolls_back_to_the_newest_proven_release() {
    let facts = three([9, 9]);
    let releases = history(&facts);
    assert_eq!(last_good(&releases, &facts).map(|past| past.release.as_str()), Some("r3"));
}

#[test]
fn the_last_deployment_of_a_revision_decides_what_became_of_it() {
    let mut facts =
        facts(vec![revision("b", 1, "r1", true), revision("b", 2, "r2", false)], Vec::new(), [1, 1]);
    for (status, fate) in [
        ("ROLLBACK_SUCCESSFUL", Fate::RolledBack),
        ("ROLLBACK_FAILED", Fate::RollbackFailed),
        ("STOPPED", Fate::Stopped),
        ("IN_PROGRESS", Fate::InProgress),
        ("SUCCESSFUL", Fate::Unproven),
        ("SOMETHING_NEW", Fate::Unknown),
    ] {
        facts.rolls = vec![roll("b", 2, status)];
        assert_eq!(fates(&facts)[0], ("r2".to_owned(), fate), "{status}");
    }
    facts.rolls.clear();
    assert_eq!(fates(&facts)[0].1, Fate::Unrolled);
}

#[test]
fn no_status_of_a_service_deployment_is_unknown_to_the_history() {
    let mut facts = facts(vec![revision("b", 2, "r2", false)], Vec::new(), [1, 1]);
    for status in SERVICE_DEPLOYMENT_STATUSES {
        facts.rolls = vec![roll("b", 2, status)];
        assert_ne!(fates(&facts)[0].1, Fate::Unknown, "{status}");
    }
}

#[test]
fn a_release_of_which_one_service_was_restored_and_the_other_was_not_is_live_in_part() {
    let both = |name: &str| vec![revision(name, 1, "r1", true), revision(name, 2, "r2", false)];
    let mut facts = facts(both("b"), both("f"), [2, 1]);
    facts.rolls = vec![roll("b", 2, "SUCCESSFUL"), roll("f", 2, "ROLLBACK_SUCCESSFUL")];
    let named = |fate| [("r2".to_owned(), fate), ("r1".to_owned(), Fate::Proven)];
    assert_eq!(fates(&facts), named(Fate::LiveInPart));
    facts.rolls[1].status = "IN_PROGRESS".to_owned();
    assert_eq!(fates(&facts), named(Fate::InProgress));
}

#[test]
fn a_release_says_how_long_it_took_and_why_ecs_took_it_back() {
    let ended = |roll: Roll, secs: u64| Roll { finished_ms: Some(roll.created_ms + secs * 1000), ..roll };
    let why = |roll: Roll| Roll { reason: Some("alarms".to_owned()), ..roll };
    let rolls = vec![
        ended(why(roll("b", 1, "SUCCESSFUL")), 70),
        ended(roll("f", 1, "SUCCESSFUL"), 90),
        ended(why(roll("b", 2, "ROLLBACK_SUCCESSFUL")), 30),
        why(roll("f", 3, "IN_PROGRESS")),
        // A rollback to the first release, hours later.
        ended(Roll { created_ms: 9_000_000, ..roll("b", 1, "SUCCESSFUL") }, 5),
    ];
    let releases = history(&Facts { rolls, ..three([1, 3]) });
    let of: Vec<_> = releases.iter().map(|past| (past.took_ms, past.reason.as_deref())).collect();
    assert_eq!(of, [(None, None), (Some(30_000), Some("alarms")), (Some(90_000), None)]);
    assert_eq!(history(&three([2, 3]))[0].took_ms, None, "ECS has forgotten");
}

/// Release `r2` of both services over `r1`: its tags, how its deployments ended, what runs now.
#[test]
fn tags_deployments_and_what_runs_give_a_release_one_fate() {
    const AT: &str = "2026-11-23T08:00:12Z";
    const LATER: &str = "2026-11-23T09:00:00Z";
    let cases = [
        (Some(AT), None, "SUCCESSFUL", [2, 2], Fate::Live),
        (None, None, "SUCCESSFUL", [2, 2], Fate::LiveUnproven),
        (None, None, "", [2, 2], Fate::LiveUnproven),
        (Some(AT), Some(LATER), "SUCCESSFUL", [2, 2], Fate::LiveCrashed),
        (Some(AT), Some(LATER), "SUCCESSFUL", [2, 1], Fate::Crashed),
        (Some(AT), Some(LATER), "SUCCESSFUL", [1, 1], Fate::Crashed),
        (Some(AT), Some(AT), "SUCCESSFUL", [1, 1], Fate::Crashed),
        (Some(LATER), Some(AT), "SUCCESSFUL", [1, 1], Fate::Proven),
        (Some(AT), Some(LATER), "IN_PROGRESS", [1, 1], Fate::InProgress),
        (None, None, "SUCCESSFUL", [2, 1], Fate::LiveInPart),
        (Some(AT), None, "SUCCESSFUL", [2, 1], Fate::Proven),
        (None, None, "ROLLBACK_FAILED", [2, 2], Fate::RollbackFailed),
        (None, None, "STOPPED", [1, 1], Fate::Stopped),
        (None, None, "SUCCESSFUL", [1, 1], Fate::Unproven),
        (None, None, "", [1, 1], Fate::Unrolled),
    ];
    for (proven, crashed, status, live, fate) in cases {
        let of = |family: &str| {
            let mut second = revision(family, 2, "r2", false);
            let tags = [(PROVEN, proven), (CRASHED, crashed)];
            second
                .tags
                .extend(tags.into_iter().filter_map(|(tag, at)| Some((tag.to_owned(), at?.to_owned()))));
            vec![revision(family, 1, "r1", true), second]
        };
        let rolls = ["b", "f"].map(|family| roll(family, 2, status));
        let rolls = rolls.into_iter().filter(|roll| !roll.status.is_empty()).collect();
        let found = fates(&Facts { rolls, ..facts(of("b"), of("f"), live) });
        assert_eq!(found[0], ("r2".to_owned(), fate), "{proven:?} {crashed:?} {status} {live:?}");
    }
}

#[test]
fn of_two_releases_that_run_the_older_one_is_called_what_it_was() {
    let later = ("crashed", "2026-11-23T09:00:00Z");
    for (proven, tag, fate) in
        [(true, None, Fate::Proven), (false, None, Fate::Unproven), (true, Some(later), Fate::Crashed)]
    {
        let mut first = revision("f", 1, "r1", proven);
        first.tags.extend(tag.map(|(name, at)| (name.to_owned(), at.to_owned())));
        let facts = facts(vec![revision("b", 2, "r2", true)], vec![first], [2, 1]);
        assert_eq!(fates(&facts), [("r2".to_owned(), Fate::Live), ("r1".to_owned(), fate)]);
    }
}

/// Somebody runs a backend that no release has: what the live release ran with it is no reason to roll back to itself.
#[test]
fn the_live_release_is_never_its_own_rollback_target() {
    let facts = three([9, 3]);
    let releases = history(&facts);
    assert_eq!((releases[0].fate, &releases[0].release[..]), (Fate::Live, "r3"));
    assert_eq!(last_good(&releases, &facts).map(|past| past.release.as_str()), Some("r2"));
}

#[test]
fn a_release_of_a_dirty_work_tree_says_so() {
    for (dirty, expected) in [(None, false), (Some("false"), false), (Some("true"), true)] {
        let mut only = revision("b", 1, "r1", true);
        only.tags.extend(dirty.map(|dirty| ("dirty".to_owned(), dirty.to_owned())));
        assert_eq!(history(&facts(vec![only], Vec::new(), [1, 1]))[0].dirty, expected);
    }
}

#[test]
fn revisions_of_somebody_else_are_no_release() {
    let mut stranger = revision("b", 5, "r5", false);
    stranger.tags.clear();
    let facts = facts(vec![stranger, revision("b", 1, "r1", true)], Vec::new(), [5, 1]);
    assert_eq!(fates(&facts), [("r1".to_owned(), Fate::Proven)]);
}

#[test]
fn what_served_before_is_what_ran_last_and_not_what_was_registered_last() {
    let revisions = |proven: [bool; 4]| {
        let of = |(number, proven): (u64, &bool)| revision("b", number, &format!("r{number}"), *proven);
        (1..).zip(&proven).map(of).collect::<Vec<_>>()
    };
    // 1 was gone back to from 3; then 4 was begun.
    let again = Roll { created_ms: 3_500_000, ..roll("b", 1, "SUCCESSFUL") };
    let rolls = [1, 2, 3].map(|number| roll("b", number, "SUCCESSFUL"));
    let rolls: Vec<_> = rolls.into_iter().chain([again, roll("b", 4, "IN_PROGRESS")]).collect();
    let before = |proven, rolls: &[Roll]| {
        let facts = Facts { rolls: rolls.to_vec(), ..facts(revisions(proven), Vec::new(), [4, 0]) };
        let live = facts.live[&key("backend")].clone();
        served_before(&facts, &key("backend"), &live).map(TaskDefinitionState::number)
    };
    assert_eq!(before([true, true, true, false], &rolls), Some(1));
    assert_eq!(before([false, true, false, false], &rolls), Some(2), "a proven one first");
    assert_eq!(before([false; 4], &rolls), Some(1), "none was proven");
    assert_eq!(before([true, true, false, false], &[]), Some(2), "ECS lists no deployments");
    assert_eq!(before([false; 4], &[]), None);
}

#[test]
fn what_ran_since_a_release_is_found_by_service_and_also_where_it_was_never_proven() {
    let migrated = |number, release| {
        let mut revision = revision("b", number, release, false);
        revision.tags.insert(BEFORE_ROLL.to_owned(), "2026-11-23T08:00:12Z".to_owned());
        revision
    };
    let mut facts = three([2, 3]);
    let backend = facts.revisions.get_mut(&key("backend")).unwrap();
    backend[0] = TaskDefinitionState { tags: migrated(1, "r1").tags, ..backend[0].clone() };
    backend.push(migrated(3, "r4"));
    let releases = history(&facts);
    let since = |name: &str| {
        let past = releases.iter().find(|past| past.release == name).unwrap();
        ran_since(&facts, past).iter().map(|revision| revision.name()).collect::<Vec<_>>()
    };
    assert_eq!(since("r2"), ["b:3"]);
    assert_eq!(since("r4"), [""; 0]);
    let marked: Vec<_> =
        releases.iter().filter(|past| past.migrated).map(|past| past.release.as_str()).collect();
    assert_eq!(marked, ["r4", "r1"]);
}
