//! The census: how each of a service's tasks counts now, and when time alone will change that.

use super::decision::{Cause, Class, Member};
use crate::clock::Millis;
use crate::ecs::key::ServiceKey;
use crate::ecs::protection;
use crate::ecs::region::Region;
use crate::ecs::task::model::{HealthStatus, Task, TaskStatus};
use crate::elb::{self, TargetState};
use crate::workload::TaskId;

/// The service's tasks as the scheduler sees them.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub(super) members: Vec<Member>,
    /// Unhealthy tasks with their cause.
    pub(super) unhealthy: Vec<(TaskId, Cause)>,
    /// Tasks of older deployments that are not STOPPED yet, though their containers may be gone.
    pub(super) old_left: u32,
    /// When the passing of time alone changes the picture.
    pub(super) changes_at: Option<Millis>,
}

impl Census {
    fn changes_by(&mut self, at: Millis) {
        self.changes_at = Some(self.changes_at.map_or(at, |known| known.min(at)));
    }
}

pub(super) fn take(region: &Region<'_>, now: Millis, key: &ServiceKey) -> Census {
    let mut census = Census::default();
    let Some(service) = region.ecs.services.get(key) else { return census };
    let grace = u64::from(service.knobs.health_check_grace_period.unwrap_or(0)) * 1000;
    for task in region.ecs.tasks.live_of(key) {
        let primary = task.deployment == service.primary.id;
        census.old_left += u32::from(!primary);
        // Its containers are gone: it takes no place any more, but ECS still waits for it before it calls the deployment
        // complete.
        if task.status >= TaskStatus::Deprovisioning {
            continue;
        }
        let class = class(region, now, task, grace, &mut census);
        let protected = protection::is_protected(task, now);
        if let Some(until) = task.protected_until.filter(|_| protected) {
            census.changes_by(until);
        }
        census.members.push(Member { task: task.id.clone(), primary, class, protected });
    }
    census
}

fn class(region: &Region<'_>, now: Millis, task: &Task, grace: u64, census: &mut Census) -> Class {
    if !task.desired_running {
        return Class::Stopping;
    }
    let (TaskStatus::Running, Some(started)) = (task.status, task.started_at) else { return Class::Starting };
    if task.targets.is_empty() && !task.has_health_check() {
        // Without a health check, staying up is all there is to see.
        let proven = started.plus_millis(region.base.settings.pace.unchecked_healthy_ms);
        if proven <= now {
            return Class::Healthy;
        }
        census.changes_by(proven);
        return Class::Settling;
    }
    match verdict(region, task) {
        Verdict::Healthy => Class::Healthy,
        Verdict::Open => Class::Settling,
        Verdict::Unhealthy(cause) => {
            // Within the grace period a failing check counts for nothing; a passing one counts at once.
            let judged_from = started.plus_millis(grace);
            if now < judged_from {
                census.changes_by(judged_from);
                return Class::Settling;
            }
            census.unhealthy.push((task.id.clone(), cause));
            Class::Unhealthy
        }
    }
}

enum Verdict {
    Healthy,
    Open,
    Unhealthy(Cause),
}

/// Container health check and target group must both be healthy, where a task has both.
fn verdict(region: &Region<'_>, task: &Task) -> Verdict {
    let mut open = false;
    if task.has_health_check() {
        match task.health() {
            HealthStatus::Unhealthy => return Verdict::Unhealthy(Cause::Container),
            HealthStatus::Unknown => open = true,
            HealthStatus::Healthy => {}
        }
    }
    let ip = task.interface.ip.as_deref().unwrap_or_default();
    for target in &task.targets {
        let health = elb::health(region.elb, &target.target_group, ip, target.port);
        match health.state {
            TargetState::Healthy => {}
            TargetState::Unhealthy => {
                let reason = health.description.or(health.reason.map(str::to_owned));
                return Verdict::Unhealthy(Cause::Target {
                    target_group: target.target_group.clone(),
                    port: target.port,
                    reason: reason.unwrap_or_else(|| "Health checks failed".to_owned()),
                });
            }
            _ => open = true,
        }
    }
    if open { Verdict::Open } else { Verdict::Healthy }
}
