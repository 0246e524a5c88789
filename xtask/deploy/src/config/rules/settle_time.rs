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
    let start = if scope.settings.kind.value == Kind::Local { 0 } else { FARGATE_START_SECS };
    for (_, service) in scope.services() {
        let own = service.deployment.value.settle_secs.as_ref();
        let Some(settle) = own.or(scope.settings.timeouts.value.settle_secs.as_ref()) else { continue };
        let Some(waves) = waves(service) else { continue };
        let check = u64::from(service.target_group.value.health.value.interval_secs.value);
        let delay = &service.target_group.value.deregistration_delay_secs;
        let least = waves * (start + check + u64::from(delay.value));
        if settle.value < least {
            found.push(
                Diagnostic::warning(RULE.code, "a roll takes longer than the tool waits")
                    .at(settle, format!("gives up after {} s", settle.value))
                    .context(delay, format!("{} s per wave go into draining", delay.value))
                    .note(format!(
                        "{waves} × ({start} s to start + {check} s to the first health check + {} s to drain) \
                         = {least} s",
                        delay.value
                    ))
                    .help(format!("leave it out: then the tool derives it; or wait {} s, twice as long as a good roll", least * 2)),
            );
        }
    }
}
