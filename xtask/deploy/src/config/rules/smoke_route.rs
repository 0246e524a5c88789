//! A smoke check's request reaches the service that it is to prove.
//!
//! `/api/health` matches `/api/*`, and `/actuator/health` matches `/*`: without exact-path rules each
//! service's health path is answered by the other one, and a check by status code alone passes for the wrong
//! reason.

use super::{Diagnostic, Rule, Scope};
use crate::config::routing::{ListenerRule, health_path, stranger_in, taken};
use crate::config::setting::Setting;

pub(super) const RULE: Rule = Rule {
    code: "smoke-route",
    about: "A smoke check's request reaches the service that it is to prove.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (key, service) in scope.services() {
        // A service without any rule is `route-none`'s.
        if !scope.listener.iter().any(|rule| rule.service == key.value) {
            continue;
        }
        let Some(checks) = &service.smoke else {
            derived(scope, key, health_path(service), found);
            continue;
        };
        for path in checks.iter().filter_map(|check| check.value.path.as_ref()) {
            if !path.value.starts_with('/') {
                found.push(
                    Diagnostic::error(RULE.code, "a smoke check's path begins with a slash")
                        .at(path, "no slash")
                        .replace(path, format!("\"/{}\"", path.value), "begin with one"),
                );
                continue;
            }
            let rule = taken(&scope.listener, &path.value);
            if rule.is_some_and(|rule| rule.service == key.value) {
                continue;
            }
            let wrong =
                Diagnostic::error(RULE.code, format!("`{}` does not answer `{}`", key.value, path.value))
                    .at(path, "asked for through the load balancer");
            let wrong = blame(wrong, rule);
            let own_health = health_path(service).is_some_and(|health| health.value == path.value);
            found.push(if own_health && !scope.settings.load_balancer.value.health_routes.value {
                wrong.context(&scope.settings.load_balancer.value.health_routes, "no rules for health paths")
                    .help("switch `health-routes` on, or check a path that leads to the service")
            } else {
                wrong.help("move the check to the service that answers, or route the path here with a lower priority")
            });
        }
    }
}

/// Where no check is written one is derived from the health path, provided that the path leads to the
/// service.
fn derived(
    scope: &Scope<'_>,
    key: &Setting<String>,
    health: Option<&Setting<String>>,
    found: &mut Vec<Diagnostic>,
) {
    // A path that is none is `health-path`'s.
    let Some(health) =
        health.filter(|path| path.value.starts_with('/') && stranger_in(&path.value).is_none())
    else {
        return;
    };
    let rule = taken(&scope.listener, &health.value);
    if rule.is_some_and(|rule| rule.service == key.value) {
        return;
    }
    let wrong =
        Diagnostic::warning(RULE.code, format!("nothing checks `{}` through the load balancer", key.value))
            .at(health, "its health path, which would be checked, leads elsewhere");
    found.push(blame(wrong, rule).help("name a path that leads to it: `smoke = [{ path = \"/…\" }]`"));
}

fn blame(wrong: Diagnostic, rule: Option<&ListenerRule>) -> Diagnostic {
    match rule {
        Some(rule) => wrong
            .context(&rule.pattern_at, format!("leads to `{}` (priority {})", rule.service, rule.priority)),
        None => wrong.note("no route takes the path: the load balancer answers 404 itself"),
    }
}
