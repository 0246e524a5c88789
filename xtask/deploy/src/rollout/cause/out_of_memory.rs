//! A container was killed for its memory: exit code 137 with reason `OutOfMemoryError`.

use super::{Cause, Evidence, Exit, exits};

pub(super) const CODE: &str = "out-of-memory";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let Exit { what, .. } = exits(evidence).find(|exit| exit.reason.contains("OutOfMemory"))?;
    Some(Cause::open(
        CODE,
        format!("{what} was killed for using more memory than the task has"),
        "raise `memory-mib`, or find the leak",
    ))
}
