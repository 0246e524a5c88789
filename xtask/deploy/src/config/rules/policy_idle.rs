//! A scaling policy can do something, and no two do the same.
//!
//! Source: Application Auto Scaling, PutScalingPolicy: "Only one TargetTrackingScaling policy for a given metric
//! specification is allowed."

use super::{Diagnostic, Rule, Scope};
use crate::model::Policy;

pub(super) const RULE: Rule =
    Rule { code: "policy-idle", about: "A scaling policy can do something, and no two do the same.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (Some(scaling), at) = (&service.scaling, at.key("scaling")) else { continue };
        let name = |policy: &Policy| at.key("policy").key(&policy.name).name();
        if scaling.min == scaling.max
            && at.key("min").written()
            && let Some(policy) = scaling.policies.first()
        {
            found.push(
                Diagnostic::warning(RULE.code, "a scaling policy that has no room to scale")
                    .at(name(policy), "never does anything")
                    .context(at.key("min"), format!("at least {}", scaling.min))
                    .context(at.key("max"), format!("at most {}", scaling.max)),
            );
        }
        let wakes = |policy: &Policy| policy.custom_metric.is_some();
        let starts = scaling.schedules.iter().any(|schedule| schedule.min.is_some_and(|min| min > 0));
        if scaling.min == 0 && at.key("min").written() && !starts && !scaling.policies.iter().any(wakes) {
            found.push(
                Diagnostic::warning(RULE.code, "at 0 tasks nothing makes the service start again")
                    .at(at.key("min"), "fewest tasks")
                    .note("its own CPU, memory and requests are not measured without tasks (target tracking)")
                    .help("add a schedule or a policy with a `custom-metric`, or let one task stay"),
            );
        }
        let followed = |policy: &Policy| {
            let own = policy.custom_metric.as_ref().map(|metric| metric.name.clone());
            own.or_else(|| policy.metric.map(|metric| metric.wire().to_owned()))
        };
        let same = |one: &Policy, other: &Policy| {
            (one.metric, &one.custom_metric) == (other.metric, &other.custom_metric)
        };
        for (nth, policy) in scaling.policies.iter().enumerate() {
            let Some(metric) = followed(policy) else { continue };
            if let Some(first) = scaling.policies[..nth].iter().find(|first| same(first, policy)) {
                found.push(
                    Diagnostic::error(RULE.code, format!("two policies follow {metric}"))
                        .at(name(first), "one")
                        .at(name(policy), "the other")
                        .note("AWS allows one target-tracking policy for a metric (PutScalingPolicy)"),
                );
            }
        }
    }
}
