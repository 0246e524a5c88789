//! A container exits by itself soon after its start, with its last words in the log.
//!
//! Plain once two tasks did so and no target of the deployment was ever healthy: one exit may be an accident.

use super::{Cause, Evidence, exits};

pub(super) const CODE: &str = "exits-at-start";

/// A task that ran longer than this did start; one that never came to RUNNING has no time at all.
const START_MS: u64 = 60_000;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let first = exits(evidence).next()?;
    let last = evidence.log_tail.last().map(|line| format!("; its last line: {line}")).unwrap_or_default();
    let text = format!("{} exited with code {}{last}", first.what, first.code);
    let remedy = "the log lines say why; fix that and deploy again";
    let early = exits(evidence).filter(|exit| exit.ran_ms.is_none_or(|ran| ran < START_MS)).count();
    if early >= 2 && !evidence.ever_healthy {
        Some(Cause::plain(CODE, text, remedy))
    } else {
        Some(Cause::open(CODE, text, remedy))
    }
}
