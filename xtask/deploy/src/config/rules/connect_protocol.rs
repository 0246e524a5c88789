//! A Service Connect endpoint asks for what its protocol and TLS can have.
//!
//! Source: ECS API, TimeoutConfiguration (no request timeout for TCP) and ServiceConnectTlsConfiguration.

use super::{Diagnostic, Rule, Scope};
use crate::model::AppProtocol;

pub(super) const RULE: Rule = Rule {
    code: "connect-protocol",
    about: "A Service Connect endpoint asks for what its protocol and TLS can have.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (Some(connect), connect_at) = (&service.connect, at.key("connect")) else { continue };
        let tcp = service.container.app_protocol == Some(AppProtocol::Tcp);
        if tcp && connect.request_timeout_secs.is_some_and(|secs| secs > 0) {
            found.push(
                Diagnostic::error(RULE.code, "TCP has no requests that could time out")
                    .at(connect_at.key("request-timeout-secs"), "for HTTP and gRPC")
                    .context(at.key("container.app-protocol"), "TCP")
                    .help("use `idle-timeout-secs`"),
            );
        }
        let Some(tls) = &connect.tls else { continue };
        let keys =
            [("issuer", Some(&tls.issuer)), ("kms-key", tls.kms_key.as_ref()), ("role", tls.role.as_ref())];
        for (key, value) in keys {
            let at = connect_at.key("tls").key(key);
            if at.written() && value.is_some_and(|arn| !arn.starts_with("arn:")) {
                found.push(Diagnostic::error(RULE.code, "not an ARN").at(at, "ECS takes ARNs alone"));
            }
        }
    }
}
