//! Steps for a service's scalable target and policies.

use super::wanted;
use super::{Action, Plan, Stage, Step};
use crate::model::spec::{PolicySpec, changes};
use crate::model::{Desired, Maker, Observed, Service};

/// What brings the service's scaling to what is wanted; nothing when it is not ours to keep.
pub(super) fn steps(desired: &Desired, service: &Service, observed: &Observed) -> Vec<Step> {
    let Some(scaling) = &service.scaling else {
        return Vec::new();
    };
    let found = observed.scaling.get(&service.key).cloned().unwrap_or_default();
    let mut steps = Vec::new();
    let target = wanted::scalable_target(&desired.environment, service, scaling);
    match &found.target {
        None => steps.push(Step::missing(Action::RegisterScalableTarget(target))),
        Some(found) if *found != target => {
            steps
                .push(Step::changed(Action::RegisterScalableTarget(target.clone()), changes(found, &target)));
        }
        Some(_) => {}
    }
    steps.extend(raise(service, observed, scaling.min));
    let policies = wanted::policies(&desired.environment, service, scaling);
    for policy in &policies {
        match found.policies.iter().find(|found| found.name == policy.name) {
            None => steps.push(Step::missing(Action::PutScalingPolicy(policy.clone()))),
            Some(found) if found != policy => {
                steps.push(Step::changed(Action::PutScalingPolicy(policy.clone()), changes(found, policy)));
            }
            Some(_) => {}
        }
    }
    steps
}

/// The policies that deploy.toml does not have.
pub(super) fn surplus(plan: &mut Plan, after: &mut Stage, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        let (Some(scaling), Some(found)) = (&service.scaling, observed.scaling.get(&service.key)) else {
            continue;
        };
        let wanted = |found: &&PolicySpec| scaling.policies.iter().any(|policy| policy.name == found.name);
        let surplus = found.policies.iter().filter(|found| !wanted(found));
        // A policy has no tags: it is taken for its scalable target's.
        let arn = found.arn.as_deref().unwrap_or_default();
        if observed.maker(&desired.environment, arn) != Maker::Ours {
            let kept =
                |found: &PolicySpec| format!("scaling policy {}: kept, not created by this tool", found.name);
            plan.notes.extend(surplus.map(kept));
            continue;
        }
        let delete = |found: &PolicySpec| {
            Step::because(Action::DeleteScalingPolicy(found.clone()), "not in deploy.toml any more")
        };
        let steps = surplus.map(delete).collect();
        after.lane(service.key.0.clone(), steps);
    }
}

/// Fewer tasks than the least that scaling allows. None at all is what somebody wants: a release starts no such service.
fn raise(service: &Service, observed: &Observed, min: u32) -> Option<Step> {
    let from = super::services::live(observed, service)?.desired;
    let action =
        Action::RaiseDesiredCount { service: service.key.clone(), name: service.name.clone(), from, to: min };
    (0 < from && from < min).then(|| Step::because(action, "fewer than `scaling.min`"))
}

/// Services that somebody scaled to 0.
pub(super) fn parked(desired: &Desired, observed: &Observed) -> Vec<String> {
    let parked = |service: &&Service| {
        let state = super::services::live(observed, service);
        service.desired_count > 0 && state.is_some_and(|state| state.desired == 0)
    };
    let note = |service: &Service| {
        format!(
            "{} is scaled to 0 tasks, and stays so: somebody wants it, or has to start it again",
            service.name
        )
    };
    desired.environment.services.iter().filter(parked).map(note).collect()
}
