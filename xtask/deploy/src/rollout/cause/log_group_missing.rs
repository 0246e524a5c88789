//! The log group does not exist or may not be written to. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "log-group-missing";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(
        evidence,
        &[
            "failed to validate logger args",
            "failed to initialize logging driver",
            "create stream has been retried",
            "log group",
        ],
        &[],
    )?;
    Some(Cause::plain(
        CODE,
        format!("its log cannot be opened: {reason}"),
        "check that the log group exists and that the execution role may write to it (logs:CreateLogStream, logs:PutLogEvents)",
    ))
}
