//! A task failed to start for a reason that has no row of its own. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "never-started";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(evidence, &[""], &[])?;
    Some(Cause::open(
        CODE,
        format!("it never started: {reason}"),
        "see the reason; `aws ecs describe-tasks` shows the task for an hour",
    ))
}
