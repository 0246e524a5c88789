//! Fargate has no capacity now. AWS tells it in a service event.

use super::{Cause, Evidence, said};

pub(super) const CODE: &str = "capacity";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = said(evidence, &["unable to place a task"], &["Capacity is unavailable"])?;
    Some(Cause::open(
        CODE,
        format!("Fargate has no capacity at this time: {reason}"),
        "wait, or add subnets in other availability zones",
    ))
}
