//! What a failing deployment leaves behind, kept while it can still be read.

use deploy::event::Kind;
use deploy::rollout::{Evidence, TargetSnapshot, TaskSnapshot};

use super::poll::Seen;
use super::target::Target;
use crate::aws::Aws;
use crate::report::Recorder;

/// Lines of a stopped task's log that are shown.
const LOG_LINES: u32 = 12;

/// Adds what one poll shows of our deployment.
pub(super) fn collect(evidence: &mut Evidence, deployment: &str, seen: &Seen) {
    let ours: Vec<&TaskSnapshot> = seen.tasks.iter().filter(|task| task.started_by == deployment).collect();
    for task in ours.iter().filter(|task| task.stop_code.is_some()) {
        if !evidence.stopped.iter().any(|known| known.id == task.id) {
            evidence.stopped.push((*task).clone());
        }
    }
    evidence.stopped.sort_by_key(|task| std::cmp::Reverse(task.created_ms));
    if let Some(entry) = seen.service.deployments.iter().find(|entry| entry.id == deployment) {
        let since = seen.service.events.iter().rev().filter(|event| event.at_ms >= entry.created_ms);
        evidence.events = since.map(|event| event.message.clone()).collect();
    }
    let addresses: Vec<_> = ours.iter().filter_map(|task| task.private_ip.clone()).collect();
    let healthy = |target: &&TargetSnapshot| target.state == "healthy" && addresses.contains(&target.ip);
    evidence.ever_healthy |= seen.targets.iter().any(|target| healthy(&target));
    let unhealthy = seen.targets.iter().filter(|target| target.state.starts_with("unhealthy"));
    for target in unhealthy.filter(|target| addresses.contains(&target.ip)) {
        if !evidence.targets.iter().any(|known| known.ip == target.ip && known.port == target.port) {
            evidence.targets.push(target.clone());
        }
    }
}

/// The last lines of the newest stopped task that printed any.
pub(super) async fn log_tail(
    aws: &Aws,
    events: &Recorder,
    target: &Target,
    evidence: &Evidence,
) -> Vec<String> {
    for task in evidence.stopped.iter().take(2) {
        let stream = format!("{}/{}/{}", target.key, target.container, task.id);
        match aws.get_log_events(&target.log_group, &stream, LOG_LINES, None).await {
            Ok(page) if !page.events.is_empty() => {
                return page.events.into_iter().map(|event| event.message).collect();
            }
            // A task that never started printed nothing.
            Ok(_) => {}
            Err(error) => events
                .emit(Kind::Warned { text: format!("the log of task {} is not readable: {error}", task.id) }),
        }
    }
    Vec::new()
}
