//! What runs now: all services, or one in detail, and what is not as it should be.

use comfy_table::{ContentArrangement, Table, presets};

use super::failure::failure;
use super::words::bare;
use super::{address, age, clock, date, list, orphans, table, widest, wrapped};
use crate::model::{ServiceKey, short_id};
use crate::output::Status;
use crate::secrets::SecretState;
use crate::status::{Detail, Problem, TaskRow};

/// What runs now, as text for people in so many columns, without a newline at its end; with a service all of it and nothing of the
/// others. `unasked` is why smoke checks are not asked from here, `now_ms` milliseconds since the Unix epoch.
pub fn status(
    status: &Status<'_>,
    service: Option<&ServiceKey>,
    unasked: Option<&str>,
    now_ms: u64,
    columns: Option<usize>,
) -> String {
    let table = table(status.services);
    let fits = columns.is_none_or(|columns| widest(&table) <= columns);
    let mut parts = vec![if fits { table } else { list(status.services) }];
    let wrong = (!status.problems.is_empty()).then(|| format!("\n{}", problems(status.problems)));
    // What is wrong is seen at once: the details below may be longer than the screen.
    let (above, below) = if service.is_some() { (wrong, None) } else { (None, wrong) };
    parts.extend(above);
    match (service, status.detail) {
        (Some(service), Some(found)) => parts.push(format!("\n{}", detail(service, found, columns))),
        (Some(_), None) => {}
        (None, _) if status.services.iter().all(|row| row.status == "MISSING") => {
            parts.push("nothing is deployed yet: `cargo xtask deploy` does it".to_owned());
        }
        (None, _) => {
            parts.extend(status.url.map(|url| address(url, unasked)));
            parts.extend(status.lease.map(|lease| lease.sentence(now_ms / 1000)));
            if !status.orphans.is_empty() {
                parts.push(orphans(status.orphans).trim_end().to_owned());
            }
        }
    }
    let notes: Vec<_> = status.secrets.iter().filter_map(SecretState::note).collect();
    if !notes.is_empty() {
        parts.push(format!("\nnote: {}", notes.join("\nnote: ")));
    }
    parts.extend(below);
    let text = parts.join("\n");
    columns.map_or(text.clone(), |columns| wrapped(&text, columns))
}

/// A line for each problem, without a newline at its end.
fn problems(problems: &[Problem]) -> String {
    let line = |problem: &Problem| format!("✗ {}: {}", problem.service, problem.text);
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The service's tasks, events, stopped tasks, scaling and alarms, without a newline at its end, in so many columns.
fn detail(service: &ServiceKey, detail: &Detail, columns: Option<usize>) -> String {
    let mut parts = vec![tasks(detail, columns)];
    let mut part = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let lines = lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
            parts.push(format!("{title}\n{lines}"));
        }
    };
    let at = |ms: u64| format!("{} {}", date(ms), clock(ms).get(..8).unwrap_or_default());
    part(
        "events (UTC)",
        detail.events.iter().map(|it| format!("{} {}", at(it.at_ms), bare(&it.message))).collect(),
    );
    let activity = |it: &crate::status::ScalingActivity| {
        let failed = if it.status == "Successful" { String::new() } else { format!(" ({})", it.status) };
        let message = it.message.as_ref().filter(|_| !failed.is_empty());
        let message = message.map(|message| format!(": {message}")).unwrap_or_default();
        format!("{} {}{failed}{message}; {}", at(it.at_ms), it.description, it.cause)
    };
    part("scaling", detail.scaling.iter().map(activity).collect());
    let alarm =
        |it: &crate::status::AlarmState| format!("{} {} since {}", it.state, it.name, at(it.since_ms));
    part("alarms", detail.alarms.iter().map(alarm).collect());
    part("not read", detail.unread.clone());
    if let Some(stopped) = &detail.stopped {
        parts.push(format!("stopped in the last hour\n{}", failure(service, stopped)));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn tasks(detail: &Detail, columns: Option<usize>) -> String {
    if detail.tasks.is_empty() {
        return "no tasks".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["task", "age", "status", "health", "target", "revision", "zone", "address"]);
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    for task in &detail.tasks {
        table.add_row([
            short_id(&task.id).to_owned(),
            age(task.age_ms),
            task.status.clone(),
            task.health.clone(),
            or(&task.target),
            task.revision.clone(),
            or(&task.zone),
            or(&task.address),
        ]);
    }
    let table = table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    if columns.is_none_or(|columns| widest(&table) <= columns) {
        return table;
    }
    let task = |task: &TaskRow| {
        let TaskRow { id, status, health, revision, .. } = task;
        let target = task.target.as_ref().map(|state| format!(", target {state}")).unwrap_or_default();
        let place: Vec<_> = [&task.zone, &task.address].into_iter().flatten().map(String::as_str).collect();
        let (id, age) = (short_id(id), age(task.age_ms));
        format!("{id} {status} {health}{target}\n  {revision} for {age}, {}", place.join(" "))
    };
    detail.tasks.iter().map(task).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{Diagnosis, ServiceEvent, StoppedTasks};
    use crate::status::{AlarmState, ScalingActivity};

    #[test]
    fn a_service_in_detail_says_what_runs_what_happened_and_why_tasks_stopped() {
        let at_ms = 1_796_030_412_000;
        let shown = Detail {
            tasks: vec![TaskRow {
                id: "3f2a91bc00000000000000000000abcd".into(),
                age_ms: 3_600_000,
                status: "RUNNING".into(),
                health: "HEALTHY".into(),
                target: Some("healthy".into()),
                revision: "ielts-backend:7".into(),
                zone: Some("ap-southeast-1a".into()),
                address: Some("10.0.1.7".into()),
            }],
            events: vec![ServiceEvent {
                id: "1".into(),
                at_ms,
                message: "(service ielts-backend-service) has reached a steady state.".into(),
            }],
            stopped: Some(Diagnosis {
                stopped: vec![StoppedTasks {
                    count: 1,
                    task: "c9ac8609".into(),
                    stop_code: "EssentialContainerExited".into(),
                    reason: "Essential container in task exited".into(),
                    ..StoppedTasks::default()
                }],
                ..Diagnosis::default()
            }),
            scaling: vec![ScalingActivity {
                at_ms,
                description: "Setting desired count to 4.".into(),
                cause: "monitor alarm TargetTracking-x in state ALARM triggered policy backend-cpu-scaling"
                    .into(),
                status: "Successful".into(),
                message: None,
            }],
            alarms: vec![AlarmState {
                name: "backend-5xx".into(),
                state: "OK".into(),
                reason: String::new(),
                since_ms: at_ms,
            }],
            unread: Vec::new(),
        };
        let key = ServiceKey("backend".into());
        insta::assert_snapshot!(detail(&key, &shown, None));
        let narrow = detail(&key, &shown, Some(60));
        let task =
            "3f2a91bc RUNNING HEALTHY, target healthy\n  ielts-backend:7 for 1 h, ap-southeast-1a 10.0.1.7\n";
        assert!(narrow.starts_with(task), "{narrow}");
    }
}
