//! A thing that a release may change, as the account shows it: by the key that the record has it under.

use crate::model::spec::{
    ListenerSpec, LoadBalancerSpec, PolicySpec, RuleSpec, ScalableTargetSpec, ScheduledActionSpec,
};
use crate::model::{Observed, RuleState};

pub(super) fn listener(observed: &Observed, port: &str) -> Option<ListenerSpec> {
    let mut listeners = observed.listener.iter().chain(&observed.redirect).map(|found| &found.spec);
    listeners.find(|spec| spec.port.to_string() == port).cloned()
}

pub(super) fn found_rule(observed: &Observed, requests: &str) -> Option<RuleSpec> {
    let mut rules = observed.rules.iter().filter_map(RuleState::writable);
    rules.find(|rule| rule.requests() == requests).cloned()
}

pub(super) fn load_balancer(observed: &Observed, name: &str) -> Option<LoadBalancerSpec> {
    observed.load_balancer.as_ref().map(|found| found.spec.clone()).filter(|found| found.name == name)
}

pub(super) fn scalable_target(observed: &Observed, resource_id: &str) -> Option<ScalableTargetSpec> {
    let mut targets = observed.scaling.values().filter_map(|found| found.target.as_ref());
    targets.find(|target| target.resource_id == resource_id).cloned()
}

pub(super) fn policy_key(spec: &PolicySpec) -> String {
    format!("{} {}", spec.resource_id, spec.name)
}

pub(super) fn policy(observed: &Observed, key: &str) -> Option<PolicySpec> {
    observed.scaling.values().flat_map(|found| &found.policies).find(|spec| policy_key(spec) == key).cloned()
}

pub(super) fn schedule_key(spec: &ScheduledActionSpec) -> String {
    format!("{} {}", spec.resource_id, spec.name)
}

pub(super) fn schedule(observed: &Observed, key: &str) -> Option<ScheduledActionSpec> {
    let mut all = observed.scaling.values().flat_map(|found| &found.schedules);
    all.find(|spec| schedule_key(spec) == key).cloned()
}
