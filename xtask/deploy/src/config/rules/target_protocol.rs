//! A target group's protocol version goes with the listener, and its slow start with what AWS takes.
//!
//! Source: ELB user guide, "Target groups for your Application Load Balancers": HTTP/2 and gRPC need an HTTPS
//! listener; slow start takes 30 to 900 seconds, 0 switches it off.

use super::{Diagnostic, Rule, Scope};
use crate::model::{Protocol, ProtocolVersion};

pub(super) const RULE: Rule =
    Rule { code: "target-protocol", about: "A target group speaks what its listener can pass on.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (group, at) = (&service.target_group, at.key("target-group"));
        let listener = &scope.environment.load_balancer.listener;
        if group.protocol_version != ProtocolVersion::Http1 && listener.protocol == Protocol::Http {
            found.push(
                Diagnostic::error(RULE.code, "HTTP/2 and gRPC need an HTTPS listener")
                    .at(at.key("protocol-version"), group.protocol_version.wire())
                    .context(scope.at("load-balancer.listener.protocol"), "HTTP")
                    .help("give the listener a certificate, or leave it at `HTTP1`"),
            );
        }
        if group.slow_start_secs.is_some_and(|secs| (1..30).contains(&secs)) {
            found.push(
                Diagnostic::error(RULE.code, "slow start takes at least 30 seconds")
                    .at(at.key("slow-start-secs"), "30 to 900, or 0 for none"),
            );
        }
    }
}
