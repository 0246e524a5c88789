//! The evidence of a command, kept to find out later why it ended as it did: one folder of files, without secrets.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::event::{Event, Kind};
use crate::model::ServiceKey;
use crate::plan::Plan;
use crate::redact;
use crate::rollout::{ServiceDeploymentSnapshot, ServiceSnapshot, TargetSnapshot, TaskLog, TaskSnapshot};
use crate::view::{Detail, line, plan_text};

/// The file by which an evidence folder is known as one.
pub const RECORD: &str = "events.ndjson";

/// What a followed deployment left to be seen. ECS forgets stopped tasks after about an hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DeploymentRecord {
    /// The service; `None` before anything is known.
    pub service: Option<ServiceKey>,
    pub deployment: String,
    /// The service as it was read last.
    pub snapshot: ServiceSnapshot,
    /// Its service deployment as it was read last.
    pub service_deployment: Option<ServiceDeploymentSnapshot>,
    /// The deployment's own tasks, each as it was read last.
    pub tasks: BTreeMap<String, TaskSnapshot>,
    /// The target group's targets, older deployments' among them: each state in which each was seen, in that order.
    pub targets: Vec<TargetSnapshot>,
    pub logs: Vec<TaskLog>,
}

impl DeploymentRecord {
    /// Nothing yet of a deployment.
    pub fn of(service: ServiceKey, deployment: &str) -> Self {
        Self { service: Some(service), deployment: deployment.to_owned(), ..Self::default() }
    }

    /// Takes what a poll shows.
    pub fn see(
        &mut self,
        service: &ServiceSnapshot,
        deployment: Option<&ServiceDeploymentSnapshot>,
        tasks: &[TaskSnapshot],
        targets: &[TargetSnapshot],
    ) {
        self.snapshot = service.clone();
        if let Some(deployment) = deployment {
            self.service_deployment = Some(deployment.clone());
        }
        for task in tasks.iter().filter(|task| task.started_by == self.deployment) {
            self.tasks.insert(task.id.clone(), task.clone());
        }
        for target in targets {
            let last =
                self.targets.iter().rev().find(|known| known.ip == target.ip && known.port == target.port);
            if last != Some(target) {
                self.targets.push(target.clone());
            }
        }
    }
}

/// The files of the folder by their paths in it: the plan, all events, the calls, what was shown, and of each followed
/// deployment its service, tasks, targets and logs. Each is there, if with nothing in it.
pub fn files(events: &[Event], records: &[DeploymentRecord]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    files.insert(RECORD.to_owned(), lines(events.iter()));
    let calls = events.iter().filter_map(|event| match &event.kind {
        Kind::Called(call) => Some(json!({"seq": event.seq, "at_ms": event.at_ms, "call": call})),
        _ => None,
    });
    files.insert("calls.ndjson".to_owned(), lines(calls));
    files.insert("screen.txt".to_owned(), screen(events));
    let plans = events.iter().filter_map(|event| match &event.kind {
        Kind::Planned { plan } => Some(plan.as_ref()),
        _ => None,
    });
    for (plan, count) in plans.zip(1..) {
        planned(&mut files, plan, count);
    }
    let each = |part: fn(&DeploymentRecord) -> Value| {
        let of = |it: &DeploymentRecord| json!({"service": it.service, "deployment": it.deployment, "found": part(it)});
        whole(&records.iter().map(of).collect::<Vec<_>>())
    };
    let services = each(|it| json!({"service": it.snapshot, "service_deployment": it.service_deployment}));
    files.insert("services.json".to_owned(), services);
    files.insert("tasks.json".to_owned(), each(|it| json!(it.tasks.values().collect::<Vec<_>>())));
    files.insert("targets.json".to_owned(), each(|it| json!(it.targets)));
    for found in records {
        let service = found.service.as_ref().map_or("service", |key| key.0.as_str());
        for log in &found.logs {
            let name = format!("logs/{}-{}-{}.log", plain(service), plain(&log.container), plain(&log.task));
            files.insert(name, redact::lines(&log.lines).join("\n") + "\n");
        }
    }
    files
}

/// The first plan is the command's, later ones lead back.
fn planned(files: &mut BTreeMap<String, String>, plan: &Plan, count: u32) {
    let name = if count == 1 { "plan".to_owned() } else { format!("plan-{count}") };
    files.insert(format!("{name}.json"), whole(plan));
    files.insert(format!("{name}.txt"), plan_text(plan));
}

