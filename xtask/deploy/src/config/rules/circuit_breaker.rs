//! The circuit breaker watches and rolls back.
//!
//! Source: ECS developer guide, deployment circuit breaker: without it a deployment of tasks that keep
//! failing stays IN_PROGRESS for ever.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "circuit-breaker", about: "The circuit breaker watches and rolls back.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (breaker, at) = (&service.deployment.circuit_breaker, at.key("deployment.circuit-breaker"));
        if !breaker.enable {
            found.push(
                Diagnostic::warning(RULE.code, "nothing stops a revision whose tasks keep failing")
                    .at(at.key("enable"), "the circuit breaker is off")
                    .note("ECS goes on starting such tasks for ever; the deploy ends at its deadline, not rolled back"),
            );
        } else if !breaker.rollback {
            found.push(
                Diagnostic::warning(RULE.code, "a failed revision is not rolled back")
                    .at(at.key("rollback"), "no rollback")
                    .note("the circuit breaker then leaves the service on the failed deployment"),
            );
        }
    }
}
