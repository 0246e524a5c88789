//! What is shown of a deployment that failed: its stopped tasks, its failed health checks, a cause and a remedy.
//!
//! The facts are shown with or without a known cause, because no table of causes is complete.

use serde::Serialize;

use super::cause::{Cause, Evidence, explain};
use super::snapshot::{TargetSnapshot, TaskLog, TaskSnapshot};
use crate::model::CONNECT_PROXY;

/// How many of ECS's last messages are shown where neither a task nor a target gives a reason.
const LAST_WORDS: usize = 3;

/// How ECS begins the reason for stopping a task that it no longer needs, such as one that is rolled back.
const SCALED_IN: &str = "Scaling activity initiated";

/// Why a deployment failed, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Diagnosis {
    /// The deployment's own tasks that stopped, those that ended alike as one, newest first.
    pub stopped: Vec<StoppedTasks>,
    /// Failed health checks of its targets, those with the same result as one.
    pub checks: Vec<FailedCheck>,
    /// What ECS said last, oldest first, where there is neither task nor check.
    pub said: Vec<String>,
    /// The cause and the remedy; `None` when the table of causes has none for this.
    pub cause: Option<Cause>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StoppedTasks {
    pub count: usize,
    /// They did not fail: ECS no longer needed them, as in a rollback.
    pub scaled_in: bool,
    /// The id of the newest.
    pub task: String,
    pub stop_code: String,
    pub reason: String,
    /// Whether the newest came to RUNNING.
    pub ran: bool,
    /// How long it ran, in milliseconds; `None` when it did not, or is still stopping.
    pub ran_ms: Option<u64>,
    pub containers: Vec<ContainerEnd>,
    /// What one of them printed last; `None` when that is not known.
    pub log: Option<TaskLog>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ContainerEnd {
    pub name: String,
    /// `exitCode`; `None` when it never ran.
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
}

/// Health checks with the same result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FailedCheck {
    pub count: usize,
    /// The URL of the last one's health check.
    pub url: String,
    /// The result, in the load balancer's words.
    pub met: String,
    /// The status that was answered, where there was one.
    pub answered: Option<String>,
}

impl Evidence {
    /// The stopped tasks, those that ended alike together, newest first; those that ECS itself no longer needed come last.
    pub fn alike(&self) -> Vec<Vec<&TaskSnapshot>> {
        let mut groups: Vec<Vec<&TaskSnapshot>> = Vec::new();
        for task in &self.stopped {
            match groups.iter_mut().find(|group| end(group[0]) == end(task)) {
                Some(group) => group.push(task),
                None => groups.push(vec![task]),
            }
        }
        // Stable, so that the newest stay first. Tasks that a rollback stops say nothing of why it began.
        groups.sort_by_key(|group| group.first().is_some_and(|task| is_scaled_in(task)));
        groups
    }
}

pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let stopped: Vec<_> = evidence.alike().iter().filter_map(|group| stopped(evidence, group)).collect();
    let checks = checks(evidence);
    let quiet = stopped.is_empty() && checks.is_empty();
    let from = evidence.events.len().saturating_sub(LAST_WORDS);
    let said = if quiet { evidence.events[from..].to_vec() } else { Vec::new() };
    Diagnosis { stopped, checks, said, cause: explain(evidence) }
}

fn stopped(evidence: &Evidence, group: &[&TaskSnapshot]) -> Option<StoppedTasks> {
    let newest = group.first()?;
    let log = evidence.logs.iter().filter(|log| group.iter().any(|task| task.id == log.task));
    Some(StoppedTasks {
        count: group.len(),
        scaled_in: is_scaled_in(newest),
        task: newest.id.clone(),
        stop_code: newest.stop_code.clone().unwrap_or_default(),
        reason: newest.stopped_reason.clone().unwrap_or_default(),
        ran: newest.started_ms.is_some(),
        ran_ms: newest.started_ms.zip(newest.stopped_ms).map(|(from, to)| to.saturating_sub(from)),
        containers: ends(newest),
        // Of tasks that ended alike any log will do, as long as something was printed.
        log: log.max_by_key(|log| log.lines.len().min(1)).cloned(),
    })
}

/// Two tasks ended alike when all of this is equal. ECS gives the Service Connect proxy another name in each task.
fn end(task: &TaskSnapshot) -> (Option<&str>, Option<&str>, Vec<ContainerEnd>) {
    let mut ends = ends(task);
    for end in ends.iter_mut().filter(|end| end.name.starts_with(CONNECT_PROXY)) {
        end.name = CONNECT_PROXY.to_owned();
    }
    (task.stop_code.as_deref(), task.stopped_reason.as_deref(), ends)
}

fn ends(task: &TaskSnapshot) -> Vec<ContainerEnd> {
    task.containers
        .iter()
        .map(|container| ContainerEnd {
            name: container.name.clone(),
            exit_code: container.exit_code,
            reason: container.reason.clone(),
        })
        .collect()
}

