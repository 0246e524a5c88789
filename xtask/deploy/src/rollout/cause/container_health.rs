//! The container's own health check fails: `Task failed container health checks`.
//!
//! Plain once ECS has stopped two tasks for it, each after its start and grace periods.

use super::{Cause, Evidence, short};

pub(super) const CODE: &str = "container-health";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let failed = |reason: &Option<String>| {
        reason.as_deref().is_some_and(|reason| reason.contains("failed container health checks"))
    };
    let tasks: Vec<_> = evidence.stopped.iter().filter(|task| failed(&task.stopped_reason)).collect();
    let text = format!("task {} failed its container health check", short(&tasks.first()?.id));
    let remedy = "run the health check's command in the image: it must be there and exit with 0; raise \
                  `start-period-secs` if the start is slow";
    if tasks.len() >= 2 && !evidence.ever_healthy {
        Some(Cause::plain(CODE, text, remedy))
    } else {
        Some(Cause::open(CODE, text, remedy))
    }
}
