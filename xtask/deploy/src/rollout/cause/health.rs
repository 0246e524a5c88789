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
    let (path, container) = (&evidence.health_path, evidence.port);
    match other_port(evidence) {
        Some(port) => format!("GET {path} on port {port} (the container's port is {container})"),
        None => format!("GET {path} on port {container}"),
    }
}

/// The port of the target group's health check, where it is not the container's.
fn other_port(evidence: &Evidence) -> Option<u16> {
    evidence.check_port.filter(|port| *port != evidence.port)
}

/// What to do: about the health check's port or a slow start where the evidence shows one, `otherwise` this.
pub(super) fn remedy(evidence: &Evidence, otherwise: &str) -> String {
    if let Some(port) = other_port(evidence) {
        return format!(
            "let the load balancer ask the container's port (`aws elbv2 modify-target-group --health-check-port \
             traffic-port`), or let the application listen on {port} and open it to the load balancer"
        );
    }
    match slow_start(evidence) {
        Some((last_secs, enough)) => format!(
            "raise `health-check-grace-secs` to {enough} (it is {}): the application printed its last line {last_secs} s \
             after the start",
            evidence.grace_secs
        ),
        None => otherwise.to_owned(),
    }
}

/// Seconds until the last line that a task printed which was stopped for its health check, and a grace period that would
/// do: a quarter more, in tens. `None` where the last line came early: then waiting longer is no help.
fn slow_start(evidence: &Evidence) -> Option<(u64, u64)> {
    let by_check = |task: &str| {
        let stopped = evidence.stopped.iter().find(|stopped| stopped.id == task);
        let reason = stopped.and_then(|stopped| stopped.stopped_reason.as_deref());
        reason.is_some_and(|reason| reason.contains("failed ELB health checks"))
    };
    let last_ms =
        evidence.logs.iter().filter(|log| by_check(&log.task)).filter_map(|log| log.last_ms).max()?;
    let (last, grace) = (last_ms.div_ceil(1000), u64::from(evidence.grace_secs));
    let enough = (last.max(grace) * 5).div_ceil(4).next_multiple_of(10);
    (last * 2 > grace && last >= 10).then_some((last, enough))
}
