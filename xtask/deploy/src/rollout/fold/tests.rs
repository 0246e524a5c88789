//! Each case is a sequence of reads and the verdict that it must give.

use super::*;

fn deployment(id: &str, status: &str, rollout: Option<&str>) -> DeploymentSnapshot {
    DeploymentSnapshot {
        id: id.into(),
        status: status.into(),
        rollout_state: rollout.map(str::to_owned),
        task_definition: format!("td-of-{id}"),
        desired: 2,
        ..Default::default()
    }
}

fn service(deployments: Vec<DeploymentSnapshot>) -> ServiceSnapshot {
    ServiceSnapshot { status: "ACTIVE".into(), deployments, ..Default::default() }
}

fn sd(status: &str) -> Option<ServiceDeploymentSnapshot> {
    Some(ServiceDeploymentSnapshot { status: status.into(), ..Default::default() })
}

type Read = (ServiceSnapshot, Option<ServiceDeploymentSnapshot>);

fn last(reads: Vec<Read>) -> Progress {
    let mut rollout = Rollout::new("ours");
    let mut progress = Progress::NotSeenYet;
    for (service, ours) in reads {
        progress = rollout.fold(&service, ours.as_ref());
    }
    progress
}

/// The outcome when the last read is read again and says the same.
fn outcome(mut reads: Vec<Read>) -> Option<Outcome> {
    for _ in 1..LOOKS {
        reads.extend(reads.last().cloned());
    }
    match last(reads) {
        Progress::Settled(verdict) => Some(verdict.outcome),
        _ => None,
    }
}

fn moving_read() -> Read {
    let ours = deployment("ours", "PRIMARY", Some("IN_PROGRESS"));
    (service(vec![ours, deployment("old", "ACTIVE", Some("COMPLETED"))]), sd("IN_PROGRESS"))
}

#[test]
fn a_stale_read_of_the_old_release_is_not_our_success() {
    let stale = (service(vec![deployment("old", "PRIMARY", Some("COMPLETED"))]), sd("SUCCESSFUL"));
    assert_eq!(last(vec![stale]), Progress::NotSeenYet);
}

#[test]
fn a_missing_service_right_after_its_creation_is_not_a_failure() {
    let missing = ServiceSnapshot { status: "MISSING".into(), ..Default::default() };
    assert_eq!(last(vec![(missing, None)]), Progress::NotSeenYet);
}

#[test]
fn success_is_our_own_deployment_completed_in_both_views() {
    let done = service(vec![deployment("ours", "PRIMARY", Some("COMPLETED"))]);
    assert_eq!(outcome(vec![moving_read(), (done.clone(), sd("SUCCESSFUL"))]), Some(Outcome::Succeeded));
    assert_eq!(outcome(vec![moving_read(), (done.clone(), None)]), Some(Outcome::Succeeded));
    assert_eq!(outcome(vec![moving_read(), (done, sd("IN_PROGRESS"))]), None);
}

#[test]
fn a_completed_rollback_is_never_reported_as_success() {
    let tripped = service(vec![
        deployment("back", "PRIMARY", Some("IN_PROGRESS")),
        deployment("ours", "ACTIVE", Some("FAILED")),
    ]);
    let back = service(vec![deployment("back", "PRIMARY", Some("COMPLETED"))]);
    assert_eq!(outcome(vec![moving_read(), (tripped.clone(), sd("ROLLBACK_IN_PROGRESS"))]), None);
    let with = vec![
        moving_read(),
        (tripped.clone(), sd("ROLLBACK_IN_PROGRESS")),
        (back.clone(), sd("ROLLBACK_SUCCESSFUL")),
    ];
    assert_eq!(outcome(with), Some(Outcome::RolledBack));
    assert_eq!(outcome(vec![moving_read(), (tripped, None), (back, None)]), Some(Outcome::RolledBack));
}

#[test]
fn a_breaker_without_rollback_fails() {
    let failed = service(vec![deployment("ours", "PRIMARY", Some("FAILED"))]);
    assert_eq!(outcome(vec![moving_read(), (failed.clone(), sd("STOPPED"))]), Some(Outcome::Failed));
    assert_eq!(outcome(vec![moving_read(), (failed, None)]), Some(Outcome::Failed));
}

#[test]
fn a_newer_deploy_supersedes_ours_and_is_named() {
    let newer = service(vec![
        deployment("newer", "PRIMARY", Some("IN_PROGRESS")),
        deployment("ours", "ACTIVE", Some("IN_PROGRESS")),
    ]);
    let expected = Outcome::Superseded {
        by: "newer".into(),
        task_definition: "td-of-newer".into(),
        who: None,
        release: None,
        forced: false,
    };
    assert_eq!(outcome(vec![moving_read(), (newer.clone(), sd("STOPPED"))]), Some(expected.clone()));
    assert_eq!(outcome(vec![moving_read(), (newer, None)]), Some(expected));
}

