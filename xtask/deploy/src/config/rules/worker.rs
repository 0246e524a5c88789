//! A service with `load-balancer = false` has no target group: ECS registers its tasks nowhere, so that nothing of this could
//! have an effect.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "worker",
    about: "A service without a load balancer has no routes, target group or smoke checks.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services().filter(|(service, _)| !service.load_balancer) {
        let keys =
            ["routes", "smoke", "health-route-priority", "target-group.name", "target-group.health.path"];
        for key in keys.map(|key| at.key(key)).iter().filter(|key| key.written()) {
            found.push(
                Diagnostic::error(RULE.code, format!("`{}` is a worker: no request reaches it", service.key))
                    .at(key.name(), "needs the load balancer")
                    .context(at.key("load-balancer"), "switched off here")
                    .help("take one of the two out"),
            );
        }
    }
}
