//! What served before a revision that was begun and not finished, or that does not stay up.

use std::collections::BTreeMap;

use super::fold::is_crashed;
use super::{Facts, Past, is_proven};
use crate::model::{ServiceKey, TaskDefinitionState};

/// The release to roll back to from what runs: the newest proven one that is older and runs something else.
pub fn last_good<'a>(releases: &'a [Past], facts: &'a Facts) -> Option<&'a Past> {
    older(releases, facts).find(|past| past.runs.iter().any(|(key, run)| differs(facts, key, &run.revision)))
}

/// The release to return to where these services run revisions that crashed: the newest proven one that is older than what
/// runs and has another revision for each of them. One release for all, because revisions of several may never have run
/// together.
pub fn past_crash<'a>(releases: &'a [Past], facts: &'a Facts, crashed: &[&ServiceKey]) -> Option<&'a Past> {
    older(releases, facts).find(|past| {
        crashed.iter().all(|key| past.runs.get(*key).is_some_and(|run| differs(facts, key, &run.revision)))
    })
}

/// The release that is what these services run, each its revision.
pub fn release_that_runs<'a>(releases: &'a [Past], runs: &BTreeMap<&ServiceKey, &str>) -> Option<&'a Past> {
    let is = |past: &&Past| {
        runs.iter().all(|(key, arn)| past.runs.get(*key).is_some_and(|run| run.revision == *arn))
    };
    releases.iter().find(is)
}

/// The proven releases before what runs, none of whose revisions crashed since, newest first. What runs is the newest release
/// of which anything runs: an old revision that somebody deployed by hand beside it makes it no older one.
fn older<'a>(releases: &'a [Past], facts: &'a Facts) -> impl Iterator<Item = &'a Past> {
    let runs =
        |past: &Past| past.runs.iter().any(|(key, run)| run.own && !differs(facts, key, &run.revision));
    let newest = releases.iter().position(runs);
    let older = newest.map_or(releases, |at| &releases[at + 1..]);
    let crashed = |key: &ServiceKey, arn: &str| {
        let revisions = facts.revisions.get(key).into_iter().flatten();
        revisions.filter(|it| it.arn == arn).any(is_crashed)
    };
    older
        .iter()
        .filter(move |past| past.proven && !past.runs.iter().any(|(key, run)| crashed(key, &run.revision)))
}

fn differs(facts: &Facts, key: &ServiceKey, revision: &str) -> bool {
    facts.live.get(key).is_none_or(|live| live != revision)
}

/// The active revision that a service ran to the satisfaction of all before `revision` came: the one whose deployment
/// succeeded last among the proven ones, or among all where none was ever proven. Where ECS lists no deployments, the
/// proven one that was registered last.
pub fn served_before<'a>(
    facts: &'a Facts,
    service: &ServiceKey,
    revision: &str,
) -> Option<&'a TaskDefinitionState> {
    let others = || facts.revisions.get(service).into_iter().flatten().filter(|it| it.arn != revision);
    let succeeded = |state: &&TaskDefinitionState| {
        let rolls =
            facts.rolls.iter().filter(|roll| roll.revision == state.arn && roll.status == "SUCCESSFUL");
        rolls.map(|roll| roll.created_ms).max()
    };
    let last = others().filter(|it| succeeded(it).is_some()).max_by_key(|it| (is_proven(it), succeeded(it)));
    last.or_else(|| others().filter(|it| is_proven(it)).max_by_key(|it| (it.registered_ms, it.number())))
}