#[test]
fn reads_that_go_backwards_end_nothing() {
    let aged = |id: &str, status: &str, created_ms| DeploymentSnapshot {
        created_ms,
        ..deployment(id, status, Some("IN_PROGRESS"))
    };
    let ours = (service(vec![aged("ours", "PRIMARY", 9), aged("old", "ACTIVE", 5)]), sd("IN_PROGRESS"));
    let missing = (ServiceSnapshot { status: "MISSING".into(), ..Default::default() }, None);
    let older = service(vec![aged("old", "PRIMARY", 5)]);
    let newer = service(vec![aged("newer", "PRIMARY", 12), aged("ours", "ACTIVE", 9)]);
    let stale = [
        vec![missing.clone()],
        vec![missing.clone(), ours.clone(), missing.clone(), missing],
        vec![(newer.clone(), None)],
        vec![(newer.clone(), sd("STOPPED")), ours.clone(), (newer.clone(), sd("STOPPED"))],
        vec![(older.clone(), None); 9],
        vec![(older, sd("STOPPED")); 9],
        vec![(newer, sd("IN_PROGRESS")); 9],
    ];
    for reads in stale {
        let all = [vec![ours.clone()], reads].concat();
        assert_eq!(last(all.clone()), Progress::NotSeenYet, "{all:#?}");
    }
}

#[test]
fn a_newer_deploy_after_our_success_does_not_undo_it() {
    let newer = service(vec![deployment("newer", "PRIMARY", Some("IN_PROGRESS"))]);
    assert_eq!(outcome(vec![moving_read(), (newer, sd("SUCCESSFUL"))]), Some(Outcome::Succeeded));
}

#[test]
fn a_state_that_aws_added_later_is_unknown() {
    let odd = service(vec![deployment("ours", "PRIMARY", Some("PONDERING"))]);
    assert_eq!(outcome(vec![moving_read(), (odd, None)]), Some(Outcome::Unknown));
    let done = service(vec![deployment("ours", "PRIMARY", Some("COMPLETED"))]);
    assert_eq!(outcome(vec![moving_read(), (done, sd("PONDERING"))]), Some(Outcome::Unknown));
    let elsewhere = service(vec![deployment("other", "PRIMARY", Some("COMPLETED"))]);
    assert_eq!(outcome(vec![moving_read(), (elsewhere, sd("PONDERING"))]), Some(Outcome::Unknown));
}

#[test]
fn a_service_deleted_during_the_roll_is_reported_as_deleted() {
    let gone = ServiceSnapshot { status: "DRAINING".into(), ..Default::default() };
    assert_eq!(outcome(vec![moving_read(), (gone, None)]), Some(Outcome::Deleted));
}

#[test]
fn no_two_words_but_the_two_of_success_are_a_success() {
    for state in super::super::ROLLOUT_STATES {
        for status in super::super::SERVICE_DEPLOYMENT_STATUSES {
            for by in ["ours", "other"] {
                let mut list = vec![deployment(by, "PRIMARY", Some(state))];
                if by == "other" {
                    list.push(deployment("ours", "ACTIVE", Some(state)));
                }
                let outcome = outcome(vec![moving_read(), (service(list), sd(status))]);
                let success = status == "SUCCESSFUL" && (state == "COMPLETED" || by == "other");
                assert_eq!(
                    outcome == Some(Outcome::Succeeded),
                    success,
                    "{by} {state} {status}: {outcome:?}"
                );
                // A word that the fold knows never ends in `unknown`, but for two that contradict each other.
                if outcome == Some(Outcome::Unknown) {
                    assert_eq!((by, state), ("ours", "COMPLETED"), "{status}");
                }
            }
        }
    }
}

/// A service deployment that ended in `status` with the circuit breaker in the state `breaker`.
fn ended(status: &str, breaker: &str) -> Option<ServiceDeploymentSnapshot> {
    sd(status).map(|ended| ServiceDeploymentSnapshot { breaker_status: Some(breaker.into()), ..ended })
}

#[test]
fn a_person_who_stops_a_release_is_not_called_a_circuit_breaker() {
    let back = service(vec![
        deployment("back", "PRIMARY", Some("COMPLETED")),
        deployment("ours", "ACTIVE", Some("FAILED")),
    ]);
    let cases = [
        ("TRIGGERED", false, Outcome::RolledBack),
        ("MONITORING", true, Outcome::RolledBack),
        ("MONITORING", false, Outcome::Stopped { back: true }),
        ("DISABLED", false, Outcome::Stopped { back: true }),
        ("PONDERING", false, Outcome::RolledBack),
    ];
    for (breaker, asked, expected) in cases {
        let mut rollout = Rollout::new("ours");
        if asked {
            rollout.asked_to_stop();
        }
        rollout.fold(&moving_read().0, moving_read().1.as_ref());
        let progress = rollout.fold(&back, ended("ROLLBACK_SUCCESSFUL", breaker).as_ref());
        let Progress::Settled(verdict) = progress else { panic!("{breaker}: {progress:?}") };
        assert_eq!(verdict.outcome, expected, "{breaker}, asked {asked}");
    }
}

