//! The image is not in its registry. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "image-not-found";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(
        evidence,
        &["CannotPull", "can't pull"],
        &["not found", "does not exist", "repository-does-not-exist", "name unknown"],
    )?;
    Some(Cause::plain(
        CODE,
        format!("its image cannot be pulled: {reason}"),
        "push the image again: the tag or digest is not in the repository, or its lifecycle policy removed it",
    ))
}
