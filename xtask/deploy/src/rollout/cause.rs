//! Why a deployment failed, in one sentence of cause and one of remedy.

use serde::Serialize;

use super::snapshot::{TargetSnapshot, TaskSnapshot};

/// What was captured about a failing deployment while it happened: ECS forgets stopped tasks after an hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// This deployment's tasks that stopped, newest first.
    pub stopped: Vec<TaskSnapshot>,
    /// Targets that are not healthy.
    pub targets: Vec<TargetSnapshot>,
    /// The last lines that the newest stopped task printed.
    pub log_tail: Vec<String>,
    /// The target group's health check path.
    pub health_path: String,
    /// The container port.
    pub port: u16,
}

/// A cause and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What went wrong, a sentence.
    pub cause: String,
    /// What to do, a sentence.
    pub remedy: String,
}

/// The best explanation that the evidence supports; `None` when it supports none.
///
/// The order matters: a task that never started cannot have failed a health check, and an exit explains
/// the unhealthy target that follows from it.
#[must_use]
pub fn explain(evidence: &Evidence) -> Option<Cause> {
    evidence
        .stopped
        .iter()
        .find_map(never_started)
        .or_else(|| evidence.stopped.iter().find_map(|task| exited(task, evidence)))
        .or_else(|| unhealthy_target(evidence))
        .or_else(|| evidence.stopped.iter().find_map(|task| failed_health(task, evidence)))
}

fn never_started(task: &TaskSnapshot) -> Option<Cause> {
    if task.stop_code.as_deref() != Some("TaskFailedToStart") {
        return None;
    }
    let reason = task.stopped_reason.as_deref().unwrap_or("no reason given");
    let remedy = if reason.contains("platform") {
        "build the image for the architecture that deploy.toml names, or change `architecture`"
    } else if reason.starts_with("CannotPull") || reason.contains("can't pull") {
        "check that the image exists, that the execution role may pull it and that the subnets reach ECR"
    } else if reason.contains("secrets") {
        "check that each secret exists and that the execution role may read it"
    } else if reason.contains("logg") || reason.contains("log stream") {
        "check that the log group exists and that the execution role may write to it"
    } else {
        "see the reason above; `aws ecs describe-tasks` shows the task for an hour"
    };
    Some(Cause {
        cause: format!("task {} never started: {reason}", short(&task.id)),
        remedy: remedy.to_owned(),
    })
}

fn exited(task: &TaskSnapshot, evidence: &Evidence) -> Option<Cause> {
    if task.stop_code.as_deref() != Some("EssentialContainerExited") {
        return None;
    }
    let container = task.containers.iter().find(|container| container.exit_code.is_some())?;
    let code = container.exit_code?;
    let what = format!("container `{}` of task {}", container.name, short(&task.id));
    let out_of_memory = container.reason.as_deref().is_some_and(|reason| reason.contains("OutOfMemory"));
    let format_error = evidence.log_tail.iter().any(|line| line.contains("exec format error"));
    let (cause, remedy) = if out_of_memory {
        (
            format!("{what} was killed for using more memory than the task has"),
            "raise `memory` or find the leak",
        )
    } else if format_error {
        (
            format!("{what} holds a program for another processor"),
            "build it for the `architecture` in deploy.toml",
        )
    } else {
        let last =
            evidence.log_tail.last().map(|line| format!("; its last line: {line}")).unwrap_or_default();
        (format!("{what} exited with code {code}{last}"), "the log lines say why; fix that and deploy again")
    };
    Some(Cause { cause, remedy: remedy.to_owned() })
}

fn unhealthy_target(evidence: &Evidence) -> Option<Cause> {
    let target = evidence.targets.iter().find(|target| target.state.starts_with("unhealthy"))?;
    Some(health_cause(
        evidence,
        target.description.as_deref().or(target.reason.as_deref()).unwrap_or_default(),
    ))
}

fn failed_health(task: &TaskSnapshot, evidence: &Evidence) -> Option<Cause> {
    let reason = task.stopped_reason.as_deref()?;
    if reason.contains("container health checks") {
        return Some(Cause {
            cause: format!("task {} failed its container health check", short(&task.id)),
            remedy: "run the health check's command in the image; raise `start-period` if the start is slow"
                .to_owned(),
        });
    }
    reason.contains("ELB health checks").then(|| health_cause(evidence, ""))
}

