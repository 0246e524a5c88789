//! The life of a task until RUNNING, and the end of its containers.

use super::model::{ContainerState, TaskStatus};
use super::stopping::{self, Stop};
use super::{exec, health, image, order};
use crate::clock::Millis;
use crate::cloudwatch;
use crate::ecs::region::Region;
use crate::ecs::rollout::failures;
use crate::ecs::sessions::close_sessions;
use crate::ecs::state::Due;
use crate::elb::{self, Target};
use crate::workload::{Effect, TaskId};

/// The network interface is there: the task is PENDING, and its images are pulled.
pub(in crate::ecs) fn provisioned(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get(id) else { return };
    if task.status != TaskStatus::Provisioning {
        return;
    }
    let subnet = task.interface.subnet.clone();
    let address = region.identity.next_ip(&subnet);
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    task.status = TaskStatus::Pending;
    task.pull_started_at = Some(now);
    task.interface.ip = address;
    // A full subnet fails tasks one by one: CreateService has succeeded long before.
    if task.interface.ip.is_none() {
        let reason = format!(
            "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled \
             in subnet '{subnet}': InsufficientFreeAddressesInSubnet"
        );
        return failed_to_start(region, now, id, &reason);
    }
    match image::prepare(region, now, id) {
        Ok(start) => region.base.effects.push(Effect::Start(Box::new(start))),
        Err(reason) => {
            // The agent tries for a while before it gives the task up.
            let at = now.plus_millis(region.base.settings.pace.pulling_ms);
            region.ecs.timers.push(region.base.moment(at), Due::FailedToStart { task: id.clone(), reason });
        }
    }
}

/// The images are there: the containers start in their order.
pub(in crate::ecs) fn pulled(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get_mut(id).filter(|task| task.status == TaskStatus::Pending) else {
        return;
    };
    task.pull_stopped_at = Some(now);
    order::start_ready(region, now, id);
}

/// A container runs. The task is ACTIVATING once all of them have started.
pub(in crate::ecs) fn started(region: &mut Region<'_>, now: Millis, id: &TaskId, name: &str) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    let Some(container) = task.container_mut(name).filter(|it| it.state == ContainerState::Starting) else {
        return;
    };
    container.state = ContainerState::Running;
    container.started_at = Some(now);
    image::create_log_stream(region, now, id, name);
    health::schedule(region, now, id, name);
    exec::start_agent(region, now, id, name);
    order::await_within(region, now, id, name);
    order::start_ready(region, now, id);
    activate(region, now, id);
}

/// Registers the targets of a task whose containers have all started.
fn activate(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    let waits = |state| matches!(state, ContainerState::Pending | ContainerState::Starting);
    if task.status != TaskStatus::Pending
        || !task.desired_running
        || task.containers.iter().any(|container| waits(container.state))
    {
        return;
    }
    task.status = TaskStatus::Activating;
    let (targets, ip, key) = (task.targets.clone(), task.interface.ip.clone(), task.service.clone());
    if targets.is_empty() {
        return activated(region, now, id);
    }
    for target in &targets {
        let ip = ip.clone().unwrap_or_default();
        let registered = Target { ip, port: target.port, task: id.clone() };
        elb::register(region.base, region.elb, now, &target.target_group, registered);
        let what = format!("registered 1 targets in (target-group {})", target.target_group);
        region.say(now, &key, &what);
    }
    // ACTIVATING lasts until the targets are registered; the task is RUNNING before its first health check.
    let at = now.plus_millis(region.base.settings.pace.activating_ms);
    region.ecs.timers.push(region.base.moment(at), Due::Activated(id.clone()));
}

/// The targets are registered: RUNNING.
pub(in crate::ecs) fn activated(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    if task.status != TaskStatus::Activating {
        return;
    }
    task.status = TaskStatus::Running;
    task.started_at = Some(now);
    let (key, deployment) = (task.service.clone(), task.deployment.clone());
    let service = region.ecs.services.get_mut(&key);
    if let Some(deployment) = service.and_then(|service| service.deployment_mut(&deployment)) {
        // Tasks that reach RUNNING and stop later are restarted without a pause.
        deployment.backoff.succeeded();
    }
    cloudwatch::arm(region.base, region.cloudwatch, now);
}

/// The task never ran: `TaskFailedToStart`. Containers that run already are stopped.
pub(in crate::ecs) fn failed_to_start(region: &mut Region<'_>, now: Millis, id: &TaskId, reason: &str) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    if task.status != TaskStatus::Pending || !task.desired_running {
        return;
    }
    task.desired_running = false;
    task.stop_code = Some("TaskFailedToStart");
    task.stopped_reason = Some(reason.to_owned());
    task.stopping_at = Some(now);
    for container in task.containers.iter_mut().filter(|container| container.state == ContainerState::Pending)
    {
        container.state = ContainerState::Stopped;
        container.reason = Some(reason.to_owned());
    }
    stopping::terminate(region, now, id);
    failures::never_ran(region, now, id, reason);
}

/// A container could not be started. An essential one is the end of its task; without another one its task continues, as
/// far as no container waits for it.
pub(in crate::ecs) fn cannot_start(
    region: &mut Region<'_>,
    now: Millis,
    id: &TaskId,
    name: &str,
    reason: &str,
) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    let Some(container) = task.container_mut(name) else { return };
    container.state = ContainerState::Stopped;
    container.reason = Some(reason.to_owned());
    let essential = container.essential;
    if essential && task.desired_running {
        return failed_to_start(region, now, id, reason);
    }
    go_on(region, now, id);
}

/// A container ended. When it is an essential one, so does its task.
pub(in crate::ecs) fn exited(
    region: &mut Region<'_>,
    now: Millis,
    id: &TaskId,
    name: &str,
    exit_code: i32,
    reason: Option<String>,
) {
    close_sessions(region.ecs, id, name);
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    let Some(container) = task.container_mut(name) else { return };
    if container.state == ContainerState::Stopped {
        return;
    }
    container.state = ContainerState::Stopped;
    container.exit_code = Some(exit_code);
    container.reason = reason;
    if container.essential && task.desired_running {
        let stop = Stop {
            code: "EssentialContainerExited",
            reason: "Essential container in task exited".to_owned(),
        };
        stopping::begin(region, now, id, &stop);
        failures::died(region, now, id);
        return;
    }
    go_on(region, now, id);
}

/// After the end of a container that does not end its task.
fn go_on(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get(id) else { return };
    match task.status {
        TaskStatus::Pending => {
            order::start_ready(region, now, id);
            activate(region, now, id);
        }
        TaskStatus::Deactivating | TaskStatus::Stopping if task.is_empty() => {
            stopping::deprovision(region, now, id);
        }
        TaskStatus::Stopping => order::stop_ready(region, id),
        _ => {}
    }
}
