//! A container was killed for its memory: exit code 137 with reason `OutOfMemoryError`.
//!
//! Plain once two tasks were and no target of the deployment was ever healthy: then the program does not fit. One that ran
//! and filled up later may be a leak, and another task may live long enough.

use super::{Cause, Evidence, Exit, exits};

pub(super) const CODE: &str = "out-of-memory";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let killed = || exits(evidence).filter(|exit| exit.reason.contains("OutOfMemory"));
    let Exit { what, .. } = killed().next()?;
    let text = format!("{what} was killed for using more memory than the task has");
    let remedy = "raise `memory-mib`, or find the leak";
    if killed().count() >= 2 && !evidence.ever_healthy {
        Some(Cause::plain(CODE, text, remedy))
    } else {
        Some(Cause::open(CODE, text, remedy))
    }
}
