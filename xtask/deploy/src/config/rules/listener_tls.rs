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
    let listener = &scope.environment.load_balancer.listener;
    let at = scope.at("load-balancer.listener");
    let https = listener.protocol == Protocol::Https;
    if let Some(policy) = &listener.ssl_policy {
        if !https {
            found.push(
                Diagnostic::error(RULE.code, "an HTTP listener takes no TLS policy")
                    .at(at.key("ssl-policy"), "a TLS policy")
                    .at(at.key("protocol"), "`protocol` is HTTP")
                    .help("set `protocol = \"HTTPS\"` and `port = 443`, or take the policy out"),
            );
        } else if !policy.starts_with("ELBSecurityPolicy-") {
            found.push(
                Diagnostic::error(RULE.code, "not a policy of Elastic Load Balancing")
                    .at(at.key("ssl-policy"), "does not begin with `ELBSecurityPolicy-`")
                    .help("`aws elbv2 describe-ssl-policies --load-balancer-type application` lists them"),
            );
        }
    }
    let redirects = listener.redirect_http == Some(true);
    if redirects && !https {
        found.push(
            Diagnostic::error(RULE.code, "an HTTP listener has no HTTPS to redirect to")
                .at(at.key("redirect-http"), "redirects to HTTPS")
                .at(at.key("protocol"), "`protocol` is HTTP")
                .help("set `protocol = \"HTTPS\"` and `port = 443`, or take `redirect-http` out"),
        );
    }
    if https && redirects && listener.port == Listener::REDIRECT_PORT {
        found.push(
            Diagnostic::error(RULE.code, "an HTTPS listener on the port that redirects to it")
                .at(at.key("port"), "browsers speak plain HTTP to port 80")
                .help("set `port = 443`"),
        );
    }
}
