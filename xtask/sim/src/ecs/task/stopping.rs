//! A task from the request to stop until it is forgotten.

use super::model::TaskStatus;
use super::order;
use crate::clock::Millis;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::ecs::state::Due;
use crate::elb::{self, TargetState};
use crate::workload::{Effect, TaskId};

#[derive(Clone, Debug)]
pub(in crate::ecs) struct Stop {
    pub(in crate::ecs) code: &'static str,
    pub(in crate::ecs) reason: String,
}

/// Asks the task to stop. Its targets are drained before its containers get SIGTERM.
pub(in crate::ecs) fn begin(region: &mut Region<'_>, now: Millis, id: &TaskId, stop: &Stop) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    if !task.desired_running {
        return;
    }
    task.desired_running = false;
    task.stop_code = Some(stop.code);
    task.stopped_reason = Some(stop.reason.clone());
    task.stopping_at = Some(now);
    match task.status {
        TaskStatus::Provisioning => deprovision(region, now, id),
        TaskStatus::Pending => terminate(region, now, id),
        TaskStatus::Activating | TaskStatus::Running => {
            // The other containers of a task whose essential container exited stop at once: nothing could serve while draining.
            let serves = stop.code != "EssentialContainerExited";
            if deregister(region, now, id) && serves {
                if let Some(task) = region.ecs.tasks.get_mut(id) {
                    // DEACTIVATING for the whole deregistration delay, even without requests in flight (developer guide,
                    // load-balancer-connection-draining).
                    task.status = TaskStatus::Deactivating;
                }
            } else {
                terminate(region, now, id);
            }
        }
        _ => {}
    }
}

/// Stops the containers of a service's tasks whose targets have all been drained. True when there was one.
pub(in crate::ecs) fn drained(region: &mut Region<'_>, now: Millis, key: &ServiceKey) -> bool {
    let waiting = region.ecs.tasks.live_of(key).filter(|task| task.status == TaskStatus::Deactivating);
    let ready = waiting.filter(|task| {
        let ip = task.interface.ip.as_deref().unwrap_or_default();
        let mut targets = task.targets.iter();
        !targets.any(|target| {
            elb::health(region.elb, &target.target_group, ip, target.port).state == TargetState::Draining
        })
    });
    let ready: Vec<TaskId> = ready.map(|task| task.id.clone()).collect();
    for id in &ready {
        terminate(region, now, id);
    }
    !ready.is_empty()
}

/// Sends SIGTERM to the containers; a task without a running container is deprovisioned at once.
pub(super) fn terminate(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    task.status = TaskStatus::Stopping;
    if task.is_empty() {
        deprovision(region, now, id);
    } else {
        order::stop_ready(region, id);
    }
}

/// Deregisters the task's targets. True when there are any.
fn deregister(region: &mut Region<'_>, now: Millis, id: &TaskId) -> bool {
    let Some(task) = region.ecs.tasks.get(id) else { return false };
    let (targets, key) = (task.targets.clone(), task.service.clone());
    let ip = task.interface.ip.clone().unwrap_or_default();
    for target in &targets {
        elb::deregister(region.base, region.elb, now, &target.target_group, &ip, target.port);
        let what = format!("deregistered 1 targets in (target-group {})", target.target_group);
        region.say(now, &key, &what);
    }
    if !targets.is_empty() {
        region.say(now, &key, "has begun draining connections on 1 tasks.");
    }
    !targets.is_empty()
}

/// The network interface is being removed.
pub(super) fn deprovision(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    if task.status >= TaskStatus::Deprovisioning {
        return;
    }
    if task.status > TaskStatus::Provisioning {
        region.base.effects.push(Effect::Remove { task: id.clone() });
    }
    task.status = TaskStatus::Deprovisioning;
    let at = now.plus_millis(region.base.settings.pace.deprovisioning_ms);
    region.ecs.timers.push(region.base.moment(at), Due::Deprovisioned(id.clone()));
}

/// STOPPED, and remembered for an hour.
pub(in crate::ecs) fn deprovisioned(region: &mut Region<'_>, now: Millis, id: &TaskId) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    task.status = TaskStatus::Stopped;
    task.stopped_at = Some(now);
    for container in &mut task.containers {
        container.state = super::model::ContainerState::Stopped;
    }
    if let Some(address) = task.interface.ip.clone() {
        region.identity.release_ip(&address);
    }
    region.ecs.tasks.retire(id);
    let at = now.plus_millis(region.base.settings.pace.memory_ms);
    region.ecs.timers.push(region.base.moment(at), Due::ForgetTask(id.clone()));
}

pub(in crate::ecs) fn forget(region: &mut Region<'_>, id: &TaskId) {
    if let Some(task) = region.ecs.tasks.remove(id) {
        region.base.tags.forget(&task.arn);
    }
}
