//! A container writes to its root file system, which is read-only: EROFS in the log.

use super::exits_at_start::is_plain;
use super::{Cause, Evidence, exits};

pub(super) const CODE: &str = "readonly-root";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let exit = exits(evidence).next()?;
    let refused = |line: &&String| {
        line.to_ascii_lowercase().contains("read-only file system") || line.contains("EROFS")
    };
    let line = evidence.log_tail.iter().find(refused)?.trim();
    let text = format!(
        "{} exited with code {}: its root file system is read-only; it said: {line}",
        exit.what, exit.code
    );
    let remedy =
        "set `readonly-root = false` for the container in deploy.toml, or let the application write nothing";
    Some(Cause { plain: is_plain(evidence), ..Cause::open(CODE, text, remedy) })
}
