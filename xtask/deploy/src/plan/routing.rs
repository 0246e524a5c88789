//! Steps for the load balancer, its listener and rules, and the target groups.

use std::collections::BTreeMap;

use super::wanted;
use super::{Action, Plan, Refusal, RuleMove, Stage, Step};
use crate::model::spec::{LoadBalancerSpec, RuleSpec, TargetGroupSpec, changes};
use crate::model::{Desired, LoadBalancerSource, Observed};

/// ELBv2's highest priority (API reference, CreateRule).
const LAST_PRIORITY: u32 = 50_000;

/// The load balancer and its listener.
pub(super) fn load_balancer(plan: &mut Plan, stage: &mut Stage, desired: &Desired, observed: &Observed) {
    let source = &desired.environment.load_balancer.source;
    let mut steps = Vec::new();
    match (source, &observed.load_balancer) {
        (LoadBalancerSource::Create { name, subnets, security_groups, internal }, found) => {
            let spec = LoadBalancerSpec {
                name: name.clone(),
                subnets: wanted::ids(observed, subnets),
                security_groups: wanted::ids(observed, security_groups),
                internal: *internal,
            };
            match found {
                None => steps.push(Step::missing(Action::CreateLoadBalancer(spec))),
                Some(found) => plan.notes.extend(changes(&found.spec, &spec).iter().map(|change| {
                    format!("load balancer {name} differs in {} and is left as it is", change.field)
                })),
            }
        }
        (LoadBalancerSource::Select { reference }, None) => plan.refusals.push(Refusal {
            what: format!("there is no load balancer {reference}"),
            remedy: "correct `select`, or let the tool create one with `create`".to_owned(),
        }),
        (LoadBalancerSource::Select { .. }, Some(_)) => {}
    }
    let name = observed.load_balancer.as_ref().map_or(source.reference(), |found| &found.spec.name);
    let spec = wanted::listener(&desired.environment, name);
    match &observed.listener {
        None => steps.push(Step::missing(Action::CreateListener(spec))),
        Some(found) if found.spec.protocol != spec.protocol => plan.refusals.push(Refusal {
            what: format!(
                "the listener on port {} speaks {}, not {}",
                spec.port, found.spec.protocol, spec.protocol
            ),
            remedy: "choose another port, or change `protocol`".to_owned(),
        }),
        Some(_) => {}
    }
    stage.lane("load balancer", steps);
}

/// The target groups.
pub(super) fn target_groups(plan: &mut Plan, stage: &mut Stage, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        let spec = wanted::target_group(&desired.environment, service, observed);
        let Some(found) = observed.target_groups.get(&spec.name) else {
            stage.lane(
                format!("{} target group", service.key),
                vec![Step::missing(Action::CreateTargetGroup(spec))],
            );
            continue;
        };
        if let Some(refusal) = immutable(&found.spec, &spec) {
            plan.refusals.push(refusal);
            continue;
        }
        let differing = changes(&found.spec, &spec);
        let (health, delay): (Vec<_>, Vec<_>) =
            differing.into_iter().partition(|change| change.field.starts_with("health"));
        let mut steps = Vec::new();
        if !health.is_empty() {
            steps.push(Step::changed(Action::ModifyTargetGroup(spec.clone()), health));
        }
        if !delay.is_empty() {
            steps.push(Step::changed(Action::SetDeregistrationDelay(spec), delay));
        }
        stage.lane(format!("{} target group", service.key), steps);
    }
}

/// ELBv2 cannot change a target group's type, protocol, port or VPC.
fn immutable(found: &TargetGroupSpec, wanted: &TargetGroupSpec) -> Option<Refusal> {
    let fixed = ["target_type", "protocol", "port", "vpc"];
    let change = changes(found, wanted).into_iter().find(|change| fixed.contains(&change.field.as_str()))?;
    Some(Refusal {
        what: format!(
            "target group {} has {} {}, wanted is {}, and AWS cannot change that",
            wanted.name,
            change.field,
            change.from.unwrap_or_default(),
            change.to.unwrap_or_default()
        ),
        remedy: "give the target group another name, or delete the old one".to_owned(),
    })
}

