//! The failure screen of one service.

use super::duration;
use super::words::bare;
use crate::model::{ServiceKey, short_id};
use crate::rollout::{Cause, ContainerEnd, Diagnosis, FailedCheck, StoppedTasks, excerpt, never_started};

/// Lines of a log that are shown of the first group of tasks, and of each other one.
const LOG_LINES: [usize; 2] = [12, 4];

/// Facts first, then the cause and the remedy.
pub fn failure(service: &ServiceKey, diagnosis: &Diagnosis) -> String {
    let cause = diagnosis.cause.as_ref().map(|cause| format!("\n{}", because(service, cause)));
    format!("{}{}", facts(service, diagnosis), cause.unwrap_or_default())
}

pub(super) fn because(service: &ServiceKey, cause: &Cause) -> String {
    format!("  cause  {service}: {}\n  remedy {}", cause.cause, cause.remedy)
}

/// All but a known cause, which is the last thing that a command prints.
pub(super) fn facts(service: &ServiceKey, diagnosis: &Diagnosis) -> String {
    let mut lines = Vec::new();
    for (index, group) in diagnosis.stopped.iter().enumerate() {
        stopped(&mut lines, service, group, LOG_LINES[index.min(1)]);
    }
    lines.extend(diagnosis.checks.iter().map(|check| format!("  check  {}", failed(check))));
    if diagnosis.stopped.is_empty() && diagnosis.checks.is_empty() {
        lines
            .push(format!("  tasks  {service}: none of this deployment stopped, and no target of it failed"));
        lines.extend(diagnosis.said.iter().map(|text| format!("         ECS: {}", bare(text))));
    }
    if diagnosis.cause.is_none() {
        lines.push(format!("  cause  {service}: none that this tool knows"));
        lines
            .push("  remedy the facts above are all there is; the application's log may say more".to_owned());
    }
    lines.join("\n")
}

fn stopped(lines: &mut Vec<String>, service: &ServiceKey, group: &StoppedTasks, most: usize) {
    let StoppedTasks { count, stop_code, reason, ran_ms, containers, log, .. } = group;
    let task = short_id(&group.task);
    if group.scaled_in {
        let noun = if *count == 1 { "task" } else { "tasks" };
        lines.push(format!("  tasks  {service}: {count} {noun} stopped without a failure, no longer needed"));
        return;
    }
    let who = if *count == 1 {
        format!("task {task} stopped")
    } else {
        format!("{count} tasks stopped alike, the last {task}")
    };
    let ran = match ran_ms {
        Some(ran_ms) => format!("ran {}", duration(*ran_ms)),
        None if group.ran => "ran, and is still stopping".to_owned(),
        None => "never came to RUNNING".to_owned(),
    };
    // ECS repeats the task's reason for each container that it did not start.
    let own = containers.iter().filter(|it| it.exit_code.is_some() || it.reason.as_ref() != Some(reason));
    let reason = bare(reason);
    lines.push(format!("  tasks  {service}: {who}: {ran}; {stop_code}: {reason}"));
    lines.extend(own.filter_map(ended).map(|text| format!("         {text}")));
    let Some(log) = log else { return };
    if log.lines.is_empty() {
        lines.push(format!("         container {} printed nothing", log.container));
        return;
    }
    if log.task != group.task {
        lines.push(format!("         printed by task {}:", short_id(&log.task)));
    }
    lines.extend(excerpt(&log.lines, most).iter().map(|line| format!("       | {line}")));
}

/// How a container ended; nothing when it never ran and nothing is said of it.
fn ended(container: &ContainerEnd) -> Option<String> {
    let ContainerEnd { name, exit_code, reason } = container;
    let reason = reason.as_ref().map(|reason| bare(reason));
    match (exit_code, reason) {
        (Some(code), Some(reason)) if never_started(*code, &reason) => {
            Some(format!("container {name}: never started, {reason}"))
        }
        (Some(code), Some(reason)) => Some(format!("container {name}: exit code {code}, {reason}")),
        (Some(code), None) => Some(format!("container {name}: exit code {code}")),
        (None, Some(reason)) => Some(format!("container {name}: {reason}")),
        (None, None) => None,
    }
}

fn failed(check: &FailedCheck) -> String {
    let FailedCheck { count, url, met, answered } = check;
    let targets = if *count == 1 { String::new() } else { format!(" ({count} targets, this the last)") };
    match answered {
        Some(status) => format!("GET {url} answered {status}{targets}"),
        None => format!("GET {url}: {met}{targets}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::TaskLog;

    fn key() -> ServiceKey {
        ServiceKey("backend".into())
    }

    fn group(count: usize, code: &str, reason: &str, exit: Option<i32>, log: &[&str]) -> StoppedTasks {
        StoppedTasks {
            count,
            scaled_in: reason.starts_with("Scaling"),
            task: "3f2a91bc0e1d2c3b4a5968778695a4b3".into(),
            stop_code: code.into(),
            reason: reason.into(),
            ran: exit.is_some(),
            ran_ms: exit.map(|_| 1_500),
            containers: vec![ContainerEnd { name: "backend".into(), exit_code: exit, reason: None }],
            log: exit.map(|_| TaskLog {
                task: "3f2a91bc0e1d2c3b4a5968778695a4b3".into(),
                container: "backend".into(),
                lines: log.iter().map(|line| (*line).to_owned()).collect(),
                last_ms: None,
            }),
        }
    }

    #[test]
    fn a_container_that_was_given_up_has_no_exit_code() {
        let reason = "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [once]";
        let given_up =
            ContainerEnd { name: "backend".into(), exit_code: Some(143), reason: Some(reason.into()) };
        assert_eq!(ended(&given_up).unwrap(), format!("container backend: never started, {reason}"));
        let killed = ContainerEnd { reason: None, ..given_up };
        assert_eq!(ended(&killed).unwrap(), "container backend: exit code 143");
    }

    #[test]
    fn a_failure_fits_one_screen_and_says_why_and_what_to_do() {
        let exited = "Essential container in task exited";
        let scaled = "Scaling activity initiated by (deployment ecs-svc/9)";
        let elb = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-tg/9df7)";
        let check = FailedCheck {
            count: 2,
            url: "http://10.0.1.7:8080/actuator/health".into(),
            met: "Health checks failed with these codes: [404]".into(),
            answered: Some("404".into()),
        };
        let refused =
            FailedCheck { count: 1, answered: None, met: "Health checks failed".into(), ..check.clone() };
        let cause = Cause {
            code: "exits-at-start",
            cause: "container `backend` of task 3f2a91bc exited with code 1; it said: no DATABASE_URL".into(),
            remedy: "the log lines say why; fix that and deploy again".into(),
            plain: true,
        };
        let crashed = Diagnosis {
            stopped: vec![
                group(3, "EssentialContainerExited", exited, Some(1), &["starting", "no DATABASE_URL"]),
                group(1, "ServiceSchedulerInitiated", scaled, Some(0), &[]),
            ],
            cause: Some(cause),
            ..Diagnosis::default()
        };
        let unhealthy = Diagnosis {
            stopped: vec![group(2, "ServiceSchedulerInitiated", elb, None, &[])],
            checks: vec![check, refused],
            ..Diagnosis::default()
        };
        let unknown = Diagnosis {
            said: vec!["(service backend) was unable to do something new.".into()],
            ..Diagnosis::default()
        };
        let screens: Vec<_> = [crashed, unhealthy, unknown].iter().map(|it| failure(&key(), it)).collect();
        insta::assert_snapshot!(screens.join("\n\n"));
    }
}
