//! Which revisions are deregistered once there are more than `keep-revisions` of a family.

use super::{Action, Step};
use crate::history::PROVEN;
use crate::model::TaskDefinitionState;

/// A revision goes only while so many newer ones of its family were proven: the live one, and one to roll back to.
const PROVEN_KEPT: usize = 2;

/// The revisions beyond the newest `keep` that can go, oldest first.
///
/// `active` is every ACTIVE revision's ARN, newest first; `known` those that were read, the oldest ones among them;
/// `running` what any deployment of the environment still runs. What is not of this application, was not read, runs, or
/// is among the last proven ones, stays.
pub fn prune(
    app: &str,
    keep: usize,
    active: &[String],
    known: &[TaskDefinitionState],
    running: &[String],
) -> Vec<Step> {
    let surplus = active.iter().skip(keep).rev();
    let goes = |revision: &&TaskDefinitionState| {
        let is = |tag: &str| revision.tags.contains_key(tag);
        let ours = revision.tags.get("app").is_some_and(|of| of == app) && is("release");
        let newer = known
            .iter()
            .filter(|other| other.number() > revision.number() && other.tags.contains_key(PROVEN));
        ours && !running.contains(&revision.arn) && (!is(PROVEN) || newer.count() >= PROVEN_KEPT)
    };
    surplus
        .filter_map(|arn| known.iter().find(|revision| revision.arn == *arn))
        .filter(goes)
        .map(|revision| {
            let action = Action::DeregisterTaskDefinition { revision: revision.arn.clone() };
            Step::because(action, "more than keep-revisions")
        })
        .collect()
}