fn is_scaled_in(task: &TaskSnapshot) -> bool {
    task.stopped_reason.as_deref().is_some_and(|reason| reason.starts_with(SCALED_IN))
}

fn checks(evidence: &Evidence) -> Vec<FailedCheck> {
    let path = &evidence.health_path;
    let mut found: Vec<FailedCheck> = Vec::new();
    for target in &evidence.targets {
        let TargetSnapshot { ip, check_port, .. } = target;
        let port = check_port.unwrap_or(target.port);
        add(&mut found, format!("http://{ip}:{port}{path}"), met(target));
    }
    if found.is_empty() {
        // `(service X) (task T) (port P) is unhealthy in (target-group G) due to (reason R).`
        for text in &evidence.events {
            if let Some((_, reason)) = text.split_once("due to (reason ") {
                let reason = reason.trim_end_matches(['.', ')']);
                add(
                    &mut found,
                    format!("http://<task>:{}{path}", evidence.check_port.unwrap_or(evidence.port)),
                    reason.to_owned(),
                );
            }
        }
    }
    found
}

fn add(found: &mut Vec<FailedCheck>, url: String, met: String) {
    if let Some(known) = found.iter_mut().find(|check| check.met == met) {
        known.count += 1;
        known.url = url;
        return;
    }
    let codes = met.split_once("codes: [").and_then(|(_, rest)| rest.split(']').next());
    found.push(FailedCheck { count: 1, url, answered: codes.map(str::to_owned), met });
}

fn met(target: &TargetSnapshot) -> String {
    let words = target.description.as_ref().or(target.reason.as_ref());
    words.cloned().unwrap_or_else(|| target.state.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::ContainerSnapshot;

    fn task(id: &str, reason: &str, exit: Option<i32>) -> TaskSnapshot {
        let container =
            |name: String, exit_code| ContainerSnapshot { name, exit_code, ..ContainerSnapshot::default() };
        TaskSnapshot {
            id: id.into(),
            stop_code: Some("EssentialContainerExited".into()),
            stopped_reason: Some(reason.into()),
            started_ms: Some(1_000),
            stopped_ms: Some(2_500),
            containers: vec![container("web".into(), exit), container(format!("{CONNECT_PROXY}{id}"), None)],
            ..Default::default()
        }
    }

    #[test]
    fn twenty_crashes_are_one_line_and_what_was_rolled_back_does_not_hide_them() {
        let exited = "Essential container in task exited";
        let scaled = "Scaling activity initiated by (deployment ecs-svc/1)";
        let log = TaskLog {
            task: "c2".into(),
            container: "web".into(),
            lines: vec!["no DATABASE_URL".into()],
            last_ms: None,
        };
        let evidence = Evidence {
            stopped: vec![
                task("r", scaled, Some(0)),
                task("c3", exited, Some(1)),
                task("c2", exited, Some(1)),
                task("c1", exited, Some(2)),
            ],
            logs: vec![TaskLog { task: "c3".into(), ..TaskLog::default() }, log.clone()],
            ..Default::default()
        };
        let found = diagnose(&evidence).stopped;
        let groups: Vec<_> = found.iter().map(|group| (group.task.as_str(), group.count)).collect();
        assert_eq!(groups, [("c3", 2), ("c1", 1), ("r", 1)]);
        assert_eq!((found[0].log.as_ref(), found[0].ran_ms), (Some(&log), Some(1_500)));
    }

    #[test]
    fn a_failed_check_names_its_url_and_what_it_was_answered() {
        let target = |ip: &str, text: &str| TargetSnapshot {
            ip: ip.into(),
            port: 8080,
            state: "unhealthy".into(),
            description: Some(text.into()),
            ..Default::default()
        };
        let codes = "Health checks failed with these codes: [404]";
        let mut evidence = Evidence {
            targets: vec![target("10.0.1.7", codes), target("10.0.2.7", codes)],
            health_path: "/health".into(),
            port: 8080,
            ..Default::default()
        };
        let check = FailedCheck {
            count: 2,
            url: "http://10.0.2.7:8080/health".into(),
            met: codes.into(),
            answered: Some("404".into()),
        };
        assert_eq!(diagnose(&evidence).checks, [check]);
        evidence.targets.clear();
        evidence.events = vec![format!(
            "(service web) (task t) (port 8080) is unhealthy in (target-group g) due to (reason {codes})."
        )];
        assert_eq!(diagnose(&evidence).checks[0].url, "http://<task>:8080/health");
        assert_eq!(diagnose(&evidence).checks[0].answered.as_deref(), Some("404"));
    }

    #[test]
    fn without_a_known_cause_the_last_ecs_messages_are_shown_and_no_cause_is_made_up() {
        let events = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let found = diagnose(&Evidence { events, ..Default::default() });
        assert_eq!((found.said.join(" ").as_str(), found.cause), ("b c d", None));
    }
}
