//! The tool waits at least as long as a roll takes when nothing goes wrong.
//!
//! The least time of a roll, by the order in which ECS moves tasks (developer guide, task lifecycle): in each
//! wave new tasks start, pass one health check (a new target needs no more), and then the old ones keep their
//! connections for the whole deregistration delay. The estimate leaves out what only bad luck adds.

use crate::model::Kind;

use super::{Diagnostic, Rule, Scope};
use crate::config::percent::waves;

pub(super) const RULE: Rule =
    Rule { code: "settle-time", about: "The tool waits at least as long as a good roll takes.", check };

/// Seconds from "start this task" to its first health check on Fargate: network interface, image pull, start.
const FARGATE_START_SECS: u64 = 30;

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let start = if scope.environment.kind == Kind::Local { 0 } else { FARGATE_START_SECS };
    for (service, at) in scope.services() {
        let own = service.deployment.settle_secs;
        let Some(settle) = own.or(scope.environment.timeouts.settle_secs) else { continue };
        let settle_at = at.key("deployment.settle-secs").or(scope.at("timeouts.settle-secs"));
        let Some(waves) = waves(service) else { continue };
        let check = u64::from(service.target_group.health.interval_secs);
        let delay = service.target_group.deregistration_delay_secs;
        let least = waves * (start + check + u64::from(delay));
        if settle < least {
            found.push(
                Diagnostic::warning(RULE.code, "a roll takes longer than the tool waits")
                    .at(settle_at, format!("gives up after {} s", settle))
                    .context(at.key("target-group.deregistration-delay-secs"), format!("{} s per wave go into draining", delay))
                    .note(format!(
                        "{waves} × ({start} s to start + {check} s to the first health check + {} s to drain) \
                         = {least} s",
                        delay
                    ))
                    .help(format!("leave it out: then the tool derives it; or wait {} s, twice as long as a good roll", least * 2)),
            );
        }
    }
}
