//! What `status` shows beyond the table: what is not as it should be, and one service in detail.

use serde::Serialize;

use crate::model::{Service, ServiceKey, arn_name};
use crate::rollout::{Diagnosis, ServiceEvent, TargetSnapshot, TaskSnapshot};
use crate::verify::Reading;

/// Tasks that stop by themselves are replaced: one of them is no problem of the service.
const CRASHES: usize = 2;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Problem {
    pub service: ServiceKey,
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Detail {
    pub tasks: Vec<TaskRow>,
    /// The newest ones, newest first.
    pub events: Vec<ServiceEvent>,
    /// Why tasks of about the last hour stopped; `None` when none did, or only because they were no longer needed.
    pub stopped: Option<Diagnosis>,
    /// Newest first.
    pub scaling: Vec<ScalingActivity>,
    pub alarms: Vec<AlarmState>,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TaskRow {
    pub id: String,
    /// Since its containers run, or else since it was made.
    pub age_ms: u64,
    pub status: String,
    /// Of its containers: `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
    pub health: String,
    /// The state of its target; `None` where there is no target.
    pub target: Option<String>,
    pub revision: String,
    pub zone: Option<String>,
    pub address: Option<String>,
}

/// One entry of DescribeScalingActivities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ScalingActivity {
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    pub description: String,
    pub cause: String,
    pub status: String,
    pub message: Option<String>,
}

/// One entry of DescribeAlarms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AlarmState {
    pub name: String,
    pub state: String,
    pub reason: String,
    /// Milliseconds since the Unix epoch.
    pub since_ms: u64,
}

/// What is not as it should be. A roll in progress is as it should be; a service that somebody scaled to 0 is not.
pub fn problems<'a>(
    services: impl Iterator<Item = (&'a Service, &'a Reading)>,
    alarms: &[AlarmState],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (service, reading) in services {
        let mut problem = |text: String| problems.push(Problem { service: service.key.clone(), text });
        if reading.is_parked() && service.desired_count > 0 {
            let start = format!("`cargo xtask scale {} {}` starts it", service.key, service.desired_count);
            problem(format!("{} is scaled to 0 tasks by hand; {start}", service.name));
        }
        let lacks = reading.lacks(&[], CRASHES);
        let rolls = lacks.iter().any(|lack| lack.passing) && reading.is_rolling();
        lacks.into_iter().filter(|lack| !lack.passing || !rolls).for_each(|lack| problem(lack.text));
        let watched = service.deployment.alarms.iter().flat_map(|alarms| &alarms.names);
        for name in watched {
            match alarms.iter().find(|alarm| alarm.name == *name) {
                Some(alarm) if alarm.state == "ALARM" => {
                    problem(format!("alarm {name} is in ALARM: {}", alarm.reason));
                }
                _ => {}
            }
        }
    }
    problems
}

/// A service's tasks, the newest deployment's first.
pub fn tasks(reading: &Reading, now_ms: u64) -> Vec<TaskRow> {
    let targets = reading.targets.as_deref().unwrap_or_default();
    let primary = reading.service.deployments.first().map(|primary| primary.id.as_str());
    let mut tasks: Vec<&TaskSnapshot> = reading.tasks.iter().collect();
    tasks.sort_by_key(|task| (Some(task.started_by.as_str()) != primary, task.created_ms, &task.id));
    let row = |task: &&TaskSnapshot| {
        let of = |target: &&TargetSnapshot| Some(&target.ip) == task.private_ip.as_ref();
        TaskRow {
            id: task.id.clone(),
            age_ms: now_ms.saturating_sub(task.started_ms.unwrap_or(task.created_ms)),
            status: task.last_status.clone(),
            health: task.health.clone(),
            target: targets.iter().find(of).map(|target| target.state.clone()),
            revision: arn_name(&task.task_definition).to_owned(),
            zone: task.zone.clone(),
            address: task.private_ip.clone(),
        }
    };
    tasks.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{DeploymentSnapshot, ServiceSnapshot};

    fn service() -> Service {
        let text = include_str!("../tests/fixtures/ielts.toml");
        crate::config::load("deploy.toml", text, Some("prod")).unwrap().environment.services.remove(0)
    }

    fn task(id: &str, by: &str, ip: &str) -> TaskSnapshot {
        TaskSnapshot {
            id: id.into(),
            started_by: by.into(),
            last_status: "RUNNING".into(),
            desired_status: "RUNNING".into(),
            health: "HEALTHY".into(),
            private_ip: Some(ip.into()),
            created_ms: 1_000,
            started_ms: Some(3_000),
            ..TaskSnapshot::default()
        }
    }

    fn reading(rollout: &str, targets: [&str; 2]) -> Reading {
        let deployment = DeploymentSnapshot {
            id: "new".into(),
            status: "PRIMARY".into(),
            rollout_state: Some(rollout.into()),
            ..DeploymentSnapshot::default()
        };
        let target = |(ip, state): (&str, &str)| TargetSnapshot {
            ip: ip.into(),
            state: state.into(),
            ..TargetSnapshot::default()
        };
        Reading {
            service: ServiceSnapshot {
                name: "ielts-backend-service".into(),
                status: "ACTIVE".into(),
                desired: 2,
                running: 2,
                deployments: vec![deployment],
                ..ServiceSnapshot::default()
            },
            tasks: vec![task("a", "old", "10.0.0.1"), task("b", "new", "10.0.0.2")],
            targets: Some(["10.0.0.1", "10.0.0.2"].into_iter().zip(targets).map(target).collect()),
            ..Reading::default()
        }
    }

    #[test]
    fn a_roll_is_no_problem_and_what_does_not_serve_is_one() {
        let service = service();
        let found = |reading: &Reading, alarms: &[AlarmState]| {
            let found = problems([(&service, reading)].into_iter(), alarms);
            found.into_iter().map(|problem| problem.text).collect::<Vec<_>>()
        };
        assert_eq!(found(&reading("COMPLETED", ["healthy", "healthy"]), &[]), Vec::<String>::new());
        assert_eq!(found(&reading("IN_PROGRESS", ["healthy", "initial"]), &[]), Vec::<String>::new());
        // Without a roll nothing says that it will pass.
        assert_eq!(
            found(&reading("COMPLETED", ["healthy", "initial"]), &[]),
            ["ielts-backend-service: 1 of 2 targets are healthy"]
        );
        assert_eq!(found(&reading("FAILED", ["healthy", "unhealthy"]), &[]).len(), 2);
        let mut parked = reading("COMPLETED", ["healthy", "healthy"]);
        parked.service.desired = 0;
        assert!(
            found(&parked, &[])[0]
                .ends_with("is scaled to 0 tasks by hand; `cargo xtask scale backend 2` starts it")
        );
    }

    #[test]
    fn tasks_of_the_newest_deployment_come_first_with_the_state_of_their_targets() {
        let rows = tasks(&reading("IN_PROGRESS", ["draining", "healthy"]), 63_000);
        let shown: Vec<_> =
            rows.iter().map(|row| (row.id.as_str(), row.age_ms, row.target.as_deref().unwrap())).collect();
        assert_eq!(shown, [("b", 60_000, "healthy"), ("a", 60_000, "draining")]);
    }
}
