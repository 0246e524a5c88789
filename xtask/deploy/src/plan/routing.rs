//! Steps for the load balancer, its listener and rules, and the target groups.

use std::collections::BTreeMap;

use super::{Action, Plan, Refusal, RuleMove, Stage, Step};
use super::{listener, wanted};
use crate::model::spec::{Change, LoadBalancerSpec, RuleSpec, TargetGroupSpec, changes};
use crate::model::{Desired, LoadBalancer, Maker, Observed, RuleState, Scheme, Service};

/// ELBv2's highest priority (API reference, CreateRule).
const LAST_PRIORITY: u32 = 50_000;

/// The load balancer and its listener.
pub(super) fn load_balancer(plan: &mut Plan, stage: &mut Stage, desired: &Desired, observed: &Observed) {
    let Some(balancer) = desired.environment.balancer() else { return };
    let LoadBalancer { name, existing, scheme, subnets, security_groups, .. } = balancer;
    let mut steps = Vec::new();
    let found = observed.load_balancer.as_ref().map(|found| &found.spec);
    match (existing, found) {
        (false, found) => {
            let spec = LoadBalancerSpec {
                name: name.clone(),
                subnets: wanted::ids(observed, subnets),
                security_groups: wanted::ids(observed, security_groups),
                internal: *scheme == Scheme::Internal,
                // As found where it exists: attributes are compared one by one below, those of deploy.toml only.
                attributes: found.map_or(&balancer.aws.attributes, |found| &found.attributes).clone(),
            };
            match found {
                None => steps.push(Step::missing(Action::CreateLoadBalancer(spec))),
                // The scheme is immutable, and other subnets or security groups could cut off clients that this file does not
                // know.
                Some(found) => plan.notes.extend(changes(found, &spec).iter().map(|change| {
                    format!("load balancer {name} differs in {} and is left as it is", change.field)
                })),
            }
        }
        (true, None) => plan.refusals.push(Refusal {
            what: format!("there is no load balancer {name}"),
            remedy: "correct `load-balancer.name`, or let the tool create it: `existing = false`".to_owned(),
        }),
        // With `existing = true` the load balancer is somebody else's: its settings are neither compared nor noted.
        (true, Some(_)) => {}
    }
    if let Some(found) = found {
        let set =
            |attributes| Action::SetLoadBalancerAttributes(LoadBalancerSpec { attributes, ..found.clone() });
        steps.extend(attributes(&found.attributes, balancer.aws.attributes.clone(), set));
    }
    let name = found.map_or(name, |found| &found.name);
    steps.extend(listener::steps(plan, balancer, observed, name));
    stage.lane("load balancer", steps);
}

pub(super) fn target_groups(plan: &mut Plan, stage: &mut Stage, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        let Some(wanted) = wanted::target_group(&desired.environment, service, observed) else { continue };
        let lane = format!("{} target group", service.key);
        let Some(found) = observed.target_groups.get(&wanted.name).map(|found| &found.spec) else {
            stage.lane(lane, vec![Step::missing(Action::CreateTargetGroup(wanted))]);
            continue;
        };
        if let Some(refusal) = immutable(service, observed, found, &wanted) {
            plan.refusals.push(refusal);
            continue;
        }
        let mut steps = Vec::new();
        // ModifyTargetGroup has members for the health check alone.
        let group = TargetGroupSpec { health: wanted.health, ..found.clone() };
        if group != *found {
            let changes = changes(found, &group);
            steps.push(Step::changed(Action::ModifyTargetGroup(group.clone()), changes));
        }
        let set =
            |attributes| Action::SetTargetGroupAttributes(TargetGroupSpec { attributes, ..found.clone() });
        steps.extend(attributes(&found.attributes, wanted.attributes, set));
        stage.lane(lane, steps);
    }
}

