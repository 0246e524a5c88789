//! The order in which a task's containers start and stop: `dependsOn`, and its reverse.
//!
//! Source: amazon-ecs-agent, `engine/dependencygraph`, whose words the reasons are.

use super::life;
use super::model::{Container, ContainerState, HealthStatus, Task, TaskStatus};
use crate::clock::Millis;
use crate::ecs::region::Region;
use crate::ecs::state::Due;
use crate::ecs::task_definition::spec::{ContainerSpec, Dependency, TaskSpec};
use crate::workload::{Effect, TaskId};

/// What docker gives a container that got SIGTERM: the agent's code for one whose dependencies cannot come true.
const GIVEN_UP: i32 = 143;

/// Starts every container whose dependencies have come true, and gives up those whose dependencies never can.
pub(super) fn start_ready(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some((task, spec)) = of(region, id) else { return };
    if task.status != TaskStatus::Pending || !task.desired_running || task.pull_stopped_at.is_none() {
        return;
    }
    let (mut ready, mut never) = (Vec::new(), None);
    for container in task.containers.iter().filter(|container| container.state == ContainerState::Pending) {
        let dependencies = spec.container(&container.name).map_or(&[][..], |it| &it.depends_on);
        let known = |on: &Dependency| task.containers.iter().find(|it| it.name == on.container_name);
        let waits = dependencies.iter().filter_map(|on| Some((on, known(on)?)));
        let open: Vec<_> = waits.filter(|(on, other)| !holds(&on.condition, other)).collect();
        match open.iter().find(|(on, other)| !can_hold(&on.condition, other)) {
            Some((_, other)) => {
                never = never.or(Some((container.name.clone(), unsuccessful(other, container))))
            }
            None if open.is_empty() => ready.push(container.name.clone()),
            None => {}
        }
    }
    if let Some((name, reason)) = never {
        // One at a time: its end may be what others wait for.
        return life::exited(region, now, id, &name, GIVEN_UP, Some(reason));
    }
    for name in ready {
        if let Some(container) = region.ecs.tasks.get_mut(id).and_then(|task| task.container_mut(&name)) {
            container.state = ContainerState::Starting;
            region.base.effects.push(Effect::StartContainer { task: id.clone(), container: name });
        }
    }
}

fn of<'a>(region: &'a Region<'_>, id: &TaskId) -> Option<(&'a Task, &'a TaskSpec)> {
    let task = region.ecs.tasks.get(id)?;
    Some((task, &region.ecs.families.by_arn(&task.task_definition)?.spec))
}

/// Whether a dependency on this container has come true.
fn holds(condition: &str, other: &Container) -> bool {
    match condition {
        "COMPLETE" => other.state == ContainerState::Stopped && other.started_at.is_some(),
        "SUCCESS" => other.exit_code == Some(0),
        "HEALTHY" => {
            other.is_alive()
                && other.health.as_ref().is_some_and(|health| health.status == HealthStatus::Healthy)
        }
        _ => other.started_at.is_some(),
    }
}

/// Whether a dependency on this container may still come true. One for `HEALTHY` is waited for until `startTimeout`.
fn can_hold(condition: &str, other: &Container) -> bool {
    let ended = other.state == ContainerState::Stopped;
    !ended || (other.started_at.is_some() && condition != "SUCCESS")
}

fn unsuccessful(other: &Container, target: &Container) -> String {
    let why = if other.started_at.is_none() {
        "as dependency container has not started and will not start"
    } else {
        "as dependency did not exit successfully"
    };
    format!(
        "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [{}] for target \
         [{}] {why}.",
        other.name, target.name
    )
}

/// Starts a container's `startTimeout`, if it has one: what others wait for must be true by then.
pub(super) fn await_within(region: &mut Region<'_>, now: Millis, id: &TaskId, name: &str) {
    let Some((_, spec)) = of(region, id) else { return };
    if let Some(secs) = spec.container(name).and_then(|container| container.start_timeout) {
        let due = Due::StartTimeout { task: id.clone(), container: name.to_owned() };
        region.ecs.timers.push(region.base.moment(now.plus_secs(secs)), due);
    }
}

/// `startTimeout` has passed: containers that still wait for this one do not start.
pub(in crate::ecs) fn start_timed_out(region: &mut Region<'_>, now: Millis, id: &TaskId, name: &str) {
    let Some((task, spec)) = of(region, id) else { return };
    let Some(other) = task.containers.iter().find(|container| container.name == name) else { return };
    let waits = |target: &&Container| {
        let dependencies = spec.container(&target.name).map_or(&[][..], |it| &it.depends_on);
        let mut open = dependencies.iter().filter(|on| on.container_name == name);
        target.state == ContainerState::Pending && open.any(|on| !holds(&on.condition, other))
    };
    let Some(target) = task.containers.iter().find(waits).filter(|_| task.desired_running) else { return };
    let reason = format!(
        "CannotStartContainerError: dependency graph: container ordering dependency [{name}] for target [{}] has timed \
         out.",
        target.name
    );
    let target = target.name.clone();
    life::exited(region, now, id, &target, GIVEN_UP, Some(reason));
}

/// Sends the stop signal to every container that no running container depends on.
pub(super) fn stop_ready(region: &mut Region<'_>, id: &TaskId) {
    let Some((task, spec)) = of(region, id) else { return };
    let needs = |container: &Container, name: &str| {
        let dependencies = spec.container(&container.name).map_or(&[][..], |it| &it.depends_on);
        dependencies.iter().any(|on| on.container_name == name)
    };
    let needed = |name: &str| task.containers.iter().any(|other| other.is_alive() && needs(other, name));
    let timeout = |name: &str| spec.container(name).map_or(30, ContainerSpec::stop_timeout);
    let ready: Vec<(String, u64)> = task
        .containers
        .iter()
        .filter(|it| it.is_alive() && !it.signalled && !needed(&it.name))
        .map(|it| (it.name.clone(), timeout(&it.name)))
        .collect();
    for (name, timeout_secs) in ready {
        if let Some(container) = region.ecs.tasks.get_mut(id).and_then(|task| task.container_mut(&name)) {
            container.signalled = true;
            let task = id.clone();
            region.base.effects.push(Effect::StopContainer { task, container: name, timeout_secs });
        }
    }
}
