//! The grace period outlasts the first failing health checks.
//!
//! Source: ECS API, healthCheckGracePeriodSeconds. A new task that fails `unhealthy-threshold` checks in a
//! row is killed and started again, for ever, when its grace is over before it has come up.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "health-grace", about: "The grace period outlasts the first failing health checks.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let grace = service.deployment.health_check_grace_secs;
        let health = &service.target_group.health;
        let condemned = health.unhealthy_threshold * health.interval_secs;
        if service.load_balancer && grace < condemned {
            found.push(
                Diagnostic::warning(RULE.code, "the grace period ends before the health check has an opinion")
                    .at(at.key("deployment.health-check-grace-secs"), format!("{grace} s of grace"))
                    .context(at.key("target-group.health.interval-secs"), format!("a check each {} s", health.interval_secs))
                    .note(format!(
                        "{} failures take {condemned} s; a task that needs longer to come up is killed and started \
                         again, for ever",
                        health.unhealthy_threshold
                    ))
                    .help(format!("give at least {condemned}, better the longest start and half as much again")),
            );
        }
    }
}
