//! The registry is not reached from the subnets of the task. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "image-unreachable";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(evidence, &["CannotPull", "can't pull"], &[])?;
    Some(Cause::open(
        CODE,
        format!("its image cannot be pulled: {reason}"),
        "check the way from the subnets to the registry: a NAT gateway, or VPC endpoints for ecr.api, ecr.dkr and s3",
    ))
}
