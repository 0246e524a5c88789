//! Steps for a service's scalable target, its policies and scheduled actions.

use serde::Serialize;

use super::wanted;
use super::{Action, Plan, Refusal, Stage, Step};
use crate::model::spec::{PolicySpec, ScalableTargetSpec, ScheduledActionSpec, changes};
use crate::model::{Desired, Maker, Observed, ScalingState, Service};

/// What brings the service's scaling to what is wanted; nothing when it is not ours to keep.
pub(super) fn steps(desired: &Desired, service: &Service, observed: &Observed) -> Vec<Step> {
    let Some(scaling) = &service.scaling else {
        return Vec::new();
    };
    let environment = &desired.environment;
    let found = observed.scaling.get(&service.key).cloned().unwrap_or_default();
    let schedules = wanted::schedules(environment, service, scaling);
    let target = in_force(wanted::scalable_target(environment, service, scaling), &schedules, &found);
    let mut steps = Vec::new();
    steps.extend(brought(found.target.as_ref(), target.clone(), Action::RegisterScalableTarget));
    // A count below the bounds is moved when they are registered, and otherwise not before the next scaling
    // activity.
    steps.extend(raise(service, observed, target.min));
    for policy in wanted::policies(environment, service, observed, scaling) {
        let same = found.policies.iter().find(|found| found.name == policy.name);
        // AWS allows one target tracking policy for a metric: a rename deletes the old one first.
        let renamed = found
            .policies
            .iter()
            .find(|found| found.rivals(&policy) && scaling.policies.iter().all(|it| it.name != found.name));
        let why = format!("its metric is followed by {}", policy.name);
        steps.extend(renamed.map(|found| Step::because(Action::DeleteScalingPolicy(found.clone()), why)));
        let put = brought(same, policy, Action::PutScalingPolicy);
        steps.extend(retyped(same, put.into_iter().collect()));
    }
    for action in schedules {
        let same = found.schedules.iter().find(|found| found.name == action.name);
        steps.extend(brought(same, action, Action::PutScheduledAction));
    }
    steps
}

/// AWS refuses another type for a policy that exists: it is deleted first.
pub(super) fn retyped(found: Option<&PolicySpec>, mut put: Vec<Step>) -> Vec<Step> {
    if let (Some(found), Some(Step { action: Action::PutScalingPolicy(wanted), .. })) = (found, put.first())
        && found.kind != wanted.kind
    {
        let why = format!("it becomes {}", wanted.kind);
        put.insert(0, Step::because(Action::DeleteScalingPolicy(found.clone()), why));
    }
    put
}

fn brought<T: Serialize + PartialEq + Clone>(
    found: Option<&T>,
    wanted: T,
    action: impl FnOnce(T) -> Action,
) -> Option<Step> {
    match found {
        None => Some(Step::missing(action(wanted))),
        Some(found) if *found != wanted => {
            let changes = changes(found, &wanted);
            Some(Step::changed(action(wanted), changes))
        }
        Some(_) => None,
    }
}

/// The wanted bounds, or those that a scheduled action has set since: a deploy in the evening does not undo what
/// the evening is scheduled for.
fn in_force(
    wanted: ScalableTargetSpec,
    schedules: &[ScheduledActionSpec],
    found: &ScalingState,
) -> ScalableTargetSpec {
    let Some(now) = &found.target else { return wanted };
    // One that is new or changed has not acted yet.
    let may_have_acted = || schedules.iter().filter(|action| found.schedules.contains(action));
    let set = |bound: &str, value: u32| may_have_acted().any(|action| action.capacity(bound) == Some(value));
    let min = if set("MinCapacity", now.min) { now.min } else { wanted.min };
    let max = if set("MaxCapacity", now.max) { now.max } else { wanted.max };
    ScalableTargetSpec { min, max, ..wanted }
}

