//! A TLS policy and a redirect belong to HTTPS, and the redirect's port is free.
//!
//! Source: ELBv2 CreateListener (`SslPolicy` "only for HTTPS and TLS"; `DuplicateListener`).

use super::{Diagnostic, Rule, Scope};
use crate::model::{Listener, Protocol};

pub(super) const RULE: Rule = Rule {
    code: "listener-tls",
    about: "A TLS policy and a redirect belong to HTTPS, and the redirect's port is free.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let listener = &scope.settings.load_balancer.value.listener.value;
    let https = listener.protocol.value == Protocol::Https;
    if let Some(policy) = &listener.ssl_policy {
        if !https {
            found.push(
                Diagnostic::error(RULE.code, "an HTTP listener takes no TLS policy")
                    .at(policy, "a TLS policy")
                    .at(&listener.protocol, "`protocol` is HTTP")
                    .help("set `protocol = \"HTTPS\"` and `port = 443`, or take the policy out"),
            );
        } else if !policy.value.starts_with("ELBSecurityPolicy-") {
            found.push(
                Diagnostic::error(RULE.code, "not a policy of Elastic Load Balancing")
                    .at(policy, "does not begin with `ELBSecurityPolicy-`")
                    .help("`aws elbv2 describe-ssl-policies --load-balancer-type application` lists them"),
            );
        }
    }
    if let Some(redirect) = listener.redirect_http.as_ref().filter(|redirect| redirect.value && !https) {
        found.push(
            Diagnostic::error(RULE.code, "an HTTP listener has no HTTPS to redirect to")
                .at(redirect, "redirects to HTTPS")
                .at(&listener.protocol, "`protocol` is HTTP")
                .help("set `protocol = \"HTTPS\"` and `port = 443`, or take `redirect-http` out"),
        );
    }
    let redirects = listener.redirect_http.as_ref().is_none_or(|redirect| redirect.value);
    if https && redirects && listener.port.value == Listener::REDIRECT_PORT {
        found.push(
            Diagnostic::error(RULE.code, "an HTTPS listener on the port that redirects to it")
                .at(&listener.port, "browsers speak plain HTTP to port 80")
                .help("set `port = 443`"),
        );
    }
}
