//! What a release found before its first change, and the plan that restores it.
//!
//! The record outlives the run: it is written to the cluster's tags before the first change, so that a rerun after a kill
//! still knows what served. It holds each thing that the plan changes, as it was and as the release writes it. What the
//! account shows otherwise at the time of the undo was changed by somebody else since, and stays.
//!
//! What holds data or serves nobody (images, log groups, repositories, revisions) is left as the release made it.

mod capacity;
mod found;
mod touched;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use found::{
    found_rule, listener, load_balancer, policy, policy_key, scalable_target, schedule, schedule_key,
};
use touched::{Touched, merge, restored, touched};

use super::rollback::{Order, rollback};
use super::{Action, Plan, Revision, Stage, Step, routing};
use crate::history::PROVEN;
use crate::model::spec::{
    ListenerSpec, LoadBalancerSpec, PolicySpec, RuleSpec, ScalableTargetSpec, ScheduledActionSpec,
    ServiceSpec, TargetGroupSpec, changes,
};
use crate::model::{Desired, Observed, Pin, RuleState, ServiceKey, ServiceState};

/// What was there before the first change of a release, and what the release writes in its place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    /// The release that found it.
    release: String,
    services: BTreeMap<ServiceKey, Served>,
    /// By the requests that they take.
    rules: BTreeMap<String, Touched<RuleSpec>>,
    /// By port. Certificates that were added serve nobody without a name, and stay.
    listeners: BTreeMap<String, Touched<ListenerSpec>>,
    target_groups: BTreeMap<String, Touched<TargetGroupSpec>>,
    #[serde(default)]
    load_balancers: BTreeMap<String, Touched<LoadBalancerSpec>>,
    scalable_targets: BTreeMap<String, Touched<ScalableTargetSpec>>,
    policies: BTreeMap<String, Touched<PolicySpec>>,
    #[serde(default)]
    schedules: BTreeMap<String, Touched<ScheduledActionSpec>>,
    /// Desired counts that `scale` changes, by the service's key. Of a deploy, which only raises one to the least, it stays.
    #[serde(default)]
    counts: BTreeMap<String, Touched<u32>>,
    /// It is of a rollback: what it runs was proven long before, and a record of it is left only where it did not end.
    #[serde(default)]
    rolls_back: bool,
    /// An earlier run, which was killed, started it.
    #[serde(skip)]
    resumed: bool,
    /// Its run undid what it could before it ended; it was not killed.
    #[serde(default)]
    undone: bool,
}

/// A service as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Served {
    revision: String,
    proven: bool,
    settings: Touched<ServiceSpec>,
    /// The revision that the release runs, where it did not register it: its tag names the release that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reuses: Option<String>,
    /// An earlier run found it, which was killed.
    #[serde(skip)]
    earlier: bool,
}

impl Undo {
    /// What the stages of a plan change.
    pub fn of(plan: &Plan, desired: &Desired, observed: &Observed) -> Self {
        let rolls_back = desired.release.pins.values().any(|pin| !pin.is_again());
        let mut undo = Self { release: desired.release.id.clone(), rolls_back, ..Self::default() };
        for step in plan.stages.iter().flat_map(|stage| &stage.lanes).flat_map(|lane| &lane.steps) {
            undo.touch(&step.action, observed);
            if let Action::SetDesiredCount { service, from, to, .. } = &step.action
                && desired.release.pins.get(service).is_some_and(|pin| pin.count.is_some())
            {
                touched(&mut undo.counts, service.0.clone(), || Some(*from), to);
            }
        }
        // Where nothing served before, a first release stays as far as it came: there is nothing to restore.
        if observed.services.values().any(|state| state.is_active()) { undo } else { Self::default() }
    }

