//! The program is for another processor: `exec format error` in the log.

use super::{Cause, Evidence, Exit, exits};

pub(super) const CODE: &str = "exec-format";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let Exit { what, .. } = exits(evidence).find(|exit| {
        exit.code != 0 && evidence.log_tail.iter().any(|line| line.contains("exec format error"))
    })?;
    Some(Cause::plain(
        CODE,
        format!("{what} holds a program for another processor"),
        "build it for the `architecture` in deploy.toml",
    ))
}
