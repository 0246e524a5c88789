//! A load balancer's name has its length and alphabet; an existing one may be named by its ARN.
//!
//! Source: ELBv2 API, CreateLoadBalancer.

use super::naming::Naming;
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "load-balancer-name", about: "A load balancer's name has its length and alphabet.", check };

const NAME: Naming = Naming {
    what: "load balancer name",
    length: 1..=32,
    allowed: |c| c.is_ascii_alphanumeric() || c == '-',
    law: "1 to 32 letters, digits and hyphens, not beginning or ending with a hyphen nor beginning with \
          `internal-` (ELBv2 API, CreateLoadBalancer)",
    form: |name| {
        if name.starts_with("internal-") {
            Some("begins with `internal-`")
        } else {
            (name.starts_with('-') || name.ends_with('-')).then_some("a hyphen at its edge")
        }
    },
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let balancer = &scope.environment.load_balancer;
    let (name, at) = (&balancer.name, scope.at("load-balancer.name"));
    if !name.starts_with("arn:") {
        NAME.check(RULE.code, name, at, found);
    } else if !name.contains(":loadbalancer/app/") {
        found.push(
            Diagnostic::error(RULE.code, "not an application load balancer")
                .at(at, "an ARN of something else")
                .help("the ARN of an application load balancer has `:loadbalancer/app/` in it"),
        );
    } else if !balancer.existing {
        found.push(
            Diagnostic::error(RULE.code, "a load balancer to be created has no ARN yet")
                .at(at, "names an existing one")
                .help("set `existing = true` beside it to use that one"),
        );
    }
}
