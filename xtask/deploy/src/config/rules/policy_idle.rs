//! A scaling policy can do something, and no two do the same.
//!
//! Source: Application Auto Scaling user guide, target tracking: two policies for one metric are two pairs of
//! alarms that work against each other.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "policy-idle", about: "A scaling policy can do something, and no two do the same.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let Some(scaling) = service.scaling.as_ref().map(|scaling| &scaling.value) else { continue };
        let policies: Vec<_> = scaling.policy.iter().collect();
        if let (Some(min), Some(max)) = (&scaling.min, &scaling.max)
            && min.value == max.value
            && let Some((name, _)) = policies.first()
        {
            found.push(
                Diagnostic::warning(RULE.code, "a scaling policy that has no room to scale")
                    .at(*name, "never does anything")
                    .context(min, format!("at least {}", min.value))
                    .context(max, format!("at most {}", max.value)),
            );
        }
        for (at, (name, policy)) in policies.iter().enumerate() {
            let Some(metric) = &policy.value.metric else { continue };
            let same = |(_, other): &&(_, &super::Setting<crate::config::raw::Policy>)| {
                other.value.metric.as_ref().is_some_and(|other| other.value == metric.value)
            };
            if let Some((first, _)) = policies[..at].iter().find(same) {
                found.push(
                    Diagnostic::warning(RULE.code, format!("two policies follow {}", metric.value.wire()))
                        .at(*first, "one")
                        .at(*name, "the other")
                        .note("each has alarms of its own: they work against each other"),
                );
            }
        }
    }
}