fn health_cause(evidence: &Evidence, said: &str) -> Cause {
    let url = format!("GET {} on port {}", evidence.health_path, evidence.port);
    let codes =
        said.split_once("codes: [").and_then(|(_, rest)| rest.split_once(']')).map(|(codes, _)| codes);
    let (cause, remedy) = match codes {
        Some("404") => (
            format!("the load balancer's health check, {url}, was answered with 404"),
            "the application does not serve that path: correct the health check's `path` or the application".to_owned(),
        ),
        Some(codes) => (
            format!("the load balancer's health check, {url}, was answered with {codes}"),
            "the application answers but says that it is not healthy: its log says why".to_owned(),
        ),
        None if said.contains("timed out") || said == "Target.Timeout" => (
            format!("the load balancer's health check, {url}, got no answer in time"),
            "check the security group from the load balancer to the tasks, and that the start is not slower than the grace period".to_owned(),
        ),
        None => (
            format!("the load balancer's health check, {url}, found nobody listening"),
            "the application must listen on 0.0.0.0 and on the container port of deploy.toml".to_owned(),
        ),
    };
    Cause { cause, remedy }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::ContainerSnapshot;
    use super::*;

    fn stopped(code: &str, reason: &str, exit: Option<i32>, container_reason: Option<&str>) -> TaskSnapshot {
        TaskSnapshot {
            id: "0123456789abcdef".into(),
            stop_code: Some(code.into()),
            stopped_reason: Some(reason.into()),
            containers: vec![ContainerSnapshot {
                name: "backend".into(),
                exit_code: exit,
                reason: container_reason.map(str::to_owned),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn evidence(stopped: Vec<TaskSnapshot>, target: Option<&str>, log: &str) -> Evidence {
        Evidence {
            stopped,
            targets: target
                .map(|text| TargetSnapshot {
                    state: "unhealthy".into(),
                    description: Some(text.into()),
                    ..Default::default()
                })
                .into_iter()
                .collect(),
            log_tail: log.lines().map(str::to_owned).collect(),
            health_path: "/actuator/health".into(),
            port: 8080,
        }
    }

    #[test]
    fn the_operator_reads_the_cause_and_not_the_breaker() {
        let pull = "CannotPullContainerError: pull image manifest has been retried 5 time(s): not found";
        let exit = "Essential container in task exited";
        let oom = "OutOfMemoryError: Container killed due to memory usage";
        let scheduler = "ServiceSchedulerInitiated";
        let cases = [
            (
                evidence(vec![stopped("TaskFailedToStart", pull, None, None)], None, ""),
                "never started: CannotPull",
            ),
            (
                evidence(vec![stopped("EssentialContainerExited", exit, Some(1), None)], None, "no config"),
                "last line: no config",
            ),
            (
                evidence(vec![stopped("EssentialContainerExited", exit, Some(137), Some(oom))], None, ""),
                "more memory",
            ),
            (
                evidence(
                    vec![stopped("EssentialContainerExited", exit, Some(255), None)],
                    None,
                    "exec format error",
                ),
                "another processor",
            ),
            (evidence(vec![], Some("Health checks failed with these codes: [404]"), ""), "answered with 404"),
            (evidence(vec![], Some("Health checks failed with these codes: [503]"), ""), "answered with 503"),
            (evidence(vec![], Some("Request timed out"), ""), "no answer in time"),
            (evidence(vec![], Some("Health checks failed"), ""), "nobody listening"),
            (
                evidence(
                    vec![stopped(scheduler, "Task failed container health checks", None, None)],
                    None,
                    "",
                ),
                "container health check",
            ),
        ];
        for (evidence, expected) in cases {
            let cause = explain(&evidence).map(|cause| cause.cause).unwrap_or_default();
            assert!(cause.contains(expected), "{cause:?} should say {expected:?}");
        }
    }

    #[test]
    fn a_normal_scale_in_is_not_blamed() {
        let reason = "Scaling activity initiated by (deployment ecs-svc/1)";
        assert_eq!(
            explain(&evidence(vec![stopped("ServiceSchedulerInitiated", reason, Some(143), None)], None, "")),
            None
        );
    }
}
