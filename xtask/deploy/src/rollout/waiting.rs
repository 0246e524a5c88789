//! What a rolling deployment waits for, so that a person can tell slow from stuck.

use super::snapshot::{ServiceSnapshot, TargetSnapshot, TaskSnapshot};
use crate::event::Waiting;

/// What our deployment waits for. `tasks` and `targets` may hold older deployments' too: the load balancer
/// lists old and new targets side by side, and only addresses tell them apart.
#[must_use]
pub fn waiting(
    deployment: &str,
    service: &ServiceSnapshot,
    tasks: &[TaskSnapshot],
    targets: &[TargetSnapshot],
) -> Waiting {
    let Some(ours) = service.deployments.iter().find(|entry| entry.id == deployment) else {
        return Waiting::FirstSight;
    };
    if ours.rollout_state.as_deref() == Some("FAILED") {
        return Waiting::Rollback;
    }
    if ours.running < ours.desired {
        return Waiting::Tasks;
    }
    let addresses: Vec<&str> = tasks
        .iter()
        .filter(|task| task.started_by == deployment && task.desired_status == "RUNNING")
        .filter_map(|task| task.private_ip.as_deref())
        .collect();
    let (healthy, rest): (Vec<_>, Vec<_>) = targets
        .iter()
        .filter(|target| addresses.contains(&target.ip.as_str()))
        .partition(|target| target.state == "healthy");
    let count = u32::try_from(healthy.len()).unwrap_or(u32::MAX);
    if !addresses.is_empty() && count < ours.desired {
        let says = rest.first().map(|target| {
            let reason = target.description.as_deref().or(target.reason.as_deref()).unwrap_or_default();
            format!("{} {} {reason}", target.ip, target.state).trim_end().to_owned()
        });
        return Waiting::Targets { healthy: count, wanted: ours.desired, says };
    }
    // A task that drains is no longer counted as running, and is there all the same.
    let leaving =
        tasks.iter().filter(|task| task.started_by != deployment && task.last_status != "STOPPED").count();
    let running: u32 =
        service.deployments.iter().filter(|entry| entry.id != deployment).map(|entry| entry.running).sum();
    let old = running.max(u32::try_from(leaving).unwrap_or(u32::MAX));
    if old > 0 { Waiting::Draining { old } } else { Waiting::Completion }
}

#[cfg(test)]
mod tests {
    use super::super::DeploymentSnapshot;
    use super::*;

    fn deployment(id: &str, desired: u32, running: u32) -> DeploymentSnapshot {
        DeploymentSnapshot { id: id.into(), desired, running, ..Default::default() }
    }

    fn task(by: &str, ip: &str) -> TaskSnapshot {
        TaskSnapshot {
            started_by: by.into(),
            desired_status: "RUNNING".into(),
            private_ip: Some(ip.into()),
            ..Default::default()
        }
    }

    fn target(ip: &str, state: &str) -> TargetSnapshot {
        TargetSnapshot { ip: ip.into(), state: state.into(), ..Default::default() }
    }

    fn service(running: u32, old: u32) -> ServiceSnapshot {
        let deployments = vec![deployment("ours", 2, running), deployment("old", 2, old)];
        ServiceSnapshot { deployments, ..Default::default() }
    }

    #[test]
    fn the_old_release_s_healthy_targets_are_not_counted_as_ours() {
        let tasks = [task("ours", "10.0.1.1"), task("ours", "10.0.1.2"), task("old", "10.0.1.3")];
        let targets =
            [target("10.0.1.1", "healthy"), target("10.0.1.2", "initial"), target("10.0.1.3", "healthy")];
        let says = Some("10.0.1.2 initial".to_owned());
        assert_eq!(
            waiting("ours", &service(2, 2), &tasks, &targets),
            Waiting::Targets { healthy: 1, wanted: 2, says }
        );
    }

    #[test]
    fn each_part_of_a_roll_is_told_apart() {
        let tasks = [task("ours", "10.0.1.1"), task("ours", "10.0.1.2")];
        let targets = [target("10.0.1.1", "healthy"), target("10.0.1.2", "healthy")];
        assert_eq!(waiting("ours", &ServiceSnapshot::default(), &[], &[]), Waiting::FirstSight);
        assert_eq!(waiting("ours", &service(1, 2), &[], &[]), Waiting::Tasks);
        assert_eq!(waiting("ours", &service(2, 2), &tasks, &targets), Waiting::Draining { old: 2 });
        assert_eq!(waiting("ours", &service(2, 0), &tasks, &targets), Waiting::Completion);
        let leaving = TaskSnapshot { last_status: "DEACTIVATING".into(), ..task("old", "10.0.1.3") };
        let all = [tasks.as_slice(), &[leaving]].concat();
        assert_eq!(waiting("ours", &service(2, 0), &all, &targets), Waiting::Draining { old: 1 });
    }
}
