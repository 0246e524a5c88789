//! A task's way to RUNNING, and its containers' ends.

use super::model::{ContainerState, TaskStatus};
use super::stopping::{self, Stop};
use super::{health, image};
use crate::account::{Account, Due as AccountDue, Millis};
use crate::ecs::rollout;
use crate::ecs::state::Due;
use crate::elb::{self, Target};
use crate::workload::{Effect, TaskId};

/// The network interface is there: the task is PENDING, and its images are pulled.
pub(in crate::ecs) fn provisioned(account: &mut Account, now: Millis, id: &TaskId) {
    let Some(task) = account.ecs.tasks.get(id) else { return };
    if task.status != TaskStatus::Provisioning {
        return;
    }
    let subnet = task.interface.subnet.clone();
    let address = account.identity.next_ip(&subnet);
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    task.status = TaskStatus::Pending;
    task.pull_started_at = Some(now);
    task.interface.ip = address;
    if task.interface.ip.is_none() {
        let reason = format!(
            "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled \
             in subnet '{subnet}': InsufficientFreeAddressesInSubnet"
        );
        return failed_to_start(account, now, id, &reason);
    }
    match image::prepare(account, now, id) {
        Ok(start) => account.effects.push(Effect::Start(Box::new(start))),
        Err(reason) => {
            // The agent tries for a while before it gives the task up.
            let at = now.plus_millis(account.settings.pace.pulling_ms);
            account.timers.push(at, AccountDue::Ecs(Due::FailedToStart { task: id.clone(), reason }));
        }
    }
}

/// All containers run. A task with targets is ACTIVATING until they are registered.
pub(in crate::ecs) fn running(account: &mut Account, now: Millis, id: &TaskId) {
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    if task.status != TaskStatus::Pending {
        return;
    }
    task.pull_stopped_at = Some(now);
    task.containers_started_at = Some(now);
    for container in &mut task.containers {
        container.state = ContainerState::Running;
    }
    task.status = TaskStatus::Activating;
    let (targets, ip, key) = (task.targets.clone(), task.interface.ip.clone(), task.service.clone());
    image::create_log_streams(account, now, id);
    health::begin(account, now, id);
    if targets.is_empty() {
        return activated(account, now, id);
    }
    for target in &targets {
        let ip = ip.clone().unwrap_or_default();
        let registered = Target { ip, port: target.port, task: id.clone() };
        elb::register(account, now, &target.target_group, registered);
        let what = format!("registered 1 targets in (target-group {})", target.target_group);
        if let Some(service) = account.ecs.services.get_mut(&key) {
            service.events.push(&mut account.ids, now, &key.service, &what);
        }
    }
    let at = now.plus_millis(account.settings.pace.activating_ms);
    account.timers.push(at, AccountDue::Ecs(Due::Activated(id.clone())));
}

/// The targets are registered: RUNNING.
pub(in crate::ecs) fn activated(account: &mut Account, now: Millis, id: &TaskId) {
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    if task.status != TaskStatus::Activating {
        return;
    }
    task.status = TaskStatus::Running;
    task.started_at = Some(now);
    let (key, deployment) = (task.service.clone(), task.deployment.clone());
    let service = account.ecs.services.get_mut(&key);
    if let Some(deployment) = service.and_then(|service| service.deployment_mut(&deployment)) {
        deployment.backoff.succeeded();
    }
}

/// The task never ran: `TaskFailedToStart`.
pub(in crate::ecs) fn failed_to_start(account: &mut Account, now: Millis, id: &TaskId, reason: &str) {
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    if task.status != TaskStatus::Pending || !task.desired_running {
        return;
    }
    task.desired_running = false;
    task.stop_code = Some("TaskFailedToStart");
    task.stopped_reason = Some(reason.to_owned());
    task.stopping_at = Some(now);
    for container in &mut task.containers {
        container.state = ContainerState::Stopped;
        container.reason = Some(reason.to_owned());
    }
    stopping::deprovision(account, now, id);
    rollout::never_ran(account, now, id, reason);
}

/// A container ended. When it is an essential one, so does its task.
pub(in crate::ecs) fn exited(
    account: &mut Account,
    now: Millis,
    id: &TaskId,
    name: &str,
    exit_code: i32,
    reason: Option<String>,
) {
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    let Some(container) = task.container_mut(name) else { return };
    if container.state == ContainerState::Stopped {
        return;
    }
    container.state = ContainerState::Stopped;
    container.exit_code = Some(exit_code);
    container.reason = reason;
    let essential = container.essential;
    if task.desired_running && (essential || task.is_empty()) {
        let stop = Stop {
            code: "EssentialContainerExited",
            reason: "Essential container in task exited".to_owned(),
        };
        stopping::begin(account, now, id, &stop);
        rollout::died(account, now, id);
    } else if task.is_empty() && matches!(task.status, TaskStatus::Deactivating | TaskStatus::Stopping) {
        stopping::deprovision(account, now, id);
    }
}
