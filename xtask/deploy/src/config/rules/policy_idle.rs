//! A scaling policy can do something, and no two do the same.
//!
//! Source: Application Auto Scaling user guide, target tracking: two policies for one metric are two pairs of
//! alarms that work against each other.

use super::{Diagnostic, Rule, Scope};
use crate::model::{Metric, Policy};

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
        let tracks = |policy: &&Policy| at.key("policy").key(&policy.name).key("metric").written();
        let policies: Vec<&Policy> = scaling.policies.iter().filter(tracks).collect();
        for (nth, policy) in policies.iter().enumerate() {
            if let Some(first) = policies[..nth].iter().find(|first| first.metric == policy.metric) {
                found.push(
                    Diagnostic::warning(
                        RULE.code,
                        format!(
                            "two policies follow {}",
                            policy.metric.map(Metric::wire).unwrap_or_default()
                        ),
                    )
                    .at(name(first), "one")
                    .at(name(policy), "the other")
                    .note("each has alarms of its own: they work against each other"),
                );
            }
        }
    }
}
