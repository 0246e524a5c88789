//! Steps for the load balancer, its listener and rules, and the target groups.

use super::wanted;
use super::{Action, Plan, Refusal, Stage, Step};
use crate::model::spec::{LoadBalancerSpec, RuleSpec, TargetGroupSpec, changes};
use crate::model::{Desired, LoadBalancerSource, Observed, RuleState};

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

/// The listener's rules: each path once, at its priority; rules of ours that are wanted no more go last.
pub(super) fn rules(plan: &mut Plan, stage: &mut Stage, desired: &Desired, observed: &Observed) {
    let wanted = wanted::rules(&desired.environment);
    let ours = |rule: &RuleSpec| {
        desired.environment.services.iter().any(|service| service.target_group.name == rule.target_group)
    };
    for rule in &wanted {
        let step = match observed.rules.iter().find(|found| found.priority == rule.priority) {
            None => Step::missing(Action::CreateRule(rule.clone())),
            Some(RuleState { spec: Some(found), .. }) if found == rule => continue,
            Some(RuleState { spec: Some(found), .. }) if ours(found) || found.path == rule.path => {
                Step::changed(Action::ModifyRule(rule.clone()), changes(found, rule))
            }
            Some(_) => {
                plan.refusals.push(Refusal {
                    what: format!(
                        "priority {} of the listener belongs to a rule that is not ours",
                        rule.priority
                    ),
                    remedy: format!("give the route {} a priority that is free", rule.path),
                });
                continue;
            }
        };
        stage.lane(format!("rule {}", rule.priority), vec![step]);
    }
    for found in observed.rules.iter().filter_map(|rule| rule.spec.as_ref()) {
        let replaced = wanted.iter().any(|rule| rule.priority == found.priority);
        if ours(found) && !replaced {
            let step = Step::because(Action::DeleteRule(found.clone()), "deploy.toml has it no more");
            stage.lane(format!("rule {}", found.priority), vec![step]);
        }
    }
}
