//! The percentages permit neither a start nor a stop. AWS tells it in a service event.

use super::{Cause, Evidence, said};

pub(super) const CODE: &str = "percent-deadlock";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    said(evidence, &["unable to stop or start tasks during a deployment"], &[])?;
    Some(Cause::plain(
        CODE,
        "ECS may neither start nor stop a task: `minimum-healthy-percent` and `maximum-percent` exclude each other at this count",
        "set `minimum-healthy-percent = 100` with `maximum-percent = 200`",
    ))
}
