//! Revisions and service deployments to releases.

use std::collections::{BTreeMap, BTreeSet};

use super::{BEFORE_ROLL, CRASHED, Facts, Fate, PROVEN, Past, Run};
use crate::model::{ServiceKey, TaskDefinitionState};

/// The releases that the revisions' tags name, newest first.
///
/// Revisions without a `release` tag are somebody else's and belong to none.
pub fn history(facts: &Facts) -> Vec<Past> {
    let names: BTreeSet<&str> = facts.revisions.values().flatten().filter_map(release_of).collect();
    let mut releases: Vec<Past> = names.into_iter().filter_map(|name| past(facts, name)).collect();
    // Names begin with a time, so of two releases of one moment the later name is the newer one.
    releases.sort_by(|a, b| (b.at_ms, &b.release).cmp(&(a.at_ms, &a.release)));
    // Where the revisions of two releases both run, the newer release is the live one.
    let mut taken = false;
    for past in &mut releases {
        if past.is_live() && std::mem::replace(&mut taken, true) {
            past.fate = match past.fate {
                Fate::LiveCrashed => Fate::Crashed,
                _ if past.proven => Fate::Proven,
                _ => Fate::Unproven,
            };
        }
    }
    releases
}

fn release_of(revision: &TaskDefinitionState) -> Option<&str> {
    revision.tags.get("release").map(String::as_str)
}

/// Whether a revision was proven, and did not crash since: a proof after the crash counts. Both tags hold a time of one
/// format, RFC 3339 in UTC, so their order is that of their texts.
pub fn is_proven(revision: &TaskDefinitionState) -> bool {
    let (proven, crashed) = (revision.tags.get(PROVEN), revision.tags.get(CRASHED));
    proven.is_some_and(|proven| crashed.is_none_or(|crashed| proven > crashed))
}

/// Whether a revision was proven, and crashed since.
pub(super) fn is_crashed(revision: &TaskDefinitionState) -> bool {
    revision.tags.contains_key(PROVEN) && !is_proven(revision)
}

fn newest<'a>(revisions: impl Iterator<Item = &'a TaskDefinitionState>) -> Option<&'a TaskDefinitionState> {
    // Of two of one moment the higher number is the newer one.
    revisions.max_by_key(|revision| (revision.registered_ms, revision.number()))
}

fn past(facts: &Facts, name: &str) -> Option<Past> {
    let mut own: BTreeMap<&ServiceKey, &TaskDefinitionState> = BTreeMap::new();
    for (key, revisions) in &facts.revisions {
        let revision = newest(revisions.iter().filter(|revision| release_of(revision) == Some(name)));
        own.extend(revision.map(|revision| (key, revision)));
    }
    let first = own.values().min_by_key(|revision| revision.registered_ms)?;
    let (at_ms, tags) = (first.registered_ms, &first.tags);
    // A release is proven as a whole: one of its revisions that is not leaves it unproven.
    let proven = own.values().all(|revision| is_proven(revision));
    let crashed = own.values().any(|revision| is_crashed(revision));
    let mut runs = BTreeMap::new();
    for (key, revisions) in &facts.revisions {
        // A service that the release did not change has no revision of it: it ran the last proven one from before, also one that
        // crashed later.
        let ran = |it: &&TaskDefinitionState| it.tags.contains_key(PROVEN) && it.registered_ms < at_ms;
        let before = || newest(revisions.iter().filter(ran));
        let run =
            own.get(key).copied().map(|revision| run(revision, true)).or_else(|| Some(run(before()?, false)));
        runs.extend(run.map(|run| (key.clone(), run)));
    }
    let running = own.iter().filter(|(key, revision)| facts.live.get(**key) == Some(&revision.arn)).count();
    let live = running == own.len();
    Some(Past {
        release: name.to_owned(),
        fate: match fate(facts, own.values().map(|revision| revision.arn.as_str()), live, proven) {
            Fate::InProgress => Fate::InProgress,
            _ if live && crashed => Fate::LiveCrashed,
            _ if crashed => Fate::Crashed,
            _ if running > 0 && !live && !proven => Fate::LiveInPart,
            fate => fate,
        },
        proven,
        migrated: own.values().any(|revision| revision.tags.contains_key(BEFORE_ROLL)),
        at_ms,
        took_ms: took(facts, own.values().map(|revision| revision.arn.as_str()), at_ms),
        reason: own.values().find_map(|revision| reason(facts, &revision.arn)),
        commit: tags.get("commit").cloned(),
        dirty: tags.get("dirty").is_some_and(|dirty| dirty == "true"),
        actor: tags.get("actor").cloned().unwrap_or_default(),
        runs,
    })
}

fn run(revision: &TaskDefinitionState, own: bool) -> Run {
    Run { revision: revision.arn.clone(), digest: revision.digest(), own }
}

/// The first deployment of each revision is the release's own; a later one is a rollback's.
fn took<'a>(facts: &Facts, own: impl Iterator<Item = &'a str>, at_ms: u64) -> Option<u64> {
    let first =
        |arn| facts.rolls.iter().filter(|roll| roll.revision == arn).min_by_key(|roll| roll.created_ms);
    let ends: Option<Vec<u64>> = own.filter_map(first).map(|roll| roll.finished_ms).collect();
    Some(ends?.into_iter().max()?.saturating_sub(at_ms))
}

/// Why the last deployment of a revision did not stay.
fn reason(facts: &Facts, arn: &str) -> Option<String> {
    let last = facts.rolls.iter().filter(|roll| roll.revision == arn).max_by_key(|roll| roll.created_ms)?;
    let failed = matches!(of_status(&last.status), Fate::RolledBack | Fate::RollbackFailed | Fate::Stopped);
    last.reason.clone().filter(|_| failed)
}

/// The last deployment of each revision counts: what was rolled back may have been deployed again.
fn fate<'a>(facts: &Facts, own: impl Iterator<Item = &'a str>, live: bool, proven: bool) -> Fate {
    let last = |arn: &str| {
        let of = facts.rolls.iter().filter(|roll| roll.revision == arn);
        of.max_by_key(|roll| roll.created_ms).map(|roll| roll.status.as_str())
    };
    let fates: Vec<Fate> = own.filter_map(last).map(of_status).collect();
    let any = |fate: Fate| fates.contains(&fate);
    // Before the tags: a proven revision may be rolling out again, as a rollback does it.
    if any(Fate::InProgress) {
        return Fate::InProgress;
    }
    match (live, proven) {
        (true, true) => return Fate::Live,
        (false, true) => return Fate::Proven,
        _ => {}
    }
    let worst = [Fate::Unknown, Fate::RollbackFailed, Fate::RolledBack, Fate::Stopped];
    match worst.into_iter().find(|fate| any(*fate)) {
        Some(fate) => fate,
        None if live => Fate::LiveUnproven,
        None if fates.is_empty() => Fate::Unrolled,
        None => Fate::Unproven,
    }
}

/// ServiceDeploymentStatus (ECS API). A word that is not among them is unknown.
fn of_status(status: &str) -> Fate {
    match status {
        "PENDING" | "IN_PROGRESS" | "STOP_REQUESTED" | "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS" => {
            Fate::InProgress
        }
        "SUCCESSFUL" => Fate::Unproven,
        "STOPPED" => Fate::Stopped,
        "ROLLBACK_SUCCESSFUL" => Fate::RolledBack,
        "ROLLBACK_FAILED" => Fate::RollbackFailed,
        _ => Fate::Unknown,
    }
}
