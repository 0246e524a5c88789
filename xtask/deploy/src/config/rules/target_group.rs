//! Target groups and health checks.

use std::ops::RangeInclusive;

use super::naming::Naming;
use super::{Findings, Place, Rule, Scope};
use crate::config::routing::stranger_in;
use crate::config::{Severity, suggest};
use crate::model::{Protocol, ProtocolVersion, Service};

pub(super) const RULES: &[Rule] = &[
    Rule::EachService("target-group-name", target_group_name),
    Rule::Environment("target-protocol", target_protocol),
    Rule::Environment("health-path", health_path),
    Rule::EachService("health-matcher", health_matcher),
    Rule::EachService("health-timing", health_timing),
    Rule::EachService("health-grace", health_grace),
    Rule::Environment("worker", worker),
];

const TARGET_GROUP: Naming = Naming {
    what: "target group name",
    length: 1..=32,
    allowed: |c| c.is_ascii_alphanumeric() || c == '-',
    law: "1 to 32 letters, digits and hyphens, not beginning or ending with a hyphen \
          (ELBv2 API, CreateTargetGroup)",
    form: |name| (name.starts_with('-') || name.ends_with('-')).then_some("a hyphen at its edge"),
};

/// A target group's name has its length and alphabet (ELBv2 API, CreateTargetGroup, `Name`).
fn target_group_name(service: &Service, at: &Place<'_>, found: &mut Findings) {
    TARGET_GROUP.check(&service.target_group.name, at.key("target-group.name"), found);
}

/// A target group's protocol version goes with the listener, and its slow start with what AWS takes.
///
/// Source: ELB user guide, "Target groups for your Application Load Balancers": HTTP/2 and gRPC need an HTTPS
/// listener; slow start takes 30 to 900 seconds, 0 switches it off.
fn target_protocol(scope: &Scope<'_>, found: &mut Findings) {
    for (service, at) in scope.services() {
        let (group, at) = (&service.target_group, at.key("target-group"));
        let listener = &scope.environment.load_balancer.listener;
        if group.protocol_version != ProtocolVersion::Http1 && listener.protocol == Protocol::Http {
            found
                .error("HTTP/2 and gRPC need an HTTPS listener")
                .at(at.key("protocol-version"), group.protocol_version.wire())
                .context(scope.at("load-balancer.listener.protocol"), "HTTP")
                .help("give the listener a certificate, or leave it at `HTTP1`");
        }
        if group.slow_start_secs.is_some_and(|secs| (1..30).contains(&secs)) {
            found
                .error("slow start takes at least 30 seconds")
                .at(at.key("slow-start-secs"), "30 to 900, or 0 for none");
        }
    }
}

/// A health path is requested literally (ELBv2 API, HealthCheckPath: up to 1024 characters), and with
/// `load-balancer.health-routes` it is the pattern of a listener rule, which has 128 and wildcards.
fn health_path(scope: &Scope<'_>, found: &mut Findings) {
    let is_pattern = scope.environment.load_balancer.health_routes;
    for (service, at) in scope.services() {
        let at = at.key("target-group.health.path");
        if at.written() {
            one_health_path(&service.target_group.health.path, is_pattern, &at, found);
        }
    }
}

fn one_health_path(path: &str, is_pattern: bool, at: &Place<'_>, found: &mut Findings) {
    let stranger = match is_pattern {
        true => stranger_in(path),
        false => path.chars().find(|c| !c.is_ascii_graphic()),
    };
    // A path pattern of a rule has at most 128 characters (ELB user guide, rule conditions), HealthCheckPath 1024.
    let most = if is_pattern { 128 } else { 1024 };
    if !path.starts_with('/') {
        found.error("a health path begins with a slash").at(at, "no slash").replace(
            at,
            format!("\"/{}\"", path),
            "begin with one",
        );
    } else if let Some(stranger) = stranger {
        let wrong = found.error("a health path is a plain path");
        wrong.at(at, format!("{stranger:?} is not allowed"));
        if is_pattern {
            wrong
                .note("the exact-path rule of the listener is made from it, and there `*` and `?` are wildcards")
                .help("take it out, or set `load-balancer.health-routes = false`");
        }
    } else if path.len() > most {
        found
            .error("the health path is too long")
            .at(at, format!("{} characters, at most {most}", path.len()));
    }
}

