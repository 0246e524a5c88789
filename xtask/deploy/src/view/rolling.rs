//! A deployment in progress, as a line.

use super::duration;
use super::words::bare;
use crate::event::Kind;
use crate::model::short_id;
use crate::rollout::{Lagging, Leave, Leaving, TaskMove, Waiting};

/// The state of a deployment in progress, with its running numbers; `None` for every other event.
pub fn rolling(kind: &Kind) -> Option<String> {
    let Kind::Rolling { service, revision, desired, running, pending, failed, waiting, .. } = kind else {
        return None;
    };
    // Until ECS shows the deployment its numbers are unknown, and not 0: the old tasks serve.
    if *waiting == Waiting::FirstSight {
        return Some(format!("{service}: {revision}; {}", waits(waiting)));
    }
    let failures = if *failed > 0 { format!(", {failed} failed") } else { String::new() };
    let waits = waits(waiting);
    Some(format!("{service}: {revision} {running}/{desired} running, {pending} pending{failures}; {waits}"))
}

/// Tasks whose state changed, equal changes in one: `task 3f2a91bc RUNNING after 12 s`.
pub(super) fn moves(tasks: &[TaskMove]) -> String {
    let alike = |a: &TaskMove, b: &TaskMove| {
        (&a.last_status, &a.health, &a.reason) == (&b.last_status, &b.health, &b.reason)
    };
    let mut groups: Vec<Vec<&TaskMove>> = Vec::new();
    for task in tasks {
        match groups.iter_mut().find(|group| alike(group[0], task)) {
            Some(group) => group.push(task),
            None => groups.push(vec![task]),
        }
    }
    groups.iter().map(|group| group_text(group)).collect::<Vec<_>>().join("; ")
}

fn group_text(group: &[&TaskMove]) -> String {
    let ids: Vec<_> = group.iter().map(|task| short_id(&task.task)).collect();
    let noun = if ids.len() == 1 { "task" } else { "tasks" };
    let mut text = format!("{noun} {}", ids.join(" and "));
    if let Some(task) = group.first() {
        text.push_str(&format!(" {}", task.last_status));
        if let Some(health) = task.health.as_ref().filter(|_| task.last_status == "RUNNING") {
            text.push_str(&format!(" {health}"));
        }
    }
    if let Some(age) = group.iter().filter_map(|task| task.age_ms).max() {
        text.push_str(&format!(" after {}", duration(age)));
    }
    if let Some(reason) = group.first().and_then(|task| task.reason.as_ref()) {
        text.push_str(&format!(": {}", bare(reason)));
    }
    text
}

/// What a deployment waits for, as a clause.
fn waits(waiting: &Waiting) -> String {
    match waiting {
        Waiting::FirstSight => "waiting for ECS to show it".to_owned(),
        Waiting::Tasks => "starting tasks".to_owned(),
        Waiting::Targets { healthy, wanted, lagging } => {
            let lagging = lagging.as_ref().map(|it| format!(" ({})", lags(it))).unwrap_or_default();
            format!("{healthy} of {wanted} targets healthy{lagging}")
        }
        Waiting::Checks { healthy, wanted } => format!("{healthy} of {wanted} tasks healthy"),
        Waiting::Draining { old, leaving } => {
            let tasks = if *old == 1 { "1 old task".to_owned() } else { format!("{old} old tasks") };
            match leaving {
                None => format!("{tasks} leaving"),
                Some(Leaving { step: Leave::Draining, secs, of_secs }) => {
                    format!("{tasks}: draining {secs} s of {of_secs} s")
                }
                Some(Leaving { step: Leave::Stopping, secs, of_secs }) => {
                    format!("{tasks}: stopping {secs} s of {of_secs} s until SIGKILL")
                }
            }
        }
        Waiting::Completion => "waiting for ECS to call it complete".to_owned(),
        Waiting::NoTasks => "scaled to 0: ECS calls it complete without a task".to_owned(),
        Waiting::Rollback => "ECS is rolling back to the previous revision".to_owned(),
    }
}

/// A new target is healthy with the first check that passes, whatever the threshold.
fn lags(target: &Lagging) -> String {
    let mut text = format!("target {} {}", target.ip, target.state);
    if let Some(checks) = &target.checks {
        let noun = if checks.about == 1 { "check" } else { "checks" };
        text.push_str(&format!(
            ": about {} {noun} so far, {} s apart, and one must pass",
            checks.about, checks.apart_secs
        ));
    }
    if let Some(says) = &target.says {
        text.push_str(&format!(": {says}"));
    }
    if let Some(left) = target.grace_secs {
        text.push_str(&format!("; the grace period ignores that for about {left} s more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::Checks;

    fn moved(task: &str, status: &str, age_ms: Option<u64>, reason: Option<&str>) -> TaskMove {
        TaskMove {
            task: task.into(),
            last_status: status.into(),
            health: None,
            age_ms,
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn tasks_that_move_alike_take_one_line() {
        let tasks = [
            moved("3f2a91bc0000", "RUNNING", Some(12_000), None),
            moved("91bcd0e10000", "RUNNING", Some(13_000), None),
            moved("55555555", "STOPPED", Some(15_000), Some("Essential container in task exited")),
        ];
        assert_eq!(
            moves(&tasks),
            "tasks 3f2a91bc and 91bcd0e1 RUNNING after 13 s; task 55555555 STOPPED after 15 s: Essential container in task exited"
        );
        let healthy = TaskMove { health: Some("HEALTHY".into()), ..moved("a", "RUNNING", None, None) };
        assert_eq!(moves(&[healthy]), "task a RUNNING HEALTHY");
    }

    #[test]
    fn slow_is_distinguished_from_stuck() {
        let target = |state: &str| Lagging {
            ip: "10.0.1.7".into(),
            state: state.into(),
            says: None,
            checks: None,
            grace_secs: None,
        };
        let initial = Lagging { checks: Some(Checks { about: 1, apart_secs: 5 }), ..target("initial") };
        let failing = Lagging {
            says: Some("Health checks failed with these codes: [404]".into()),
            grace_secs: Some(25),
            ..target("unhealthy")
        };
        let targets = |lagging| Waiting::Targets { healthy: 0, wanted: 2, lagging: Some(lagging) };
        let leaving =
            |step| Waiting::Draining { old: 2, leaving: Some(Leaving { step, secs: 12, of_secs: 30 }) };
        let cases = [
            (
                targets(initial),
                "0 of 2 targets healthy (target 10.0.1.7 initial: about 1 check so far, 5 s apart, and one must pass)",
            ),
            (
                targets(failing),
                "0 of 2 targets healthy (target 10.0.1.7 unhealthy: Health checks failed with these codes: [404]; the grace period ignores that for about 25 s more)",
            ),
            (Waiting::Draining { old: 1, leaving: None }, "1 old task leaving"),
            (leaving(Leave::Draining), "2 old tasks: draining 12 s of 30 s"),
            (Waiting::NoTasks, "scaled to 0: ECS calls it complete without a task"),
            (leaving(Leave::Stopping), "2 old tasks: stopping 12 s of 30 s until SIGKILL"),
        ];
        for (waiting, text) in cases {
            assert_eq!(waits(&waiting), text);
        }
    }
}
