//! The part of an undo that restores how many tasks services have, and what scales them.

use std::collections::BTreeMap;

use super::Undo;
use super::found::{policy, scalable_target, schedule};
use super::touched::restored;
use crate::model::{Desired, Observed};
use crate::plan::rollback::count;
use crate::plan::services::live;
use crate::plan::{Action, Stage, Step, scaling};

impl Undo {
    /// Policies and schedules first: DeregisterScalableTarget deletes them.
    pub(super) fn restore_scaling(&self, stage: &mut Stage, now: &Observed) {
        let mut policies: BTreeMap<&str, Vec<Step>> = BTreeMap::new();
        for (key, touched) in &self.policies {
            let found = policy(now, key);
            let steps = touched.restore(found.clone(), Action::PutScalingPolicy, Action::DeleteScalingPolicy);
            let resource = key.split(' ').next().unwrap_or_default();
            policies.entry(resource).or_default().extend(scaling::retyped(found.as_ref(), steps));
        }
        for (resource, mut steps) in policies {
            // AWS allows one target tracking policy for a metric: the release's own is deleted first.
            steps.sort_by_key(|step| !step.action.deletes());
            stage.lane(resource, steps);
        }
        for (key, touched) in &self.schedules {
            let steps = touched.restore(
                schedule(now, key),
                Action::PutScheduledAction,
                Action::DeleteScheduledAction,
            );
            stage.lane(key.clone(), steps);
        }
        for (id, touched) in &self.scalable_targets {
            let found = scalable_target(now, id);
            let steps =
                touched.restore(found, Action::RegisterScalableTarget, Action::DeregisterScalableTarget);
            match stage.lanes.iter_mut().find(|lane| lane.name.starts_with(id.as_str())) {
                Some(lane) => lane.steps.extend(steps),
                None => stage.lane(id.clone(), steps),
            }
        }
    }

    pub(super) fn restore_counts(&self, stage: &mut Stage, desired: &Desired, now: &Observed) {
        for service in &desired.environment.services {
            let (Some(touched), Some(state)) = (self.counts.get(&service.key.0), live(now, service)) else {
                continue;
            };
            let step = count(service, state, touched.reverted(&state.desired));
            stage.lane(service.key.0.clone(), step.map(|step| restored(step.action)).into_iter().collect());
        }
    }
}
