//! Every service is behind at least one listener rule.
//!
//! Source: ECS CreateService refuses a target group that no rule uses: "does not have an associated load
//! balancer".

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "route-none", about: "Every service is behind a listener rule.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (key, service) in scope.services() {
        // A route whose path or priority is missing is reported as that.
        if service.routes.is_empty() && !scope.listener.iter().any(|rule| rule.service == key.value) {
            found.push(
                Diagnostic::error(RULE.code, "no listener rule leads to this service")
                    .at(key, "has neither routes nor a health route")
                    .note("ECS refuses a target group that no rule uses")
                    .help("add `routes = [{ path = \"/…\", priority = … }]`"),
            );
        }
    }
}
