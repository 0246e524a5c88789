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
fn a_missing_service_right_after_its_creation_is_not_a_failure() {
    let missing = ServiceSnapshot { status: "MISSING".into(), ..Default::default() };
    assert_eq!(last(vec![(missing, None)]), Progress::NotSeenYet);
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

/// A script: what each read shows, and what the fold makes of it.
///
/// `ours FAILED, old COMPLETED | STOPPED TRIGGERED => …` is a read of two deployments, the first of them PRIMARY, and of our service
/// deployment with its circuit breaker; `-` is no state, `#DRAINING` the status of the service. `asked` is our request to stop.
fn play(name: &str, mut rollout: Rollout, script: &str) {
    let followed = rollout.deployment().to_owned();
    assert_eq!(followed, if name.starts_with("adopted") { "back" } else { "ours" });
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((read, expected)) = line.split_once(" => ") else {
            assert_eq!(line, "asked");
            rollout.asked_to_stop();
            continue;
        };
        let (listed, ours) = read.split_once(" | ").unwrap_or((read, ""));
        let service = match listed.strip_prefix('#') {
            Some(status) => ServiceSnapshot { status: status.into(), ..service(Vec::new()) },
            None => service(listed.split(", ").zip(["PRIMARY", "ACTIVE"]).map(one).collect()),
        };
        let ours = ours.split_once(' ').map_or_else(|| sd(ours), |(status, breaker)| ended(status, breaker));
        let ours = ours.filter(|ours| !ours.status.is_empty()).map(|ours| ServiceDeploymentSnapshot {
            reason: Some(format!("was {}", ours.status)),
            rollback_reason: ours.status.starts_with("ROLLBACK_").then(|| "alarm".to_owned()),
            ..ours
        });
        assert_eq!(words(&rollout.fold(&service, ours.as_ref())), expected, "{name}: {line}");
    }
}

fn one((text, status): (&str, &str)) -> DeploymentSnapshot {
    let (id, state) = text.split_once(' ').unwrap();
    let reason = Some(text.to_owned());
    DeploymentSnapshot {
        rollout_reason: reason,
        ..deployment(id, status, Some(state).filter(|state| *state != "-"))
    }
}

fn words(progress: &Progress) -> String {
    let why = |reason: &Option<String>| reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    match progress {
        Progress::NotSeenYet => "not seen".to_owned(),
        Progress::Moving { .. } => "moving".to_owned(),
        Progress::RollingBack { reason } => format!("rolling back{}", why(reason)),
        Progress::Settled(Verdict { outcome, reason }) => {
            let is = [(outcome.is_success(), " (success)"), (outcome.is_back(), " (back)")];
            let is: String = is.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
            format!("{}{is}{}", outcome.word(), why(reason))
        }
    }
}

