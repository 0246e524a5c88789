//! Secrets Manager, SSM or ECR is not reached from the subnets of the task. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "secret-unreachable";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(evidence, &["unable to pull secrets or registry auth", "secret"], &[])?;
    Some(Cause::open(
        CODE,
        format!("secrets or registry credentials cannot be fetched: {reason}"),
        "check the way from the subnets to AWS: a NAT gateway, or VPC endpoints for secretsmanager, ssm, ecr.api and ecr.dkr",
    ))
}
