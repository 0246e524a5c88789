//! A task could not be launched or placed for a reason that has no row of its own. AWS tells it in a service event.

use super::{Cause, Evidence, said};

pub(super) const CODE: &str = "launch-failed";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = said(
        evidence,
        &["failed to launch a task", "unable to place a task", "unable to consistently start tasks"],
        &[],
    )?;
    Some(Cause::open(
        CODE,
        format!("ECS cannot start tasks: {reason}"),
        "see the reason; `aws ecs describe-services` shows the events",
    ))
}
