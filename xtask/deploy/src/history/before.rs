//! What served before a revision that was begun and not finished.

use super::{Facts, is_proven};
use crate::model::{ServiceKey, TaskDefinitionState};

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
