//! The image holds no manifest for the processor of the task. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "wrong-platform";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(
        evidence,
        &["CannotPull", "can't pull"],
        &["matching platform", "matching manifest"],
    )?;
    Some(Cause::plain(
        CODE,
        format!("its image is for another processor: {reason}"),
        "build the image for the `architecture` that deploy.toml names, or change `architecture`",
    ))
}
