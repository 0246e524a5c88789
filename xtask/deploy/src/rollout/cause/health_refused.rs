//! Nobody listens where the health check asks: `Health checks failed` (Target.FailedHealthChecks).
//!
//! Plain once ECS has stopped two tasks for it, each after its grace period.

use super::health::{failed, remedy, said, url};
use super::{Cause, Evidence};

pub(super) const CODE: &str = "health-refused";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    said(evidence)
        .find(|text| text.contains("Health checks failed") || *text == "Target.FailedHealthChecks")?;
    let text = format!("the load balancer's health check, {}, found nobody listening", url(evidence));
    let remedy =
        remedy(evidence, "the application must listen on 0.0.0.0 and on the container port of deploy.toml");
    if failed(evidence) >= 2 && !evidence.ever_healthy {
        Some(Cause::plain(CODE, text, &remedy))
    } else {
        Some(Cause::open(CODE, text, &remedy))
    }
}
