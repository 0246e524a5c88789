//! The health check's path is answered with a status that does not pass: `Health checks failed with these codes: […]`.
//!
//! Plain for 4xx once ECS has stopped a task for it: the grace period is over then, and a path that is not served will
//! not be served later. A 5xx may be a start that takes long.

use super::health::{failed, said, url};
use super::{Cause, Evidence};

pub(super) const CODE: &str = "health-status";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let codes = said(evidence).find_map(|text| text.split_once("codes: [")?.1.split(']').next())?;
    let text = format!("the load balancer's health check, {}, was answered with {codes}", url(evidence));
    if codes.starts_with(['2', '3']) {
        let text = format!("{text}; `health.matcher` in deploy.toml wants {}", evidence.health_matcher);
        let remedy = "correct `target-group.health.matcher`, or what the path answers";
        return Some(match failed(evidence) {
            0 => Cause::open(CODE, text, remedy),
            _ => Cause::plain(CODE, text, remedy),
        });
    }
    if !codes.starts_with('4') {
        let remedy = "the application answers but says that it is not healthy: its log says why";
        return Some(Cause::open(CODE, text, &super::health::remedy(evidence, remedy)));
    }
    let remedy = if codes == "404" {
        "the application does not serve that path: correct `target-group.health.path` or the application"
    } else {
        "the path must be answered without credentials: correct `target-group.health.path` or the application"
    };
    if failed(evidence) >= 1 && !evidence.ever_healthy {
        Some(Cause::plain(CODE, text, remedy))
    } else {
        Some(Cause::open(CODE, text, remedy))
    }
}