    fn touch(&mut self, action: &Action, observed: &Observed) {
        let rule = |requests: &str, near: u32| {
            let same =
                observed.rules.iter().filter_map(RuleState::writable).filter(|it| it.requests() == requests);
            same.min_by_key(|rule| rule.priority.abs_diff(near)).cloned()
        };
        match action {
            Action::CreateRule(spec) => touched(&mut self.rules, spec.requests(), || None, spec),
            Action::ModifyRule(spec) => {
                let requests = spec.requests();
                touched(&mut self.rules, requests.clone(), || rule(&requests, spec.priority), spec);
            }
            Action::MoveRules { moves } => {
                for moved in moves {
                    if let Some(before) = rule(&moved.requests, moved.from) {
                        let wrote = RuleSpec { priority: moved.to, ..before.clone() };
                        touched(&mut self.rules, moved.requests.clone(), || Some(before), &wrote);
                    }
                }
            }
            Action::ModifyListener(spec) => {
                let port = spec.port.to_string();
                touched(&mut self.listeners, port.clone(), || listener(observed, &port), spec);
            }
            Action::ModifyTargetGroup(spec) => {
                let before = || observed.target_groups.get(&spec.name).map(|found| found.spec.clone());
                touched(&mut self.target_groups, spec.name.clone(), before, spec);
            }
            Action::SetTargetGroupAttributes(spec) => {
                let Some(found) = observed.target_groups.get(&spec.name).map(|found| &found.spec) else {
                    return;
                };
                let wrote = found.with(&spec.attributes);
                touched(&mut self.target_groups, spec.name.clone(), || Some(found.clone()), &wrote);
            }
            Action::SetLoadBalancerAttributes(spec) => {
                let Some(before) = load_balancer(observed, &spec.name) else { return };
                let mut wrote = before.clone();
                wrote.attributes.extend(spec.attributes.clone());
                touched(&mut self.load_balancers, spec.name.clone(), || Some(before), &wrote);
            }
            Action::RegisterScalableTarget(spec) => {
                let before = || scalable_target(observed, &spec.resource_id);
                touched(&mut self.scalable_targets, spec.resource_id.clone(), before, spec);
            }
            Action::PutScalingPolicy(spec) => {
                touched(&mut self.policies, policy_key(spec), || policy(observed, &policy_key(spec)), spec);
            }
            Action::DeleteScalingPolicy(spec) => {
                let deleted = Touched { before: Some(spec.clone()), wrote: Vec::new() };
                self.policies.entry(policy_key(spec)).or_insert(deleted);
            }
            Action::PutScheduledAction(spec) => {
                let key = schedule_key(spec);
                touched(&mut self.schedules, key.clone(), || schedule(observed, &key), spec);
            }
            Action::UpdateService { service, spec, revision: runs, .. } => {
                if let Some(state) = observed.services.get(service) {
                    let settings =
                        Touched { before: Some(state.spec.clone()), wrote: vec![spec.as_ref().clone()] };
                    let (revision, tags) = (state.task_definition.arn.clone(), &state.task_definition.tags);
                    let proven = tags.contains_key(PROVEN);
                    let reuses = runs.as_ref().and_then(Revision::existing).map(str::to_owned);
                    let served = Served { revision, proven, settings, reuses, earlier: false };
                    self.services.insert(service.clone(), served);
                }
            }
            _ => {}
        }
    }

