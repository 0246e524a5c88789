//! What the scheduler does next: a pure function of how a service's tasks are.
//!
//! It knows nothing of targets, health checks or time; those are weighed before, in the census.

use crate::workload::TaskId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Starting,
    /// RUNNING, and not yet known to be healthy.
    Settling,
    Healthy,
    /// RUNNING and failing its health checks.
    Unhealthy,
    /// Asked to stop, its containers not yet gone.
    Stopping,
}

/// A task as the scheduler sees it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) task: TaskId,
    pub(super) primary: bool,
    pub(super) class: Class,
    /// It is stopped only when it is unhealthy (UpdateTaskProtection).
    pub(super) protected: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wants {
    pub(super) desired: u32,
    /// The fewest healthy tasks while old ones are replaced.
    pub(super) lower: u32,
    /// The most tasks, those that are still stopping included.
    pub(super) upper: u32,
    /// The PRIMARY deployment launches tasks: it has not FAILED.
    pub(super) launches: bool,
    /// It may launch now: it is not waiting after failures.
    pub(super) may_launch: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) launch: u32,
    /// Tasks to stop because fewer are wanted, or because newer ones took over.
    pub(super) scale_in: Vec<TaskId>,
    /// Tasks to stop because they are unhealthy.
    pub(super) unhealthy: Vec<TaskId>,
    /// Neither a start nor a stop is permitted, and no start or stop in progress could change that.
    pub(super) blocked: bool,
    /// A launch is wanted and permitted, and waits only for time.
    pub(super) waiting: bool,
}

/// Decides. `members` are in the order of their launch.
pub(super) fn decide(members: &[Member], wants: Wants) -> Decision {
    let count = |primary: bool, class: Class| {
        members.iter().filter(|member| member.primary == primary && member.class == class).count() as u32
    };
    let healthy_new = count(true, Class::Healthy);
    let unhealthy_new = count(true, Class::Unhealthy);
    let good = count(true, Class::Starting) + count(true, Class::Settling) + healthy_new;
    // Stopping tasks count against maximumPercent (ECS developer guide, "update a service"): a long deregistration delay
    // holds the next starts back.
    let room = wants.upper.saturating_sub(members.len() as u32);

    let mut decision = Decision::default();
    if !wants.launches {
        return stalled(members, wants);
    }
    let missing = wants.desired.saturating_sub(good);
    let permitted = missing.min(room);
    if wants.may_launch {
        decision.launch = permitted;
    } else {
        decision.waiting = permitted > 0;
    }

    let surplus = good.saturating_sub(wants.desired);
    decision.scale_in =
        pick(members, true, &[Class::Starting, Class::Settling, Class::Healthy], surplus, true);

    // Where there is room, the replacement of an unhealthy task starts first (developer guide, "service task replacement"),
    // and the unhealthy one stops once the replacement is judged. Without room one unhealthy task at a time is stopped.
    let resolved = healthy_new + unhealthy_new;
    let mut retire = resolved.saturating_sub(wants.desired).min(unhealthy_new);
    if retire == 0 && missing > 0 && room == 0 && count(true, Class::Stopping) == 0 {
        retire = unhealthy_new.min(1);
    }
    decision.unhealthy = pick(members, true, &[Class::Unhealthy], retire, false);

    // minimumHealthyPercent protects healthy tasks only: old ones that are not healthy stop at once.
    decision.unhealthy.extend(pick(members, false, &[Class::Unhealthy], u32::MAX, false));
    decision.scale_in.extend(pick(members, false, &[Class::Starting, Class::Settling], u32::MAX, false));
    let healthy_stops = surplus.saturating_sub(count(true, Class::Starting) + count(true, Class::Settling));
    let healthy = healthy_new - healthy_stops + count(false, Class::Healthy);
    let spare = healthy.saturating_sub(wants.lower);
    decision.scale_in.extend(pick(members, false, &[Class::Healthy], spare, false));

    let moving = [Class::Starting, Class::Settling, Class::Stopping];
    decision.blocked = missing > 0
        && room == 0
        && decision.scale_in.is_empty()
        && decision.unhealthy.is_empty()
        && count(false, Class::Healthy) > 0
        && !members.iter().any(|member| moving.contains(&member.class));
    decision
}

/// A FAILED deployment without rollback: nothing is launched, unhealthy tasks still go, old ones stay. Only
/// fewer wanted tasks make it stop healthy ones.
fn stalled(members: &[Member], wants: Wants) -> Decision {
    let order = [Class::Starting, Class::Settling, Class::Healthy];
    let alive = members.iter().filter(|member| order.contains(&member.class)).count() as u32;
    let surplus = if wants.desired == 0 { alive } else { 0 };
    let mut scale_in = pick(members, true, &order, surplus, true);
    scale_in.extend(pick(members, false, &order, surplus, true));
    Decision {
        scale_in,
        unhealthy: pick(members, true, &[Class::Unhealthy], u32::MAX, false),
        ..Decision::default()
    }
}

/// Up to `most` tasks of these classes, class by class; the newest of a class first, or the oldest.
fn pick(members: &[Member], primary: bool, classes: &[Class], most: u32, newest: bool) -> Vec<TaskId> {
    let mut picked = Vec::new();
    for class in classes {
        let mut of_class: Vec<&Member> =
            members.iter().filter(|member| member.primary == primary && member.class == *class).collect();
        of_class.retain(|member| !member.protected || *class == Class::Unhealthy);
        if newest {
            of_class.reverse();
        }
        picked.extend(of_class.into_iter().map(|member| member.task.clone()));
    }
    picked.truncate(most as usize);
    picked
}

/// What is wrong with an unhealthy task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The load balancer's check fails.
    Target { target_group: String, port: u16, reason: String },
    /// The container's own check fails.
    Container,
}

#[cfg(test)]
mod tests;
