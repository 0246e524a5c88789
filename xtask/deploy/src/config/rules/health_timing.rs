//! A health check is over before the next begins.
//!
//! Source: ELBv2 CreateTargetGroup ("Health check interval must be greater than the timeout"); for containers
//! ECS API, HealthCheck.

use super::{Diagnostic, Place, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "health-timing", about: "A health check is over before the next begins.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let health = &service.target_group.health;
        compare(health.timeout_secs, health.interval_secs, &at.key("target-group.health"), found);
        if let Some(health) = &service.container.health_check {
            compare(health.timeout_secs, health.interval_secs, &at.key("container.health-check"), found);
        }
    }
}

fn compare(timeout: u32, interval: u32, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    if timeout >= interval {
        found.push(
            Diagnostic::error(RULE.code, "a health check may last longer than the time to the next")
                .at(at.key("timeout-secs"), format!("`timeout-secs` is {}", timeout))
                .at(at.key("interval-secs"), format!("`interval-secs` is {}", interval))
                .help("make the timeout less than the interval"),
        );
    }
}
