//! No network interface could be made for the task. AWS tells it in stoppedReason of a task with stopCode TaskFailedToStart.

use super::{Cause, Evidence, failed_to_start};

pub(super) const CODE: &str = "network-interface";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = failed_to_start(
        evidence,
        &[
            "Network Interface",
            "network interface",
            "insufficient free addresses",
            "InsufficientFreeAddresses",
        ],
        &[],
    )?;
    Some(Cause::open(
        CODE,
        format!("no network interface could be made for it: {reason}"),
        "check free addresses of the subnets, the security groups and the network interface quota",
    ))
}
