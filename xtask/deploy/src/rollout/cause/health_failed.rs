//! ECS stopped a task for its load balancer's health check, and nothing tells what the check met.

use super::health::{failed, remedy, url};
use super::{Cause, Evidence};

pub(super) const CODE: &str = "health-failed";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    (failed(evidence) > 0).then(|| {
        let text = format!("the load balancer's health check, {}, did not pass", url(evidence));
        Cause::open(
            CODE,
            text,
            &remedy(evidence, "ask that URL from inside the VPC, and read the application's log"),
        )
    })
}
