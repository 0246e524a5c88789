//! CPU and memory of services, as CloudWatch shows them: a sample of every running task, once a minute.

use super::task::model::TaskStatus;
use crate::clock::Millis;
use crate::cloudwatch::{Metric, Samples};
use crate::ecs::region::Region;
use crate::workload::{Effect, TaskId};

/// Asks the workload what every running task of a service uses; whether there is one.
pub(crate) fn ask_for_usage(region: &mut Region<'_>) -> bool {
    let runs = |task: &&super::task::model::Task| {
        task.status == TaskStatus::Running && task.desired_running && !task.service.service.is_empty()
    };
    let tasks: Vec<TaskId> = region.ecs.live().filter(runs).map(|task| task.id.clone()).collect();
    let any = !tasks.is_empty();
    region.base.effects.extend(tasks.into_iter().map(|task| Effect::Measure { task }));
    any
}

/// Takes what a task used in the minute that has ended: CPU units and MiB. Fargate gives a task no more than it has.
pub(crate) fn measured(region: &mut Region<'_>, now: Millis, id: &TaskId, cpu: f64, memory_mib: f64) {
    let Some(task) = region.ecs.tasks.get(id) else { return };
    let (units, mib) = task.size;
    let percent = |used: f64, size: u32| (used * 100.0 / f64::from(size.max(1))).clamp(0.0, 100.0);
    let dimensions =
        [("ClusterName", task.service.cluster.as_str()), ("ServiceName", task.service.service.as_str())];
    let shares = [("CPUUtilization", percent(cpu, units)), ("MemoryUtilization", percent(memory_mib, mib))];
    let minute = Millis(now.0.saturating_sub(60_000));
    for (name, share) in shares {
        let metric = Metric::new("AWS/ECS", name, &dimensions);
        region.cloudwatch.metrics.add(minute, metric, Samples::one(share));
    }
}
