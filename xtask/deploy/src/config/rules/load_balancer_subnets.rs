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
    let balancer = &scope.environment.load_balancer;
    if !balancer.existing && balancer.subnets.len() == 1 {
        found.push(
            Diagnostic::error(RULE.code, "an application load balancer needs two availability zones")
                .at(scope.at("load-balancer.subnets"), "one subnet is one zone")
                .help("name a second subnet in another zone"),
        );
    }
}
