//! A Service Connect endpoint has room for its proxy.
//!
//! Source: ECS developer guide, Service Connect: the proxy runs in the task, on its CPU and memory; AWS recommends 256
//! CPU units and 64 MiB on top of the application's.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "connect-size", about: "A Service Connect endpoint has room for its proxy.", check };

/// What AWS recommends for the proxy alone.
const PROXY_CPU: u32 = 256;

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        if service.endpoint().is_some() && service.cpu <= PROXY_CPU {
            found.push(
                Diagnostic::warning(RULE.code, "the Service Connect proxy alone needs this task's CPU")
                    .at(at.key("cpu"), format!("{} CPU units", service.cpu))
                    .context(at.key("connect"), "its proxy runs in the task")
                    .note(
                        "AWS recommends 256 CPU units and 64 MiB for the proxy, on top of the application's",
                    )
                    .help("give `cpu = 512` and `memory-mib = 1024`"),
            );
        }
    }
}
