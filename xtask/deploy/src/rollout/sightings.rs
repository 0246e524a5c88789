//! How long tasks and targets have been in their states: AWS reports states, the tool's own clock measures.

use std::collections::BTreeMap;

use super::snapshot::{TargetSnapshot, TaskSnapshot};
use super::task_move::TaskMove;

/// The exit code of a container that SIGKILL ended: 128 and the signal's number.
const SIGKILLED: i32 = 137;

/// What a service's settings say about how long things take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Seconds between two health checks of a target.
    pub interval_secs: u64,
    /// Seconds that a leaving target keeps its connections.
    pub deregistration_delay_secs: u64,
    /// Seconds in which failing checks of a new task do not count.
    pub grace_secs: u64,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_timeout_secs: u64,
}

/// When each task and each target was first seen in its present state. Moments are milliseconds of one clock that never
/// runs backwards; AWS's own clock does not matter.
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    /// By task: its state, its health, since when it has both, and since when it runs.
    tasks: BTreeMap<String, Sighted>,
    /// By address and port: the state, and since when.
    targets: BTreeMap<(String, u16), (String, u64)>,
}

#[derive(Clone, Debug)]
struct Sighted {
    status: String,
    health: String,
    first_ms: u64,
    since_ms: u64,
    running_ms: Option<u64>,
}

impl Sightings {
    /// Takes what a poll shows at `now_ms`. Returns the tasks of `deployment` whose state has changed.
    pub fn see(
        &mut self,
        now_ms: u64,
        deployment: &str,
        tasks: &[TaskSnapshot],
        targets: &[TargetSnapshot],
    ) -> Vec<TaskMove> {
        let mut moves = Vec::new();
        for task in tasks {
            let known = self.tasks.get(&task.id);
            let same_status = known.is_some_and(|known| known.status == task.last_status);
            let same = same_status && known.is_some_and(|known| known.health == task.health);
            let first_ms = known.map_or(now_ms, |known| known.first_ms);
            // Kept when the task leaves RUNNING: a grace period counts from when the task first came to it.
            let running_ms =
                known.and_then(|known| known.running_ms).or_else(|| task.is_running().then_some(now_ms));
            // The time in a state continues when only the health changes.
            let since_ms = known.filter(|_| same_status).map_or(now_ms, |known| known.since_ms);
            if task.started_by == deployment && !same {
                moves.push(TaskMove {
                    task: task.id.clone(),
                    last_status: task.last_status.clone(),
                    health: is_determined(&task.health).then(|| task.health.clone()),
                    age_ms: age_ms(task, now_ms, first_ms, running_ms),
                    reason: task.stopped_reason.clone().filter(|_| task.is_stopped()),
                });
            }
            let sighted = Sighted {
                status: task.last_status.clone(),
                health: task.health.clone(),
                first_ms,
                since_ms,
                running_ms,
            };
            self.tasks.insert(task.id.clone(), sighted);
        }
        for target in targets {
            // DescribeTargetHealth gives a target neither an id nor a time: its address and port name it.
            let entry = self.targets.entry((target.ip.clone(), target.port));
            let known = entry.or_insert_with(|| (target.state.clone(), now_ms));
            if known.0 != target.state {
                *known = (target.state.clone(), now_ms);
            }
        }
        moves
    }

    /// The older deployments' tasks that were seen and have now ended with SIGKILL, as those do that ignore SIGTERM for longer
    /// than `stopTimeout`. To be asked before [`Sightings::see`] takes the same poll.
    pub fn killed<'a>(&self, deployment: &str, tasks: &'a [TaskSnapshot]) -> Vec<&'a str> {
        let leaving = |task: &&TaskSnapshot| {
            task.started_by != deployment
                && task.is_stopped()
                && self.tasks.get(&task.id).is_some_and(|known| known.status != "STOPPED")
        };
        let by_signal = |task: &&TaskSnapshot| {
            // 137 with a reason is an OutOfMemoryError, which no `stopTimeout` causes.
            task.containers.iter().any(|it| it.exit_code == Some(SIGKILLED) && it.reason.is_none())
        };
        tasks.iter().filter(leaving).filter(by_signal).map(|task| task.id.as_str()).collect()
    }

    /// For how long a target has been seen in the state that it has.
    pub(super) fn target_ms(&self, now_ms: u64, target: &TargetSnapshot) -> Option<u64> {
        let (state, since) = self.targets.get(&(target.ip.clone(), target.port))?;
        (*state == target.state).then(|| now_ms.saturating_sub(*since))
    }

    /// For how long a task has been seen in the state that it has.
    pub(super) fn task_ms(&self, now_ms: u64, task: &TaskSnapshot) -> Option<u64> {
        let known = self.tasks.get(&task.id).filter(|known| known.status == task.last_status)?;
        Some(now_ms.saturating_sub(known.since_ms))
    }

    /// For how long a task has been seen since it came to RUNNING.
    pub(super) fn running_ms(&self, now_ms: u64, task: &str) -> Option<u64> {
        Some(now_ms.saturating_sub(self.tasks.get(task)?.running_ms?))
    }
}