/// The codes that a health check accepts are codes that a target group can check for.
///
/// Source: ELBv2 API, Matcher: 200 to 499 for an application load balancer; lists `200,202` and ranges `200-299`.
fn health_matcher(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let group = &service.target_group;
    let grpc = group.protocol_version == ProtocolVersion::Grpc;
    let (what, codes, law) = match grpc {
        true => ("gRPC", 0..=99, "codes from 0 to 99 (ELBv2 API, Matcher): \"0\", \"0,12\" or \"0-99\""),
        false => (
            "HTTP",
            200..=499,
            "codes from 200 to 499 (ELBv2 API, Matcher): \"200\", \"200,302\" or \"200-299\"",
        ),
    };
    if let Some(part) = group.health.matcher.split(',').find(|part| !valid_codes(part, &codes)) {
        found
            .error(format!("not a list of {what} codes"))
            .at(at.key("target-group.health.matcher"), format!("`{part}` is neither a code nor a range"))
            .note(law);
    }
}

fn valid_codes(part: &str, codes: &RangeInclusive<u16>) -> bool {
    let code =
        |text: &str| text.parse::<u16>().ok().filter(|code| codes.contains(code) && text == code.to_string());
    match part.split_once('-') {
        Some((low, high)) => code(low).zip(code(high)).is_some_and(|(low, high)| low <= high),
        None => code(part).is_some(),
    }
}

/// A health check is over before the next begins.
///
/// Source: ELBv2 CreateTargetGroup ("Health check interval must be greater than the timeout"). ECS takes such a check of a
/// container, and waits for the end of one before it begins the next (ECS API, HealthCheck; its defaults are 30 and 5).
fn health_timing(service: &Service, at: &Place<'_>, found: &mut Findings) {
    if let Some(group) = service.group() {
        let (timeout, interval) = (group.health.timeout_secs, group.health.interval_secs);
        compare_times(Severity::Error, timeout, interval, &at.key("target-group.health"), found);
    }
    for (path, container) in service.containers() {
        if let Some(health) = &container.health_check {
            let at = at.key(path).key("health-check");
            compare_times(Severity::Warning, health.timeout_secs, health.interval_secs, &at, found);
        }
    }
}

fn compare_times(severity: Severity, timeout: u32, interval: u32, at: &Place<'_>, found: &mut Findings) {
    if timeout >= interval {
        found
            .add(severity, "a health check may last longer than the time to the next".to_owned())
            .at(at.key("timeout-secs"), format!("`timeout-secs` is {}", timeout))
            .at(at.key("interval-secs"), format!("`interval-secs` is {}", interval))
            .help("make the timeout less than the interval");
    }
}

/// The grace period outlasts the first failing health checks.
///
/// Source: ECS API, healthCheckGracePeriodSeconds. A new task that fails `unhealthy-threshold` checks in a
/// row is killed and started again, for ever, when its grace is over before it has come up.
fn health_grace(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let grace = service.deployment.health_check_grace_secs;
    let health = &service.target_group.health;
    let condemned = health.unhealthy_threshold * health.interval_secs;
    if service.load_balancer && grace < condemned {
        found
            .warning("the grace period ends before the health check has an opinion")
            .at(at.key("deployment.health-check-grace-secs"), format!("{grace} s of grace"))
            .context(
                at.key("target-group.health.interval-secs"),
                format!("a check each {} s", health.interval_secs),
            )
            .note(format!(
                "{} failures take {condemned} s; a task that needs longer to come up is killed and started \
                     again, for ever",
                health.unhealthy_threshold
            ))
            .help(format!("give at least {condemned}, better the longest start and half as much again"));
    }
}

/// A service with `load-balancer = false` has no target group: ECS registers its tasks nowhere, so that nothing of
/// this could have an effect.
fn worker(scope: &Scope<'_>, found: &mut Findings) {
    for (service, at) in scope.services().filter(|(service, _)| !service.load_balancer) {
        let keys =
            ["routes", "smoke", "health-route-priority", "target-group.name", "target-group.health.path"];
        let written: Vec<&str> = keys.into_iter().filter(|key| at.key(key).written()).collect();
        if written.is_empty() {
            continue;
        }
        let wrong = found.error(format!("`{}` is a worker: no request reaches it", service.key));
        for key in &written {
            wrong.at(at.key(key).name(), "needs the load balancer");
        }
        wrong
            .context(at.key("load-balancer"), "switched off here")
            .help(format!("remove {}, or remove `load-balancer = false`", suggest::all(written)));
    }
}
