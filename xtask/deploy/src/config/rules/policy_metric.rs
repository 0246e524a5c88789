//! A scaling policy tracks one metric, with a target that the metric can have.
//!
//! Source: Application Auto Scaling API, TargetTrackingScalingPolicyConfiguration: exactly one of a predefined and a
//! customized metric.

use super::{Diagnostic, Rule, Scope};
use crate::model::Metric;

pub(super) const RULE: Rule = Rule {
    code: "policy-metric",
    about: "A scaling policy tracks one metric, with a target that the metric can have.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        for policy in service.scaling.iter().flat_map(|scaling| &scaling.policies) {
            let at = at.key("scaling.policy").key(&policy.name);
            if policy.metric.is_some() && policy.custom_metric.is_some() {
                found.push(
                    Diagnostic::error(RULE.code, "a policy tracks one metric")
                        .at(at.key("metric"), "one")
                        .at(at.key("custom-metric"), "the other")
                        .help("make two policies of it: a service scales out when one of them asks for it"),
                );
            }
            let percent = matches!(policy.metric, Some(Metric::Cpu | Metric::Memory));
            if percent && policy.target > 100.0 {
                found.push(
                    Diagnostic::error(RULE.code, "the target is more than the metric can be")
                        .at(at.key("target"), format!("{}", policy.target))
                        .context(at.key("metric"), "in percent"),
                );
            }
        }
    }
}
