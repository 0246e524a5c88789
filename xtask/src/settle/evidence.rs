//! The evidence of a failing deployment, collected while ECS still shows it: stopped tasks for at least an hour.

use deploy::event::Kind;
use deploy::model::LogGroup;
use deploy::redact;
use deploy::rollout::{Evidence, TargetSnapshot, TaskLog, TaskSnapshot};

use super::poll::Seen;
use crate::aws::{Aws, LogStart};
use crate::report::Recorder;

/// Lines of a stopped task's log that are kept: a stack of a Java framework alone may have hundreds.
const LOG_LINES: u32 = 500;

/// Kinds of ending whose tasks' logs are read, and tasks of each that are tried.
const KINDS: usize = 3;
const TRIES: usize = 2;

/// Adds what one poll shows of our deployment.
pub(super) fn collect(evidence: &mut Evidence, deployment: &str, seen: &Seen) {
    let ours: Vec<&TaskSnapshot> = seen.tasks.iter().filter(|task| task.started_by == deployment).collect();
    for task in ours.iter().filter(|task| task.stop_code.is_some()) {
        // `stoppedReason` shows as soon as ECS stops the task; exit codes and `stoppedAt` come with STOPPED.
        match evidence.stopped.iter_mut().find(|known| known.id == task.id) {
            Some(known) => known.clone_from(task),
            None => evidence.stopped.push((*task).clone()),
        }
    }
    // A cause is looked for in what happened last: what the first tasks failed of may be over.
    evidence.stopped.sort_by_key(|task| std::cmp::Reverse(task.created_ms));
    if let Some(entry) = seen.service.deployments.iter().find(|entry| entry.id == deployment) {
        // At most 100 events are kept, and a text that repeats is left out for hours: ours are those since our deployment.
        let since = seen.service.events.iter().rev().filter(|event| event.at_ms >= entry.created_ms);
        evidence.events = since.map(|event| event.message.clone()).collect();
    }
    if let Some(ours) = &seen.deployment {
        evidence.alarms.clone_from(&ours.alarms);
    }
    // DescribeTargetHealth lists old and new targets alike: only the address says whose a target is.
    let addresses: Vec<_> = ours.iter().filter_map(|task| task.private_ip.clone()).collect();
    let healthy = |target: &&TargetSnapshot| target.is_healthy() && addresses.contains(&target.ip);
    evidence.ever_healthy |= seen.targets.iter().any(|target| healthy(&target));
    evidence.check_port = seen.targets.iter().find_map(|target| target.check_port).or(evidence.check_port);
    let unhealthy = seen.targets.iter().filter(|target| target.state.starts_with("unhealthy"));
    for target in unhealthy.filter(|target| addresses.contains(&target.ip)) {
        match evidence.targets.iter_mut().find(|known| known.ip == target.ip && known.port == target.port) {
            Some(known) => known.clone_from(target),
            None => evidence.targets.push(target.clone()),
        }
    }
}

/// Reads what stopped tasks printed, of each kind of ending: of the newest that printed anything, or of the newest.
pub(crate) async fn read_logs(
    aws: &Aws,
    events: &Recorder,
    (log, container): (&LogGroup, &str),
    evidence: &mut Evidence,
) {
    let mut logs = Vec::new();
    for group in evidence.alike().iter().take(KINDS) {
        for stopped in group.iter().take(TRIES) {
            let task = &stopped.id;
            let container = stopped.ended_first().map_or(container, |ended| &ended.name);
            // How the awslogs driver names a stream (ECS developer guide, awslogs-stream-prefix). It exists once the container started.
            let stream = format!("{}/{container}/{task}", log.stream_prefix);
            let page = match aws.get_log_events(&log.name, &stream, LOG_LINES, LogStart::Tail).await {
                Ok(page) => page,
                Err(error) => {
                    let text = format!("cannot read the log of task {task}: {error}");
                    events.emit(Kind::Warned { text });
                    continue;
                }
            };
            let last = page.events.last().map(|event| event.at_ms);
            // By AWS's two times: how long the application printed shows a start that is slower than its grace period.
            let last_ms = last.zip(stopped.started_ms).map(|(last, started)| last.saturating_sub(started));
            let lines: Vec<String> =
                page.events.into_iter().map(|event| event.message.trim_end().to_owned()).collect();
            let lines = redact::lines(&lines);
            let spoke = !lines.is_empty();
            logs.push(TaskLog { task: task.clone(), container: container.to_owned(), lines, last_ms });
            // Tasks that ended alike failed of the same thing: one log that says something is enough, and each costs a call.
            if spoke {
                break;
            }
        }
    }
    let first = logs.iter().find(|log| !log.lines.is_empty());
    evidence.log_tail = first.map(|log| log.lines.clone()).unwrap_or_default();
    evidence.logs = logs;
}
