//! The container's own health check fails: `Task failed container health checks`.
//!
//! Only where ECS stopped the newest such task for it: targets that the load balancer found unhealthy while the application
//! started are left over from that. Plain once ECS has stopped two tasks, each after its start and grace periods.

use super::{Cause, Evidence, short};

pub(super) const CODE: &str = "container-health";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    const CONTAINER: &str = "failed container health checks";
    let health = evidence.stopped.iter().filter_map(|task| {
        let reason = task.stopped_reason.as_deref()?;
        let by_container = reason.contains(CONTAINER);
        (by_container || reason.contains("failed ELB health checks")).then_some((task, by_container))
    });
    let (newest, by_container) = health.clone().next()?;
    if !by_container {
        return None;
    }
    let tasks = health.filter(|(_, by_container)| *by_container).count();
    let command = evidence.health_command.as_ref().map(|command| format!(", `{command}`"));
    let command = command.unwrap_or_default();
    let text = format!("task {} failed its container health check{command}", short(&newest.id));
    let remedy = "run that command in the image: its program must be there (small images have no `curl`) and exit with 0; \
                  raise `start-period-secs` if the start is slow";
    if tasks >= 2 && !evidence.ever_healthy {
        Some(Cause::plain(CODE, text, remedy))
    } else {
        Some(Cause::open(CODE, text, remedy))
    }
}
