//! The health check gets no answer in time: `Request timed out` (Target.Timeout). A security group that blocks the way looks
//! the same.
//!
//! Plain once ECS has stopped two tasks for it, each after its grace period.

use super::health::{failed, remedy, said, url};
use super::{Cause, Evidence};

pub(super) const CODE: &str = "health-timeout";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    said(evidence).find(|text| text.contains("timed out") || *text == "Target.Timeout")?;
    let text = format!("the load balancer's health check, {}, got no answer in time", url(evidence));
    let remedy = remedy(
        evidence,
        "let the load balancer's security group reach the tasks on the container port; and see whether the application hangs",
    );
    if failed(evidence) >= 2 && !evidence.ever_healthy {
        Some(Cause::plain(CODE, text, &remedy))
    } else {
        Some(Cause::open(CODE, text, &remedy))
    }
}