/// Writes the attributes that differ. Those that deploy.toml does not say stay as they are.
pub(super) fn attributes(
    found: &BTreeMap<String, String>,
    wanted: BTreeMap<String, String>,
    set: impl FnOnce(BTreeMap<String, String>) -> Action,
) -> Option<Step> {
    let mut attributes = wanted;
    attributes.retain(|name, value| found.get(name) != Some(value));
    let change = |(name, value): (&String, &String)| Change {
        field: name.clone(),
        from: found.get(name).cloned(),
        to: Some(value.clone()),
        ..Change::default()
    };
    let changes: Vec<Change> = attributes.iter().map(change).collect();
    (!changes.is_empty()).then(|| Step::changed(set(attributes), changes))
}

/// ELBv2 cannot change a target group's type, protocol, its version or the VPC. Its port can differ: it is only the default
/// for targets that are registered without one, and ECS registers its tasks with one.
fn immutable(
    service: &Service,
    observed: &Observed,
    found: &TargetGroupSpec,
    wanted: &TargetGroupSpec,
) -> Option<Refusal> {
    if found.protocol != wanted.protocol && !found.protocol.starts_with("HTTP") {
        return Some(Refusal {
            what: format!(
                "target group {} takes {}: it is a network load balancer's",
                found.name, found.protocol
            ),
            remedy: "name a target group of an application load balancer, or one that does not exist yet"
                .to_owned(),
        });
    }
    let fixed = ["target_type", "protocol", "protocol_version", "vpc"];
    let change = changes(found, wanted).into_iter().find(|change| fixed.contains(&change.field.as_str()))?;
    let from = change.from.unwrap_or_default();
    let serves = super::services::live(observed, service)
        .is_some_and(|state| state.spec.load_balancers.iter().any(|it| it.target_group == found.name));
    // A new name is no remedy for a group that serves: another group has no targets until new tasks are healthy.
    let remedy = match serves {
        true => {
            format!(
                "keep {from}, or `cargo xtask down` first and deploy again: the service is down meanwhile"
            )
        }
        false => "give the target group another name, or delete the old one".to_owned(),
    };
    Some(Refusal {
        what: format!(
            "target group {} has {} {from}, wanted is {}, and AWS cannot change that",
            wanted.name,
            change.field,
            change.to.unwrap_or_default()
        ),
        remedy,
    })
}

/// The listener's rules: one for the same requests, at its priority. Our rules that are not wanted are deleted after the proof.
pub(super) fn rules(
    plan: &mut Plan,
    stage: &mut Stage,
    after: &mut Stage,
    desired: &Desired,
    observed: &Observed,
) {
    let wanted = wanted::rules(&desired.environment);
    let made = |rule: &&RuleState| observed.maker(&desired.environment, &rule.arn) == Maker::Ours;
    let made: Vec<&RuleSpec> = observed.rules.iter().filter(made).filter_map(RuleState::writable).collect();
    // Somebody else's rule is never changed or deleted, and is used where it is as wanted. A rule that leads to a service
    // which is no longer in the file is left to `prune`.
    let known = |rule: &RuleSpec| {
        let services = &desired.environment.services;
        let leads = |name: &String| {
            services.iter().any(|service| {
                // Also a rule of a service that becomes a worker.
                let was = super::services::live(observed, service);
                let mut was = was.into_iter().flat_map(|state| &state.spec.load_balancers);
                service.group().is_some_and(|group| group.name == *name)
                    || was.any(|bound| bound.target_group == *name)
            })
        };
        rule.forwards().is_empty()
            || rule.forwards().iter().any(leads)
            || wanted.iter().any(|wanted| wanted.conditions == rule.conditions)
    };
    let towards = towards(&wanted, observed, |rule| made.contains(&rule) && known(rule));
    plan.refusals.extend(towards.refusals);
    stage.lane("rules", towards.steps);
    for rule in towards.unwanted {
        let lane = format!("rule {}", rule.priority);
        after.lane(lane, vec![Step::because(Action::DeleteRule(rule), "no longer in deploy.toml")]);
    }
}

/// The steps from the rules that a listener has to other ones.
#[derive(Default)]
pub(super) struct Towards {
    pub(super) steps: Vec<Step>,
    /// Rules to delete, with the priorities that they have after the steps.
    pub(super) unwanted: Vec<RuleSpec>,
    refusals: Vec<Refusal>,
}