/// How old a task is: between two of AWS's times, and on from there by our clock.
fn age_ms(task: &TaskSnapshot, now_ms: u64, first_ms: u64, running_ms: Option<u64>) -> Option<u64> {
    let age_at = |at_ms: u64| at_ms.saturating_sub(task.created_ms);
    match (task.stopped_ms, task.started_ms.zip(running_ms)) {
        (Some(stopped), _) => Some(age_at(stopped)),
        (None, Some((started, seen))) => Some(age_at(started) + now_ms.saturating_sub(seen)),
        (None, None) => Some(now_ms.saturating_sub(first_ms)).filter(|age| *age > 0),
    }
}

/// Health that says something: a task without a container health check is UNKNOWN for ever.
fn is_determined(health: &str) -> bool {
    !health.is_empty() && health != "UNKNOWN"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::ContainerSnapshot;

    fn task(by: &str, status: &str, health: &str) -> TaskSnapshot {
        TaskSnapshot {
            id: format!("task-of-{by}"),
            started_by: by.into(),
            last_status: status.into(),
            health: health.into(),
            created_ms: 1_000_000,
            started_ms: (status == "RUNNING").then_some(1_012_000),
            stopped_reason: Some("why".into()),
            ..Default::default()
        }
    }

    #[test]
    fn a_task_is_reported_when_its_state_changes_and_an_old_release_s_task_never_is() {
        let mut sightings = Sightings::default();
        let polls = [
            (0, "PENDING", "UNKNOWN", Some(("PENDING", None, None))),
            (5_000, "PENDING", "UNKNOWN", None),
            (7_000, "ACTIVATING", "UNKNOWN", Some(("ACTIVATING", None, Some(7_000)))),
            (10_000, "RUNNING", "UNKNOWN", Some(("RUNNING", None, Some(12_000)))),
            (20_000, "RUNNING", "HEALTHY", Some(("RUNNING", Some("HEALTHY"), Some(22_000)))),
            (25_000, "RUNNING", "HEALTHY", None),
        ];
        // `stoppedReason` is there from the request to stop on: it is no news before the task has stopped.
        let ends = [("STOPPING", false), ("STOPPED", true)];
        for (status, says_why) in ends {
            let moves = Sightings::default().see(0, "ours", &[task("ours", status, "UNKNOWN")], &[]);
            assert_eq!(moves[0].reason.is_some(), says_why, "{status}");
        }
        for (now, status, health, expected) in polls {
            let tasks = [task("ours", status, health), task("old", status, health)];
            let moves = sightings.see(now, "ours", &tasks, &[]);
            let found: Vec<_> =
                moves.iter().map(|it| (it.last_status.as_str(), it.health.as_deref(), it.age_ms)).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "at {now}");
            assert!(moves.iter().all(|it| it.task == "task-of-ours"));
        }
        assert_eq!(sightings.running_ms(25_000, "task-of-ours"), Some(15_000));
        assert_eq!(sightings.task_ms(25_000, &task("ours", "RUNNING", "HEALTHY")), Some(15_000));
    }

    #[test]
    fn only_an_old_task_that_was_seen_to_live_is_reported_as_killed() {
        let ended = |by: &str, exit_code, reason: Option<&str>| {
            let reason = reason.map(str::to_owned);
            let container = ContainerSnapshot { exit_code: Some(exit_code), reason, ..Default::default() };
            TaskSnapshot { containers: vec![container], ..task(by, "STOPPED", "UNKNOWN") }
        };
        let oom = Some("OutOfMemoryError: Container killed due to memory usage");
        let cases = [
            (true, ended("old", 137, None), 1),
            (false, ended("old", 137, None), 0),
            (true, ended("old", 0, None), 0),
            (true, ended("old", 137, oom), 0),
            (true, ended("ours", 137, None), 0),
        ];
        for (seen, task_now, count) in cases {
            let mut sightings = Sightings::default();
            if seen {
                sightings.see(0, "ours", &[task(&task_now.started_by, "STOPPING", "UNKNOWN")], &[]);
            }
            assert_eq!(
                sightings.killed("ours", std::slice::from_ref(&task_now)).len(),
                count,
                "{task_now:?}"
            );
        }
    }

    #[test]
    fn a_target_s_time_begins_anew_with_each_state() {
        let target =
            |state: &str| TargetSnapshot { ip: "10.0.1.7".into(), state: state.into(), ..Default::default() };
        let mut sightings = Sightings::default();
        sightings.see(0, "ours", &[], &[target("initial")]);
        sightings.see(7_000, "ours", &[], &[target("initial")]);
        assert_eq!(sightings.target_ms(7_000, &target("initial")), Some(7_000));
        sightings.see(9_000, "ours", &[], &[target("draining")]);
        assert_eq!(sightings.target_ms(12_000, &target("draining")), Some(3_000));
        assert_eq!(sightings.target_ms(12_000, &target("healthy")), None);
    }
}