/// What a person was shown, with seconds.
fn screen(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        if let Some(line) = line(event, Detail::Normal) {
            let (secs, tenths) = (event.at_ms / 1000, event.at_ms % 1000 / 100);
            text.push_str(&format!("{secs:>6}.{tenths} {line}\n"));
        }
    }
    redact::text(&text)
}

fn lines<T: Serialize>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| redacted(&item).to_string() + "\n").collect()
}

fn whole<T: Serialize>(item: &T) -> String {
    format!("{:#}\n", redacted(item))
}

/// What cannot be written as JSON is replaced by the reason: the rest is still evidence.
fn redacted<T: Serialize>(item: &T) -> Value {
    let mut value =
        serde_json::to_value(item).unwrap_or_else(|error| json!({"unreadable": error.to_string()}));
    redact::json(&mut value);
    value
}

/// A name that is one part of a path, wherever it came from.
pub fn plain(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    if name.starts_with('.') || name.is_empty() { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Call;

    fn events() -> Vec<Event> {
        let call = Call {
            service: "ecs".into(),
            operation: "DescribeServices".into(),
            attempt: 1,
            write: false,
            elapsed_ms: 12,
            outcome: "ok".into(),
        };
        let kinds = [
            Kind::Planned { plan: Box::default() },
            Kind::Called(call),
            Kind::BuildLine { service: None, line: "API_TOKEN=hunter2".into() },
            Kind::Warned { text: "postgres://app:hunter2@db".into() },
            Kind::Planned { plan: Box::default() },
        ];
        kinds.into_iter().zip(1..).map(|(kind, seq)| Event { seq, at_ms: seq * 1_500, kind }).collect()
    }

    fn record() -> DeploymentRecord {
        let mut record = DeploymentRecord::of(ServiceKey("backend".into()), "ecs-svc/2");
        let task = |id: &str, by: &str, status: &str| TaskSnapshot {
            id: id.into(),
            started_by: by.into(),
            last_status: status.into(),
            stopped_reason: Some("secret=hunter2".into()),
            ..TaskSnapshot::default()
        };
        let first = [task("a", "ecs-svc/2", "RUNNING"), task("old", "ecs-svc/1", "RUNNING")];
        record.see(&ServiceSnapshot::default(), None, &first, &[]);
        record.see(&ServiceSnapshot::default(), None, &[task("b", "ecs-svc/2", "STOPPED")], &[]);
        let lines = vec!["password: hunter2".to_owned()];
        record.logs = vec![TaskLog { task: "../b".into(), container: "web".into(), lines, last_ms: None }];
        record
    }

    #[test]
    fn the_folder_holds_everything_and_no_secret() {
        let files = files(&events(), &[record()]);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let expected = [
            "calls.ndjson",
            "events.ndjson",
            "logs/backend-web-_.._b.log",
            "plan-2.json",
            "plan-2.txt",
            "plan.json",
            "plan.txt",
            "screen.txt",
            "services.json",
            "targets.json",
            "tasks.json",
        ];
        assert_eq!(names, expected);
        for (name, text) in &files {
            assert!(!text.contains("hunter2"), "{name}: {text}");
        }
        assert_eq!(files["events.ndjson"].lines().count(), 5);
        assert_eq!(files["calls.ndjson"].lines().count(), 1);
    }

    #[test]
    fn a_task_that_ecs_has_forgotten_is_kept_and_another_deployment_s_is_none_of_ours() {
        let ids: Vec<_> = record().tasks.into_keys().collect();
        assert_eq!(ids, ["a", "b"]);
    }

    #[test]
    fn a_target_that_failed_is_still_there_when_it_has_drained() {
        let target = |state: &str| TargetSnapshot { state: state.into(), ..TargetSnapshot::default() };
        let mut record = record();
        for state in ["initial", "unhealthy", "unhealthy", "draining"] {
            record.see(&ServiceSnapshot::default(), None, &[], &[target(state)]);
        }
        record.see(&ServiceSnapshot::default(), None, &[], &[]);
        let states: Vec<_> = record.targets.iter().map(|target| target.state.as_str()).collect();
        assert_eq!(states, ["initial", "unhealthy", "draining"]);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for (name, safe) in
            [("..", "_.."), ("a/b", "a_b"), ("", "_"), ("20261123-080012-3f2a9c1", "20261123-080012-3f2a9c1")]
        {
            assert_eq!(plain(name), safe);
        }
    }
}
