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
    let remedy = if line.contains("/tmp") {
        "set `tmp = true` for the container in deploy.toml: /tmp is then writable, and the rest stays read-only"
    } else {
        "set `readonly-root = false` for the container in deploy.toml, or let the application write below /tmp \
         and set `tmp = true`"
    };
    Some(Cause { plain: is_plain(evidence), ..Cause::open(CODE, text, remedy) })
}
