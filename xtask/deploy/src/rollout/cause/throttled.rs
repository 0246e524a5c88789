//! AWS throttles what ECS does for the service. AWS tells it in a service event.

use super::{Cause, Evidence, said};

pub(super) const CODE: &str = "throttled";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = said(evidence, &["operations are being throttled"], &[])?;
    Some(Cause::open(CODE, format!("AWS throttles ECS itself: {reason}"), "wait; ECS tries again by itself"))
}
