//! What the load balancer's health checks met, from targets, events and stopped tasks.

use super::Evidence;

/// What the load balancer said of a failing check, the targets' own words first.
pub(super) fn said(evidence: &Evidence) -> impl Iterator<Item = &str> {
    let unhealthy = evidence.targets.iter().filter(|target| target.state.starts_with("unhealthy"));
    let targets = unhealthy.filter_map(|target| target.description.as_deref().or(target.reason.as_deref()));
    // `(service X) (task T) (port P) is unhealthy in (target-group G) due to (reason R).`
    let events = evidence.events.iter().filter_map(|text| text.split_once("due to (reason ")).map(|it| it.1);
    targets.chain(events)
}

/// How many tasks ECS stopped because the load balancer found them unhealthy.
pub(super) fn failed(evidence: &Evidence) -> usize {
    let reasons = evidence.stopped.iter().filter_map(|task| task.stopped_reason.as_deref());
    reasons.filter(|reason| reason.contains("failed ELB health checks")).count()
}

/// What the load balancer asks.
pub(super) fn url(evidence: &Evidence) -> String {
    format!("GET {} on port {}", evidence.health_path, evidence.port)
}
