//! The public name is a DNS name that a certificate can be issued for, and HTTPS needs it.
//!
//! Source: RFC 1123 (host names); Elastic Load Balancing user guide, "HTTPS listeners": no certificate is issued for
//! names below `elb.amazonaws.com`.

use super::{Diagnostic, Rule, Scope};
use crate::model::Protocol;

pub(super) const RULE: Rule =
    Rule { code: "public-host", about: "The public name is a DNS name, and HTTPS needs it.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let balancer = &scope.environment.load_balancer;
    let protocol = balancer.listener.protocol;
    let Some(host) = &balancer.host else {
        if protocol == Protocol::Https {
            found.push(
                Diagnostic::error(RULE.code, "an HTTPS listener needs the public name")
                    .at(scope.at("load-balancer.listener.protocol"), "HTTPS is asked for here")
                    .note(
                        "no certificate is issued for the load balancer's own name (`….elb.amazonaws.com`), so the \
                         checks have to ask by the name that the certificate is for",
                    )
                    .help("add `host = \"app.example.com\"` to `[load-balancer]`"),
            );
        }
        return;
    };
    let (name, at) = (host.as_str(), scope.at("load-balancer.host"));
    let Some(wrong) = wrong(name) else { return };
    let diagnostic = Diagnostic::error(RULE.code, "`host` is a DNS name").at(&at, wrong);
    let bare = name.split_once("://").map_or(name, |(_, rest)| rest);
    let bare = bare.split(['/', ':']).next().unwrap_or_default();
    found.push(if bare != name && self::wrong(bare).is_none() {
        diagnostic.replace(&at, format!("\"{bare}\""), "give the name alone; the port is the listener's")
    } else {
        diagnostic.help("give the name that browsers ask for, such as `app.example.com`")
    });
}

fn wrong(name: &str) -> Option<&'static str> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if name.contains("://") || name.contains('/') {
        Some("a URL")
    } else if name.starts_with("*.") {
        Some("a pattern, which nobody can ask for")
    } else if name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        Some("an address, for which ACM issues no certificate")
    } else if name.to_ascii_lowercase().ends_with(".elb.amazonaws.com") {
        Some("the load balancer's own name, for which no certificate is issued")
    } else if name.contains(':') {
        Some("has a port")
    } else if !name.contains('.') || !name.split('.').all(label) {
        Some("not a full DNS name")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn only_a_name_that_a_certificate_can_be_issued_for_passes() {
        for name in ["app.example.com", "ielts-2.example.co.uk", "APP.Example.com"] {
            assert_eq!(wrong(name), None, "{name}");
        }
        for name in [
            "https://app.example.com",
            "app.example.com:443",
            "app.example.com/login",
            "*.example.com",
            "192.0.2.1",
            "alb-1.ap-southeast-1.elb.amazonaws.com",
            "app",
            "app..example.com",
            "-app.example.com",
            "app_1.example.com",
        ] {
            assert!(wrong(name).is_some(), "{name}");
        }
    }
}
