//! A smoke check's request reaches the service that it is to prove.
//!
//! `/api/health` matches `/api/*`, and `/actuator/health` matches `/*`: without exact-path rules each
//! service's health path is answered by the other one, and a check by status code alone passes for the wrong
//! reason.

use super::{Diagnostic, Place, Rule, Scope};
use crate::config::routing::{Asked, ListenerRule, may_answer, stranger_in, taken};
use crate::model::{ProtocolVersion, Service};

pub(super) const RULE: Rule = Rule {
    code: "smoke-route",
    about: "A smoke check's request reaches the service that it is to prove.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        // A service without any rule is `route-none`'s.
        if service.routes.is_empty() {
            continue;
        }
        if !at.key("smoke").written() {
            derived(scope, service, &at.key("target-group.health.path"), found);
            continue;
        }
        for (check, at) in service.smoke.iter().zip(at.key("smoke").entries()) {
            let (path, at) = (&check.path, at.key("path"));
            let asked = Asked { host: scope.environment.load_balancer.host.as_deref(), path };
            let rule = taken(scope.listener, asked);
            let answers = may_answer(scope.listener, asked, &service.key.0);
            if !at.written() || (path.starts_with('/') && answers) {
                continue;
            }
            if !path.starts_with('/') {
                found.push(
                    Diagnostic::error(RULE.code, "a smoke check's path begins with a slash")
                        .at(&at, "no slash")
                        .replace(&at, format!("\"/{path}\""), "begin with one"),
                );
                continue;
            }
            let wrong = Diagnostic::error(RULE.code, format!("`{}` does not answer `{path}`", service.key))
                .at(&at, "asked for through the load balancer");
            let wrong = blame(wrong, rule);
            let own_health = service.target_group.health.path == *path;
            found.push(if own_health && !scope.environment.load_balancer.health_routes {
                wrong.context(scope.at("load-balancer.health-routes"), "no rules for health paths")
                    .help("switch `health-routes` on, or check a path that leads to the service")
            } else {
                wrong.help("move the check to the service that answers, or route the path here with a lower priority")
            });
        }
    }
}

/// Where no check is written one is derived from the health path, provided that the path leads to the
/// service.
fn derived(scope: &Scope<'_>, service: &Service, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    let health = &service.target_group.health.path;
    // A path that is none is `health-path`'s.
    if !service.smoke.is_empty()
        || service.target_group.protocol_version == ProtocolVersion::Grpc
        || !health.starts_with('/')
        || stranger_in(health).is_some()
    {
        return;
    }
    let wrong =
        Diagnostic::warning(RULE.code, format!("nothing checks `{}` through the load balancer", service.key))
            .at(at, "its health path, which would be checked, leads elsewhere");
    let asked = Asked { host: scope.environment.load_balancer.host.as_deref(), path: health };
    let wrong = blame(wrong, taken(scope.listener, asked));
    found.push(wrong.help("name a path that leads to it: `smoke = [{ path = \"/…\" }]`"));
}

fn blame(wrong: Diagnostic, rule: Option<&ListenerRule>) -> Diagnostic {
    match rule {
        Some(rule) => wrong
            .context(&rule.at, format!("leads to {} (priority {})", rule.leads_to(), rule.route.priority)),
        None => wrong.note("no route takes the path: the load balancer answers 404 itself"),
    }
}