/// The listener's rules: each path once, at its priority.
///
/// A rule is known by its path. One that has to be elsewhere is moved: SetRulePriorities changes all priorities at once, so
/// that no request meets the rules in another order than the one before or the one after. A rule that is not wanted any
/// more makes room for a new one and is deleted after the proof.
pub(super) fn rules(
    plan: &mut Plan,
    stage: &mut Stage,
    after: &mut Stage,
    desired: &Desired,
    observed: &Observed,
) {
    let wanted = wanted::rules(&desired.environment);
    let ours = |rule: &RuleSpec| {
        desired.environment.services.iter().any(|service| service.target_group.name == rule.target_group)
    };
    let found: Vec<&RuleSpec> = observed.rules.iter().filter_map(|rule| rule.spec.as_ref()).collect();
    let mut kept: BTreeMap<u32, &RuleSpec> = BTreeMap::new();
    for rule in &wanted {
        let same =
            found.iter().filter(|found| found.path == rule.path && !kept.contains_key(&found.priority));
        let best = same.filter(|found| ours(found) || found.priority == rule.priority);
        if let Some(best) = best.min_by_key(|found| found.priority.abs_diff(rule.priority)) {
            kept.insert(best.priority, rule);
        }
    }
    let mut moves: Vec<RuleMove> = kept
        .iter()
        .filter(|(from, rule)| **from != rule.priority)
        .map(|(from, rule)| RuleMove { path: rule.path.clone(), from: *from, to: rule.priority })
        .collect();
    let mut steps = Vec::new();
    for rule in &wanted {
        let there = observed.rules.iter().find(|found| found.priority == rule.priority);
        let in_the_way = there.filter(|there| !kept.contains_key(&there.priority));
        match in_the_way.map(|there| there.spec.as_ref().filter(|spec| ours(spec))) {
            Some(Some(old)) => {
                let to = free_priority(&wanted, observed, &moves, old.priority);
                moves.push(RuleMove { path: old.path.clone(), from: old.priority, to });
            }
            Some(None) => {
                plan.refusals.push(Refusal {
                    what: format!(
                        "priority {} of the listener belongs to a rule that is not ours",
                        rule.priority
                    ),
                    remedy: format!("give the route {} a priority that is free", rule.path),
                });
                continue;
            }
            None => {}
        }
        let before = kept.iter().find(|(_, kept)| **kept == rule);
        let before = before.and_then(|(from, _)| found.iter().find(|found| found.priority == *from));
        match before {
            None => steps.push(Step::missing(Action::CreateRule(rule.clone()))),
            Some(before) if before.target_group != rule.target_group => {
                steps.push(Step::changed(Action::ModifyRule(rule.clone()), changes(before, &rule)));
            }
            Some(_) => {}
        }
    }
    for old in found.iter().filter(|found| ours(found) && !kept.contains_key(&found.priority)) {
        let moved = moves.iter().find(|moved| moved.from == old.priority);
        let rule = RuleSpec { priority: moved.map_or(old.priority, |moved| moved.to), ..(*old).clone() };
        let lane = format!("rule {}", rule.priority);
        after.lane(lane, vec![Step::because(Action::DeleteRule(rule), "not in deploy.toml any more")]);
    }
    if !moves.is_empty() {
        let step = Step::because(Action::MoveRules(moves), "deploy.toml gives them other priorities");
        steps.insert(0, step);
    }
    stage.lane("rules", steps);
}

/// Where a rule makes room: the nearest free priority, rather behind the new rule than before it.
fn free_priority(wanted: &[RuleSpec], observed: &Observed, moves: &[RuleMove], from: u32) -> u32 {
    let free = |priority: &u32| {
        wanted.iter().all(|rule| rule.priority != *priority)
            && observed.rules.iter().all(|rule| rule.priority != *priority)
            && moves.iter().all(|moved| moved.to != *priority)
    };
    let behind = (from + 1..=LAST_PRIORITY).find(free);
    let before = (1..from).rev().find(free);
    let crossed = |to: u32| {
        let (low, high) = (from.min(to), from.max(to));
        observed.rules.iter().filter(|rule| low < rule.priority && rule.priority < high).count()
    };
    // An order in which it passes no other rule is the one that answers as before.
    let nearest = behind.into_iter().chain(before).min_by_key(|to| (crossed(*to), to.abs_diff(from)));
    nearest.unwrap_or(from)
}
