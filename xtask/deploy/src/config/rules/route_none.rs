//! Every service is behind at least one listener rule.
//!
//! Source: ECS CreateService refuses a target group that no rule uses: "does not have an associated load
//! balancer".

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "route-none", about: "Every service is behind a listener rule.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        // A route whose path or priority is missing is reported as that.
        if service.load_balancer && service.routes.is_empty() && at.key("routes.0").span().is_none() {
            found.push(
                Diagnostic::error(RULE.code, "no listener rule leads to this service")
                    .at(at.name(), "has neither routes nor a health route")
                    .note("ECS refuses a target group that no rule uses")
                    .help("add `routes = [{ path = \"/…\", priority = … }]`, or `load-balancer = false` for a worker"),
            );
        }
    }
}
