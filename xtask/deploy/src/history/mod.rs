//! What was released before, and what became of it.
//!
//! There is no release record but AWS's own: revisions carry the tags of the release that registered them
//! ([`crate::plan::release_tags`]) and [`PROVEN`] once it was proven; service deployments record how they ended, for
//! as long as ECS keeps them (90 days).

mod before;
mod fold;
mod past;
#[cfg(test)]
mod tests;

pub use before::{last_good, past_crash, release_that_runs, served_before};
pub use fold::{history, is_proven};
pub use past::{Fate, Past, Run};

use std::collections::BTreeMap;

use crate::model::{ServiceKey, TaskDefinitionState};

/// The tag of a revision that was proven to run: when that was, RFC 3339.
pub const PROVEN: &str = "proven";

/// The tag of a proven revision whose tasks stopped by themselves later: when that was, RFC 3339. No rollback and no
/// undo chooses it until it is proven again.
pub const CRASHED: &str = "crashed";

/// The tag of a revision whose task before the roll has run: when that was, RFC 3339.
pub const BEFORE_ROLL: &str = "before-roll";

/// What the account records of former releases.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Revisions of each service's family, in any order.
    pub revisions: BTreeMap<ServiceKey, Vec<TaskDefinitionState>>,
    /// The service deployments that ECS remembers, in any order.
    pub rolls: Vec<Roll>,
    /// The revision that each service's PRIMARY deployment runs, by ARN.
    pub live: BTreeMap<ServiceKey, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// The revision that it brought, by ARN.
    pub revision: String,
    pub status: String,
    /// Why it is in that status, in ECS's words.
    pub reason: Option<String>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it ended; `None` while it has not.
    pub finished_ms: Option<u64>,
}

/// Revisions that came after those of `past` and whose task before the roll has run: what it changed, such as a database, the
/// older application may not know.
pub fn ran_since<'a>(facts: &'a Facts, past: &Past) -> Vec<&'a TaskDefinitionState> {
    let since = |(key, run): (&ServiceKey, &Run)| {
        let revisions = facts.revisions.get(key).map(Vec::as_slice).unwrap_or_default();
        let at = revisions.iter().find(|it| it.arn == run.revision).map_or(0, TaskDefinitionState::number);
        revisions.iter().filter(move |it| it.number() > at && it.tags.contains_key(BEFORE_ROLL))
    };
    past.runs.iter().flat_map(since).collect()
}
