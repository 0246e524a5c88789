//! Container health checks: sent at their interval, counted against their retries.

use super::model::{ContainerState, HealthStatus, TaskStatus};
use super::order;
use crate::clock::Millis;
use crate::ecs::region::Region;
use crate::ecs::state::Due;
use crate::ecs::task_definition::spec::HealthCheck;
use crate::workload::{Effect, TaskId};

fn definition(region: &Region<'_>, id: &TaskId, container: &str) -> Option<HealthCheck> {
    let task = region.ecs.tasks.get(id)?;
    let definition = region.ecs.families.by_arn(&task.task_definition)?;
    definition.spec.container(container)?.health_check.clone()
}

/// Begins the checks of a container that has just started: the first is an interval away.
pub(super) fn schedule(region: &mut Region<'_>, now: Millis, id: &TaskId, container: &str) {
    let Some(check) = definition(region, id, container) else { return };
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    let status =
        task.container_mut(container).and_then(|container| container.health.as_ref()).map(|h| h.status);
    let mut delay = check.interval * 1000;
    if status != Some(HealthStatus::Healthy)
        && let Some(most) = region.base.settings.pace.first_checks_ms
    {
        delay = delay.min(most);
    }
    let due = Due::CheckContainer { task: id.clone(), container: container.to_owned() };
    region.ecs.timers.push(region.base.moment(now.plus_millis(delay)), due);
}

/// A check is due: ask, as long as the container runs. The next one is due after the answer.
pub(in crate::ecs) fn check_due(region: &mut Region<'_>, id: &TaskId, name: &str) {
    let Some(check) = definition(region, id, name) else { return };
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    // Also in a PENDING task: `dependsOn` with HEALTHY waits for this container before the others start.
    let alive = (TaskStatus::Pending..=TaskStatus::Deactivating).contains(&task.status);
    let running =
        task.container_mut(name).is_some_and(|container| container.state == ContainerState::Running);
    if alive && running {
        region.base.effects.push(Effect::CheckContainer {
            task: id.clone(),
            container: name.to_owned(),
            command: check.command,
            timeout_secs: check.timeout,
        });
    }
}

/// The answer to a check. Failures within `startPeriod` do not count; any success ends it.
pub(in crate::ecs) fn checked(region: &mut Region<'_>, now: Millis, id: &TaskId, name: &str, healthy: bool) {
    let Some(check) = definition(region, id, name) else { return };
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    let Some(container) = task.container_mut(name) else { return };
    let started = container.started_at.unwrap_or(now);
    let Some(health) = container.health.as_mut() else { return };
    if healthy {
        health.status = HealthStatus::Healthy;
        health.failures = 0;
    } else {
        let starting =
            health.status == HealthStatus::Unknown && now.since(started) < check.start_period * 1000;
        if !starting {
            health.failures += 1;
        }
        // `retries` failures in a row; one success sets the count to zero.
        if health.failures >= check.retries {
            health.status = HealthStatus::Unhealthy;
        }
    }
    schedule(region, now, id, name);
    if healthy {
        order::start_ready(region, now, id);
    }
}