    /// Adds what an unfinished earlier run found: its record is older, and so is the state that it describes.
    pub fn after(mut self, earlier: Self, observed: &Observed) -> Self {
        // Before what is proven counts: a service is scaled while a proven release runs.
        self.resumed = !earlier.counts.is_empty();
        merge(&mut self.counts, earlier.counts, |key| {
            observed.services.get(&ServiceKey(key.to_owned())).map(|state| state.desired)
        });
        let of = |state: &ServiceState, tag: &str| state.task_definition.tags.get(tag).cloned();
        let registered = |state: &ServiceState| of(state, "release").as_ref() == Some(&earlier.release);
        let is_its = |key: &ServiceKey, state: &ServiceState| {
            let reuses = earlier.services.get(key).and_then(|served| served.reuses.as_ref());
            registered(state) || reuses == Some(&state.task_definition.arn)
        };
        // Proven, and killed before it could say so here: what it wrote is what serves.
        if !earlier.rolls_back
            && observed.services.values().any(|state| registered(state) && of(state, PROVEN).is_some())
        {
            return self;
        }
        // All of it is COMPLETED, and this release replaces it: it serves, proven or not.
        let is_whole = |key: &ServiceKey| {
            let state = observed.services.get(key);
            state.is_some_and(|it| is_its(key, it) && it.rollout.as_deref() == Some("COMPLETED"))
        };
        if earlier.services.keys().all(is_whole)
            && earlier.services.keys().any(|key| self.services.contains_key(key))
        {
            return self;
        }
        // What could not be undone, and is COMPLETED since, serves: no later release tries to undo it again.
        let stays = |key: &&ServiceKey| earlier.undone && is_whole(key) && self.services.contains_key(*key);
        let stays: BTreeSet<ServiceKey> = earlier.services.keys().filter(stays).cloned().collect();
        for (key, served) in &earlier.services {
            let Some(state) = observed.services.get(key).filter(|_| !stays.contains(key)) else { continue };
            if state.task_definition.arn != served.revision && !is_its(key, state) {
                continue;
            }
            let mut served = served.clone();
            let now = self.services.remove(key).map(|served| served.settings.wrote);
            served.settings.wrote.extend(now.into_iter().flatten());
            self.services.insert(key.clone(), Served { earlier: true, ..served });
        }
        if stays.is_empty() {
            self.release.clone_from(&earlier.release);
            self.rolls_back = earlier.rolls_back;
        }
        merge(&mut self.rules, earlier.rules, |requests| found_rule(observed, requests));
        merge(&mut self.listeners, earlier.listeners, |port| listener(observed, port));
        merge(&mut self.target_groups, earlier.target_groups, |name| {
            observed.target_groups.get(name).map(|found| found.spec.clone())
        });
        merge(&mut self.load_balancers, earlier.load_balancers, |name| load_balancer(observed, name));
        merge(&mut self.scalable_targets, earlier.scalable_targets, |id| scalable_target(observed, id));
        merge(&mut self.policies, earlier.policies, |key| policy(observed, key));
        merge(&mut self.schedules, earlier.schedules, |key| schedule(observed, key));
        self.resumed = true;
        self
    }

    /// The release to which a rollback that was killed was on its way.
    pub fn rollback_target(&self) -> Option<&str> {
        (self.rolls_back && !self.undone).then_some(&self.release)
    }

    /// The record of a run that undid what it could, and could not do all of it.
    pub fn ended(&self) -> Self {
        Self { undone: true, ..self.clone() }
    }

    /// Whether an earlier run, which was killed, began it.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Whether nothing that was there is changed.
    pub fn is_empty(&self) -> bool {
        let Self {
            release: _,
            rolls_back: _,
            resumed: _,
            undone: _,
            services,
            rules,
            listeners,
            target_groups,
            load_balancers,
            scalable_targets,
            policies,
            schedules,
            counts,
        } = self;
        let settings = rules.is_empty()
            && listeners.is_empty()
            && target_groups.is_empty()
            && load_balancers.is_empty()
            && scalable_targets.is_empty();
        services.is_empty() && settings && policies.is_empty() && schedules.is_empty() && counts.is_empty()
    }

    /// What each service ran before, and whether an earlier run found it.
    pub fn pins(&self) -> impl Iterator<Item = (&ServiceKey, Pin, bool)> {
        self.services.iter().map(|(key, served)| {
            let (revision, settings) = (served.revision.clone(), served.settings.before.clone());
            (key, Pin { revision, proven: served.proven, settings, ..Pin::default() }, served.earlier)
        })
    }

    /// Whether a service is among what is restored.
    pub fn touches(&self, key: &ServiceKey) -> bool {
        self.services.contains_key(key) || self.counts.contains_key(&key.0)
    }

    /// Whether it recorded a restart of a service: the same revision with the same settings.
    pub fn restarts(&self, key: &ServiceKey, state: &ServiceState) -> bool {
        self.services.get(key).is_some_and(|served| {
            served.revision == state.task_definition.arn
                && served.settings.before.as_ref() == served.settings.wrote.last()
        })
    }

    /// The desired count that a service had, where that is restored.
    pub fn count(&self, key: &ServiceKey) -> Option<u32> {
        self.counts.get(&key.0)?.before
    }

    /// The target groups whose health checks judge running targets otherwise than before.
    pub fn health_checks(&self) -> impl Iterator<Item = &TargetGroupSpec> {
        let changed = |touched: &&Touched<TargetGroupSpec>| {
            touched.before.as_ref().map(|it| &it.health) != touched.wrote.last().map(|it| &it.health)
        };
        self.target_groups.values().filter(changed).filter_map(|touched| touched.wrote.last())
    }
}

