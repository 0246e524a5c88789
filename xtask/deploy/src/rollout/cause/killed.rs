//! A container ended by SIGKILL without lack of memory: it did not stop within `stopTimeout`, exit code 137.

use super::{Cause, Evidence, Exit, exits};

pub(super) const CODE: &str = "killed";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let Exit { what, .. } =
        exits(evidence).find(|exit| exit.code == 137 && !exit.reason.contains("OutOfMemory"))?;
    Some(Cause::open(
        CODE,
        format!("{what} was killed: it did not stop in time, or something on its host ended it"),
        "let the program end on SIGTERM, or raise `stop-timeout-secs`",
    ))
}