/// Two views of one moment differ: the service deployment is STOPPED already, and the rollback's own deployment shows its end.
#[test]
fn a_stop_that_this_tool_asked_for_is_never_called_somebody_else_s() {
    let ends = [("COMPLETED", Outcome::RolledBack), ("FAILED", Outcome::Failed)];
    for (state, expected) in ends {
        let moving = service(vec![
            deployment("back", "PRIMARY", Some("IN_PROGRESS")),
            deployment("ours", "ACTIVE", Some("FAILED")),
        ]);
        let over = service(vec![
            deployment("back", "PRIMARY", Some(state)),
            deployment("ours", "ACTIVE", Some("FAILED")),
        ]);
        let mut rollout = Rollout::new("ours");
        rollout.asked_to_stop();
        rollout.fold(&moving_read().0, moving_read().1.as_ref());
        rollout.fold(&moving, sd("ROLLBACK_IN_PROGRESS").as_ref());
        let progress = rollout.fold(&over, sd("STOPPED").as_ref());
        let Progress::Settled(verdict) = progress else { panic!("{state}: {progress:?}") };
        assert_eq!(verdict.outcome, expected);
    }
}

#[test]
fn a_first_release_that_a_person_stops_is_not_called_recovered() {
    let failed = service(vec![deployment("ours", "PRIMARY", Some("FAILED"))]);
    let stopped = vec![moving_read(), (failed.clone(), ended("STOPPED", "MONITORING"))];
    assert_eq!(outcome(stopped), Some(Outcome::Stopped { back: false }));
    assert_eq!(outcome(vec![moving_read(), (failed, ended("STOPPED", "TRIGGERED"))]), Some(Outcome::Failed));
}

#[test]
fn a_stop_whose_rollback_is_in_progress_is_not_over() {
    let moving = service(vec![
        deployment("back", "PRIMARY", Some("IN_PROGRESS")),
        deployment("ours", "ACTIVE", Some("FAILED")),
    ]);
    assert_eq!(outcome(vec![moving_read(), (moving, sd("STOPPED"))]), None);
}

#[test]
fn a_rollback_that_a_killed_run_left_is_followed_to_its_own_success() {
    let fold = |mut rollout: Rollout, reads: [(&'static str, &str); 3]| {
        let fold = |(state, status)| {
            let back = deployment("back", "PRIMARY", Some(state));
            rollout.fold(&service(vec![back]), sd(status).as_ref())
        };
        reads.map(fold).into_iter().last()
    };
    let ends = [
        ("IN_PROGRESS", "ROLLBACK_IN_PROGRESS"),
        ("COMPLETED", "ROLLBACK_IN_PROGRESS"),
        ("COMPLETED", "ROLLBACK_SUCCESSFUL"),
    ];
    let succeeded = settled(Outcome::Succeeded, None);
    assert_eq!(fold(Rollout::adopted("back"), ends), Some(succeeded.clone()));
    assert_ne!(fold(Rollout::new("back"), ends), Some(succeeded), "no deployment of ours ends like this");
    let fails = [ends[0], ends[0], ("FAILED", "ROLLBACK_FAILED")];
    assert_eq!(fold(Rollout::adopted("back"), fails), Some(settled(Outcome::Failed, None)));
}

#[test]
fn a_replica_that_does_not_know_the_service_deletes_no_release_that_its_own_deployment_shows() {
    let missing = |ours| (ServiceSnapshot { status: "MISSING".into(), ..Default::default() }, ours);
    for status in ["PENDING", "IN_PROGRESS", "SUCCESSFUL", "ROLLBACK_IN_PROGRESS"] {
        let mut reads = vec![moving_read()];
        reads.resize(30, missing(sd(status)));
        assert_eq!(last(reads), Progress::NotSeenYet, "{status}");
    }
    // Without a service deployment it takes many looks, as a replica may lag for seconds.
    let outcome_after = |looks: u32| {
        let mut reads = vec![moving_read()];
        reads.resize(1 + looks as usize, missing(None));
        last(reads)
    };
    assert_eq!(outcome_after(LOOKS_MISSING - 1), Progress::NotSeenYet);
    assert!(matches!(
        outcome_after(LOOKS_MISSING),
        Progress::Settled(Verdict { outcome: Outcome::Deleted, .. })
    ));
}
