//! A secret does not exist, has no such key, or may not be read. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "secret-missing";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(
        evidence,
        &["secret", "ssm"],
        &[
            "ResourceNotFound",
            "AccessDenied",
            "not authorized",
            "did not contain json key",
            "invalid parameters",
            "can't find the specified secret",
        ],
    )?;
    Some(Cause::plain(
        CODE,
        format!("a secret cannot be read: {reason}"),
        "check that each secret and its JSON key exist and that the execution role may read them (secretsmanager, ssm, kms)",
    ))
}
