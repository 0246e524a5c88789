//! A health check is over before the next begins.
//!
//! Source: ELBv2 CreateTargetGroup ("Health check interval must be greater than the timeout"); for containers
//! ECS API, HealthCheck.

use super::{Diagnostic, Rule, Scope, Setting};

pub(super) const RULE: Rule =
    Rule { code: "health-timing", about: "A health check is over before the next begins.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let health = &service.target_group.value.health.value;
        compare(&health.timeout_secs, &health.interval_secs, found);
        if let Some(health) = &service.container.value.health_check {
            compare(&health.value.timeout_secs, &health.value.interval_secs, found);
        }
    }
}

fn compare(timeout: &Setting<u32>, interval: &Setting<u32>, found: &mut Vec<Diagnostic>) {
    if timeout.value >= interval.value {
        found.push(
            Diagnostic::error(RULE.code, "a health check may last longer than the time to the next")
                .at(timeout, format!("`timeout-secs` is {}", timeout.value))
                .at(interval, format!("`interval-secs` is {}", interval.value))
                .help("make the timeout less than the interval"),
        );
    }
}
