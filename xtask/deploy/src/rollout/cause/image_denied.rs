//! The execution role may not pull the image. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "image-denied";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(
        evidence,
        &["CannotPull", "can't pull"],
        &["AccessDenied", "not authorized", "403", "using the task execution role", "denied"],
    )?;
    Some(Cause::plain(
        CODE,
        format!("its image may not be pulled: {reason}"),
        "let the execution role pull it: `ecr:GetAuthorizationToken`, `ecr:BatchGetImage`, `ecr:GetDownloadUrlForLayer`",
    ))
}
