//! A load balancer that the tool creates spans two availability zones.
//!
//! Source: ELBv2 API, CreateLoadBalancer: subnets from at least two availability zones.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "load-balancer-subnets",
    about: "A created load balancer spans two availability zones.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let balancer = &scope.settings.load_balancer.value;
    let Some(subnets) = balancer.subnets.as_ref().filter(|_| !balancer.existing.value) else { return };
    if subnets.value.len() == 1 {
        found.push(
            Diagnostic::error(RULE.code, "an application load balancer needs two availability zones")
                .at(subnets, "one subnet is one zone")
                .help("name a second subnet in another zone"),
        );
    }
}