#[test]
fn every_read_of_a_scripted_rollout_says_what_is_known_and_no_more() {
    let scripts = [
        (
            "a stale read of the old release is not our success",
            "old COMPLETED | SUCCESSFUL => not seen
             ours IN_PROGRESS, old COMPLETED | PENDING => moving
             ours -, old COMPLETED => moving
             ours COMPLETED | IN_PROGRESS => moving
             ours COMPLETED | STOP_REQUESTED => moving
             ours COMPLETED | SUCCESSFUL => completed (success): ours COMPLETED
             newer IN_PROGRESS, ours COMPLETED | SUCCESSFUL => completed (success)",
        ),
        ("an endpoint without service deployments", "ours COMPLETED => completed (success): ours COMPLETED"),
        (
            "the breaker trips before its rollback is listed",
            "ours IN_PROGRESS, old COMPLETED | IN_PROGRESS => moving
             ours IN_PROGRESS, old COMPLETED | ROLLBACK_IN_PROGRESS => rolling back: was ROLLBACK_IN_PROGRESS
             ours COMPLETED | ROLLBACK_REQUESTED => rolling back: was ROLLBACK_REQUESTED
             ours FAILED, old COMPLETED | IN_PROGRESS => rolling back: ours FAILED
             ours FAILED, old COMPLETED | ROLLBACK_REQUESTED => rolling back: ours FAILED
             ours FAILED, old COMPLETED | ROLLBACK_IN_PROGRESS => rolling back: ours FAILED
             ours FAILED, old COMPLETED | STOP_REQUESTED => rolling back: ours FAILED
             back IN_PROGRESS, ours FAILED | IN_PROGRESS => rolling back: ours FAILED
             back IN_PROGRESS, ours FAILED | ROLLBACK_IN_PROGRESS => rolling back: alarm
             back COMPLETED, ours FAILED | IN_PROGRESS => rolled back (back): ours FAILED
             back COMPLETED, ours FAILED | ROLLBACK_SUCCESSFUL => rolled back (back): alarm
             back FAILED, ours FAILED | ROLLBACK_FAILED => failed: alarm",
        ),
        (
            "a breaker without rollback, and without service deployments",
            "ours IN_PROGRESS => moving
             ours FAILED | STOPPED => failed: ours FAILED
             ours FAILED => failed: ours FAILED",
        ),
        (
            "a rollback by deployments alone",
            "ours IN_PROGRESS, old COMPLETED => moving
             back IN_PROGRESS, ours FAILED => rolling back: ours FAILED
             back -, ours FAILED => rolling back: ours FAILED
             back FAILED => failed: ours FAILED
             back PONDERING => unknown: PONDERING
             back COMPLETED => rolled back (back): ours FAILED",
        ),
        (
            "somebody deploys over a rollback",
            "ours IN_PROGRESS, old COMPLETED => moving
             back IN_PROGRESS, ours FAILED => rolling back: ours FAILED
             newer IN_PROGRESS, ours FAILED => not seen
             newer IN_PROGRESS, ours FAILED => not seen
             newer IN_PROGRESS, ours FAILED => superseded",
        ),
        (
            "somebody deploys over ours",
            "ours IN_PROGRESS, old COMPLETED | IN_PROGRESS => moving
             newer IN_PROGRESS, ours IN_PROGRESS | IN_PROGRESS => not seen
             newer IN_PROGRESS, ours IN_PROGRESS | STOP_REQUESTED => not seen
             newer IN_PROGRESS, ours IN_PROGRESS | STOPPED => not seen
             newer IN_PROGRESS | STOPPED => superseded: was STOPPED",
        ),
        (
            "somebody stops ours",
            "ours IN_PROGRESS, old COMPLETED | IN_PROGRESS => moving
             ours FAILED | STOPPED MONITORING => stopped by somebody: was STOPPED
             ours FAILED | STOPPED TRIGGERED => failed: ours FAILED
             back IN_PROGRESS, ours FAILED | STOPPED => rolling back: was STOPPED
             back FAILED, ours FAILED | STOPPED => stopped by somebody: was STOPPED
             back COMPLETED, ours FAILED | STOPPED => stopped by somebody (back): was STOPPED",
        ),
        (
            "a stop that this tool asked for is never called somebody else's",
            "ours IN_PROGRESS, old COMPLETED | IN_PROGRESS => moving
             asked
             ours FAILED | STOPPED MONITORING => failed: ours FAILED
             back IN_PROGRESS, ours FAILED | STOPPED => rolling back: was STOPPED
             back FAILED, ours FAILED | STOPPED => failed: was STOPPED
             back COMPLETED, ours FAILED | STOPPED => rolled back (back): was STOPPED",
        ),
        (
            "words that AWS added later are unknown",
            "ours PONDERING => unknown: PONDERING
             ours COMPLETED | PONDERING => unknown: PONDERING
             other COMPLETED | PONDERING => unknown: PONDERING
             #PONDERING => unknown: PONDERING",
        ),
        (
            "the service is deleted",
            "ours IN_PROGRESS | IN_PROGRESS => moving
             #DRAINING => not seen
             #DRAINING => not seen
             #INACTIVE => deleted: INACTIVE",
        ),
    ];
    for (name, script) in scripts {
        play(name, Rollout::new("ours"), script);
    }
    play(
        "adopted: the rollback of a killed run",
        Rollout::adopted("back"),
        "back IN_PROGRESS | ROLLBACK_IN_PROGRESS => rolling back: was ROLLBACK_IN_PROGRESS
         back COMPLETED | ROLLBACK_IN_PROGRESS => rolling back: was ROLLBACK_IN_PROGRESS
         back COMPLETED | ROLLBACK_SUCCESSFUL => completed (success): back COMPLETED
         back FAILED | ROLLBACK_FAILED => failed: back FAILED",
    );
}
