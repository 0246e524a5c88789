//! What is asked after a deploy, through the load balancer and from inside.

use std::collections::BTreeSet;

use super::{Diagnostic, Findings, Place, Rule, Scope};
use crate::config::routing::{Asked, ListenerRule, may_answer, stranger_in, taken};
use crate::config::suggest;
use crate::model::{ProtocolVersion, Service};

pub(super) const RULES: &[Rule] = &[
    Rule::Environment("smoke-route", smoke_route),
    Rule::Environment("smoke-identity", smoke_identity),
    Rule::Environment("smoke-from", smoke_from),
];

/// A check from inside needs a service with ECS Exec to be asked from, and plain HTTP: by TLS of Service Connect the client's
/// proxy encrypts, not the client.
fn smoke_from(scope: &Scope<'_>, found: &mut Findings) {
    for (service, at) in scope.services() {
        for (check, at) in service.smoke.iter().zip(at.key("smoke").entries()) {
            let Some((from, url)) = check.inside() else { continue };
            if at.key("path").written() {
                let text = "a smoke check asks a path through the load balancer, or a URL from inside";
                found
                    .error(text)
                    .at(at.key("path"), "through the load balancer")
                    .context(at.key("url"), "from inside");
            }
            let host = url.strip_prefix("http://").and_then(|rest| rest.split(['/', '?']).next());
            if host.is_none_or(str::is_empty) || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
                let wrong = found.error("the URL of a check from inside begins with `http://` and a host");
                wrong.at(at.key("url"), "asked from inside a task");
            }
            match scope.services().find(|(service, _)| service.key == *from) {
                None => {
                    let keys: Vec<_> = scope.services().map(|(service, _)| service.key.0.as_str()).collect();
                    let wrong = found.error(format!("there is no service `{from}` to ask from"));
                    wrong.at(at.key("from"), "not in this environment");
                    if let Some(meant) = suggest::closest(&from.0, keys) {
                        wrong.meant(at.key("from"), meant);
                    }
                }
                Some((asking, place)) if !asking.enable_execute_command => {
                    let wrong =
                        found.error(format!("`{from}` takes no commands, by which the check would be asked"));
                    wrong
                        .at(at.key("from"), "asked from here")
                        .context(place.key("enable-execute-command"), "ECS Exec is off")
                        .help("switch `enable-execute-command` on for it");
                }
                Some(_) => {}
            }
        }
    }
}

/// A smoke check is passed by its own service. A service may call itself otherwise: only what is, or nearly is, the
/// name of a service here is judged.
fn smoke_identity(scope: &Scope<'_>, found: &mut Findings) {
    let keys: BTreeSet<&str> = scope.services().map(|(service, _)| service.key.0.as_str()).collect();
    for (service, at) in scope.services() {
        let own = service.key.0.as_str();
        for (check, at) in service.smoke.iter().zip(at.key("smoke").entries()) {
            if check.inside().is_some() {
                continue;
            }
            let Some(name) = check.identity.as_deref().filter(|name| *name != own) else { continue };
            if keys.contains(name) || suggest::closest(name, [own]).is_some() {
                let text = format!("this check is passed only by an answer of `{name}`");
                let at = at.key("identity");
                found.warning(text).at(&at, format!("the check is for `{own}`")).meant(&at, own);
            }
        }
    }
}

/// A smoke check's request reaches the service that it is to prove.
///
/// `/api/health` matches `/api/*`, and `/actuator/health` matches `/*`: without exact-path rules each service's health
/// path is answered by the other one, and a check by status code alone passes for the wrong reason.
fn smoke_route(scope: &Scope<'_>, found: &mut Findings) {
    for (service, at) in scope.services() {
        // A service without any rule is `route-none`'s.
        if service.routes.is_empty() {
            continue;
        }
        if !at.key("smoke").written() {
            derived_smoke(scope, service, &at.key("target-group.health.path"), found);
            continue;
        }
        for (check, at) in service.smoke.iter().zip(at.key("smoke").entries()) {
            let (path, at) = (&check.path, at.key("path"));
            let asked = Asked { host: scope.environment.load_balancer.host.as_deref(), path };
            let rule = taken(scope.listener, asked);
            let answers = may_answer(scope.listener, asked, &service.key.0);
            if !at.written() || check.url.is_some() || (path.starts_with('/') && answers) {
                continue;
            }
            if !path.starts_with('/') {
                found.error("a smoke check's path begins with a slash").at(&at, "no slash").replace(
                    &at,
                    format!("\"/{path}\""),
                    "begin with one",
                );
                continue;
            }
            let wrong = found
                .error(format!("`{}` does not answer `{path}`", service.key))
                .at(&at, "asked for through the load balancer");
            blame(wrong, rule);
            let own_health = service.target_group.health.path == *path;
            if own_health && !scope.environment.load_balancer.health_routes {
                wrong
                    .context(scope.at("load-balancer.health-routes"), "no rules for health paths")
                    .help("switch `health-routes` on, or check a path that leads to the service");
            } else {
                wrong.help("move the check to the service that answers, or route the path here with a lower priority");
            }
        }
    }
}

/// Where no check is written one is derived from the health path, provided that the path leads to the service.
fn derived_smoke(scope: &Scope<'_>, service: &Service, at: &Place<'_>, found: &mut Findings) {
    let health = &service.target_group.health.path;
    // A path that is none is `health-path`'s.
    if !service.smoke.is_empty()
        || service.target_group.protocol_version == ProtocolVersion::Grpc
        || !health.starts_with('/')
        || stranger_in(health).is_some()
    {
        return;
    }
    let wrong = found
        .warning(format!("nothing checks `{}` through the load balancer", service.key))
        .at(at, "its health path, which would be checked, leads elsewhere");
    let asked = Asked { host: scope.environment.load_balancer.host.as_deref(), path: health };
    blame(wrong, taken(scope.listener, asked))
        .help("name a path that leads to it: `smoke = [{ path = \"/…\" }]`");
}

fn blame<'a>(wrong: &'a mut Diagnostic, rule: Option<&ListenerRule>) -> &'a mut Diagnostic {
    match rule {
        Some(rule) => wrong
            .context(&rule.at, format!("leads to {} (priority {})", rule.leads_to(), rule.route.priority)),
        None => wrong.note("no route takes the path: the load balancer answers 404 itself"),
    }
}