/// The policies and scheduled actions that deploy.toml does not have.
pub(super) fn surplus(plan: &mut Plan, after: &mut Stage, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        let (Some(scaling), Some(found)) = (&service.scaling, observed.scaling.get(&service.key)) else {
            continue;
        };
        let wanted = wanted::policies(&desired.environment, service, observed, scaling);
        // One whose metric a wanted policy follows is replaced by that, or refused.
        let goes = |found: &&PolicySpec| wanted.iter().all(|it| it.name != found.name && !it.rivals(found));
        let policies = found.policies.iter().filter(goes);
        let schedules =
            found.schedules.iter().filter(|found| !scaling.schedules.iter().any(|it| it.name == found.name));
        let policies =
            policies.map(|it| ("scaling policy", &it.name, Action::DeleteScalingPolicy(it.clone())));
        let schedules =
            schedules.map(|it| ("scheduled action", &it.name, Action::DeleteScheduledAction(it.clone())));
        let surplus = policies.chain(schedules);
        // Neither policies nor scheduled actions have tags: they count as their scalable target's.
        let arn = found.arn.as_deref().unwrap_or_default();
        if observed.maker(&desired.environment, arn) != Maker::Ours {
            let rival =
                |found: &&PolicySpec| wanted.iter().any(|it| it.name != found.name && it.rivals(found));
            plan.refusals.extend(found.policies.iter().find(rival).map(|found| Refusal {
                what: format!(
                    "scaling policy {} of {} follows the same metric as one of deploy.toml, and AWS allows one",
                    found.name, service.name
                ),
                remedy: format!("name yours `{}`, or delete that one", found.name),
            }));
            plan.notes.extend(
                surplus.map(|(what, name, _)| format!("{what} {name}: kept, not created by this tool")),
            );
            continue;
        }
        let steps = surplus.map(|(.., action)| Step::because(action, "no longer in deploy.toml")).collect();
        // After the proof: until then a service that is rolled back needs the policies that it had.
        after.lane(service.key.0.clone(), steps);
    }
}

/// Fewer tasks than the least that scaling allows. 0 tasks were set by a person: a release does not start such a service.
fn raise(service: &Service, observed: &Observed, min: u32) -> Option<Step> {
    let from = super::services::live(observed, service)?.desired;
    let action =
        Action::SetDesiredCount { service: service.key.clone(), name: service.name.clone(), from, to: min };
    // RegisterScalableTarget raises the count itself, but only when it is called; a later `desiredCount` below the range stays.
    (0 < from && from < min).then(|| Step::because(action, "fewer than `scaling.min`"))
}

/// What somebody did to scaling in an incident, and easily forgets: it stays, as it was meant, and each plan says so.
pub(super) fn by_hand(plan: &mut Plan, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        let (Some(scaling), Some(found)) = (&service.scaling, observed.scaling.get(&service.key)) else {
            continue;
        };
        let name = &service.name;
        if !found.suspended.is_empty() {
            let what = found.suspended.join(", ");
            plan.notes.push(format!(
                "{name}: its scaling is suspended ({what}), and stays so; `aws application-autoscaling \
                 register-scalable-target` with `--suspended-state` resumes it"
            ));
        }
        let max = found.target.as_ref().map_or(scaling.max, |target| target.max.max(scaling.max));
        let count = super::services::live(observed, service).map_or(0, |state| state.desired);
        if count > max {
            // A count above the range is moved into it when the target is registered, or by the next scaling activity.
            plan.notes.push(format!(
                "{name} is to run {count} tasks, more than `scaling.max` = {max}: the next scaling activity lowers that"
            ));
        }
    }
}

/// Services that somebody scaled to 0.
pub(super) fn parked(plan: &mut Plan, desired: &Desired, observed: &Observed) {
    let parked = |service: &&Service| {
        let state = super::services::live(observed, service);
        service.desired_count > 0 && state.is_some_and(|state| state.desired == 0)
    };
    let note = |service: &Service| {
        // Its own scaling may have done it, and will start it again.
        if service.scaling.as_ref().is_some_and(|scaling| scaling.min == 0) {
            return format!("{} is scaled to 0 tasks, which its scaling allows, and stays so", service.name);
        }
        format!("{} is scaled to 0 tasks, and stays so: a deploy does not start it again", service.name)
    };
    for service in desired.environment.services.iter().filter(parked) {
        plan.notes.push(note(service));
        plan.parked.push(service.key.clone());
    }
}