/// A rule is known by the requests that it takes. One that has to be elsewhere is moved: SetRulePriorities changes all priorities at once, so
/// that no request meets the rules in another order than the one before or the one after. A rule that is not wanted any
/// more makes room for a new one.
pub(super) fn towards(wanted: &[RuleSpec], observed: &Observed, ours: impl Fn(&RuleSpec) -> bool) -> Towards {
    let mut towards = Towards::default();
    let found: Vec<&RuleSpec> = observed.rules.iter().filter_map(RuleState::writable).collect();
    // The priority that each wanted rule has now, where its requests have a rule.
    let mut kept: BTreeMap<u32, &RuleSpec> = BTreeMap::new();
    for rule in wanted {
        let same = found
            .iter()
            .filter(|found| found.conditions == rule.conditions && !kept.contains_key(&found.priority));
        let best = same.filter(|found| ours(found) || **found == rule);
        // Several rules may take the same requests: the nearest one moves least.
        if let Some(best) = best.min_by_key(|found| found.priority.abs_diff(rule.priority)) {
            kept.insert(best.priority, rule);
        }
    }
    let moved = |(from, rule): (&u32, &&RuleSpec)| {
        let step = RuleMove { requests: rule.requests(), from: *from, to: rule.priority };
        (*from != rule.priority).then_some(step)
    };
    let mut moves: Vec<RuleMove> = kept.iter().filter_map(moved).collect();
    for rule in wanted {
        let there = observed.rules.iter().find(|found| found.spec.priority == rule.priority);
        match there.filter(|there| !kept.contains_key(&there.spec.priority)).map(RuleState::writable) {
            Some(Some(old)) if ours(old) => {
                let to = free_priority(wanted, observed, &moves, old.priority);
                moves.push(RuleMove { requests: old.requests(), from: old.priority, to });
            }
            Some(_) => {
                towards.refusals.push(Refusal {
                    what: format!(
                        "priority {} of the listener belongs to {}",
                        rule.priority,
                        there.map(RuleState::words).unwrap_or_default()
                    ),
                    remedy: format!("give the route {} a priority that is free", rule.requests()),
                });
                continue;
            }
            None => {}
        }
        let from = kept.iter().find(|(_, kept)| **kept == rule).map(|(from, _)| *from);
        match from.and_then(|from| found.iter().find(|found| found.priority == from)) {
            None => towards.steps.push(Step::missing(Action::CreateRule(rule.clone()))),
            Some(before) if before.action != rule.action => {
                let step = Step::changed(Action::ModifyRule(rule.clone()), changes(before, &rule));
                towards.steps.push(step);
            }
            Some(_) => {}
        }
    }
    for old in found.iter().filter(|found| ours(found) && !kept.contains_key(&found.priority)) {
        let moved = moves.iter().find(|moved| moved.from == old.priority);
        let priority = moved.map_or(old.priority, |moved| moved.to);
        towards.unwanted.push(RuleSpec { priority, ..(*old).clone() });
    }
    if !moves.is_empty() {
        let step = Step::because(Action::MoveRules { moves }, "their priorities change, all at once");
        towards.steps.insert(0, step);
    }
    towards
}

/// The priority to which a rule makes room: the nearest free one, rather behind the new rule than before it.
fn free_priority(wanted: &[RuleSpec], observed: &Observed, moves: &[RuleMove], from: u32) -> u32 {
    let free = |priority: &u32| {
        wanted.iter().all(|rule| rule.priority != *priority)
            && observed.rules.iter().all(|rule| rule.spec.priority != *priority)
            && moves.iter().all(|moved| moved.to != *priority)
    };
    let behind = (from + 1..=LAST_PRIORITY).find(free);
    let before = (1..from).rev().find(free);
    let crossed = |to: u32| {
        let (low, high) = (from.min(to), from.max(to));
        observed.rules.iter().filter(|rule| low < rule.spec.priority && rule.spec.priority < high).count()
    };
    // The place where it passes no other rule: the listener then answers every request as before.
    let nearest = behind.into_iter().chain(before).min_by_key(|to| (crossed(*to), to.abs_diff(from)));
    nearest.unwrap_or(from)
}
