//! The time to drain and the time to stop fit together.
//!
//! ECS takes a leaving task out of its target group first, waits for the whole deregistration delay, and only
//! then sends SIGTERM; `stop-timeout-secs` later comes SIGKILL (developer guide, task lifecycle). So the
//! delay is what a request from the load balancer has, and the stop timeout is for what does not come through
//! it: requests over Service Connect, which its proxy ends after 15 s (perRequestTimeout), and the
//! application's own tidying up. Two mistakes follow:
//!
//! - no delay: requests in flight are cut while the task would still have answered them;
//! - a stop timeout longer than both the delay and Service Connect's 15 s: all that it can wait for is
//!   already over, and a task that hangs on SIGTERM holds up each deploy for so much longer.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "stop-timeout", about: "The time to drain and the time to stop fit together.", check };

/// ECS API, TimeoutConfiguration: perRequestTimeoutSeconds when it is not given.
const CONNECT_REQUEST_SECS: u32 = 15;

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (delay, stop) =
            (service.target_group.deregistration_delay_secs, service.container.stop_timeout_secs);
        let delay_at = at.key("target-group.deregistration-delay-secs");
        if delay == 0 {
            found.push(
                Diagnostic::warning(RULE.code, "requests in flight are cut when a task leaves")
                    .at(delay_at, "no time to finish them")
                    .help("give the longest request's time, such as 30"),
            );
            continue;
        }
        let server = if service.connect.is_some() { CONNECT_REQUEST_SECS } else { 0 };
        if stop > delay.max(server) {
            let wrong = Diagnostic::warning(RULE.code, "a task may take longer to stop than any request can last")
                .at(at.key("container.stop-timeout-secs"), format!("{} s from SIGTERM to SIGKILL", stop))
                .at(delay_at, format!("requests were given {} s before SIGTERM", delay))
                .note("ECS sends SIGTERM after the deregistration delay: what is still open then has no client any more");
            found.push(wrong.help(format!("{} s are enough", delay.max(server).max(2))));
        }
    }
}
