//! The account has no vCPUs left for Fargate. AWS tells it in a service event.

use super::{Cause, Evidence, said};

pub(super) const CODE: &str = "vcpu-limit";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = said(evidence, &["unable to place a task"], &["limit on the number of vCPUs"])?;
    Some(Cause::open(
        CODE,
        format!("the account runs as many vCPUs as it may: {reason}"),
        "raise the Fargate vCPU quota, or lower `desired-count`, `cpu` or `maximum-percent`",
    ))
}