/// The plan that restores what was before, as far as the account shows what the release wrote: settings first, because the
/// restored tasks are judged by the health check; then the services, in reverse; then the rules that lead to them.
///
/// Target groups' attributes come last: the release's own tasks are drained with the delay of deploy.toml, from which deadlines
/// are computed, and not with AWS's default of 300 s that a hand-made target group often has.
pub fn undo(undo: &Undo, desired: &Desired, now: &Observed) -> Plan {
    let mut desired = desired.clone();
    for (key, pin) in &mut desired.release.pins {
        let found = undo.services.get(key).zip(now.services.get(key));
        // Settings that the release does not write are left to whoever changed them since.
        pin.settings = found.map(|(served, state)| served.settings.reverted(&state.spec));
    }
    let mut plan = rollback(&desired, now, Order::Reverse);
    let (mut settings, mut rules) =
        (Stage::new("restore settings"), Stage::new("restore rules and attributes"));
    undo.restore_listeners(&mut settings, now);
    undo.restore_health_checks(&mut settings, now);
    undo.restore_scaling(&mut settings, now);
    undo.restore_counts(&mut settings, &desired, now);
    undo.restore_rules(&mut rules, now);
    undo.restore_attributes(&mut rules, now);
    plan.stages.insert(0, settings);
    plan.stages.push(rules);
    plan.stages.retain(|stage| !stage.lanes.is_empty() || !stage.settle.is_empty());
    plan
}

impl Undo {
    fn restore_listeners(&self, stage: &mut Stage, now: &Observed) {
        for (port, touched) in &self.listeners {
            let Some(found) = listener(now, port) else { continue };
            // ModifyListener changes the default certificate only: the others are added and removed by calls of their own.
            let further_certificates = found.further_certificates.clone();
            let wanted = ListenerSpec { further_certificates, ..touched.reverted(&found) };
            if wanted != found {
                let changes = changes(&found, &wanted);
                let step = Step::changed(Action::ModifyListener(wanted), changes);
                stage.lane(format!("listener {port}"), vec![step]);
            }
        }
    }

    fn restore_health_checks(&self, stage: &mut Stage, now: &Observed) {
        for (found, wanted) in self.reverted_groups(now) {
            if wanted.health != found.health {
                let (name, changes) = (wanted.name.clone(), changes(&found.health, &wanted.health));
                stage.lane(name, vec![Step::changed(Action::ModifyTargetGroup(wanted), changes)]);
            }
        }
    }

    fn restore_attributes(&self, stage: &mut Stage, now: &Observed) {
        for (found, wanted) in self.reverted_groups(now) {
            let set = |attributes| {
                Action::SetTargetGroupAttributes(TargetGroupSpec { attributes, ..found.clone() })
            };
            let step = routing::attributes(&found.attributes, wanted.attributes, set);
            stage.lane(wanted.name, step.into_iter().collect());
        }
        for (name, touched) in &self.load_balancers {
            let Some(found) = load_balancer(now, name) else { continue };
            let wanted = touched.reverted(&found).attributes;
            let set = |attributes| {
                Action::SetLoadBalancerAttributes(LoadBalancerSpec { attributes, ..found.clone() })
            };
            let step = routing::attributes(&found.attributes, wanted, set);
            stage.lane(name.clone(), step.into_iter().collect());
        }
    }

    /// Each target group that the release changes, as it is and as it was.
    fn reverted_groups<'a>(
        &'a self,
        now: &'a Observed,
    ) -> impl Iterator<Item = (&'a TargetGroupSpec, TargetGroupSpec)> {
        self.target_groups.iter().filter_map(|(name, touched)| {
            let found = &now.target_groups.get(name)?.spec;
            Some((found, touched.reverted(found)))
        })
    }

    fn restore_rules(&self, stage: &mut Stage, now: &Observed) {
        let wanted = |found: &RuleSpec| match self.rules.get(&found.requests()) {
            Some(touched) if touched.is_created(found) => None,
            Some(touched) => Some(touched.reverted(found)),
            None => Some(found.clone()),
        };
        let found = now.rules.iter().filter_map(RuleState::writable);
        let wanted: Vec<RuleSpec> = found.filter_map(wanted).collect();
        let towards = routing::towards(&wanted, now, |_| true);
        let mut steps = towards.steps;
        steps.extend(towards.unwanted.into_iter().map(|rule| restored(Action::DeleteRule(rule))));
        stage.lane("rules", steps);
    }
}
