//! The load balancer, its listener and its certificates.

use super::naming::Naming;
use super::{Findings, Place, Rule, Scope};
use crate::model::{Listener, Protocol};

pub(super) const RULES: &[Rule] = &[
    Rule::Environment("load-balancer-name", load_balancer_name),
    Rule::Environment("load-balancer-subnets", load_balancer_subnets),
    Rule::Environment("listener-tls", listener_tls),
    Rule::Environment("certificate", certificate),
    Rule::Environment("public-host", public_host),
];

const LOAD_BALANCER: Naming = Naming {
    what: "load balancer name",
    length: 1..=32,
    allowed: |c| c.is_ascii_alphanumeric() || c == '-',
    law: "1 to 32 letters, digits and hyphens, not beginning or ending with a hyphen nor beginning with \
          `internal-` (ELBv2 API, CreateLoadBalancer)",
    form: |name| {
        if name.starts_with("internal-") {
            Some("begins with `internal-`")
        } else {
            (name.starts_with('-') || name.ends_with('-')).then_some("a hyphen at its edge")
        }
    },
};

/// A load balancer's name has its length and alphabet; an existing one may be named by its ARN
/// (ELBv2 API, CreateLoadBalancer, `Name`).
fn load_balancer_name(scope: &Scope<'_>, found: &mut Findings) {
    let balancer = &scope.environment.load_balancer;
    let (name, at) = (&balancer.name, scope.at("load-balancer.name"));
    if !name.starts_with("arn:") {
        LOAD_BALANCER.check(name, at, found);
    } else if !name.contains(":loadbalancer/app/") {
        found
            .error("not an application load balancer")
            .at(at, "an ARN of something else")
            .help("the ARN of an application load balancer has `:loadbalancer/app/` in it");
    } else if !balancer.existing {
        found
            .error("a load balancer to be created has no ARN yet")
            .at(at, "names an existing one")
            .help("set `existing = true` beside it to use that one");
    }
}

/// A load balancer that the tool creates spans two availability zones.
///
/// Source: ELBv2 API, CreateLoadBalancer: subnets from at least two availability zones.
fn load_balancer_subnets(scope: &Scope<'_>, found: &mut Findings) {
    let balancer = &scope.environment.load_balancer;
    if !balancer.existing && balancer.subnets.len() == 1 {
        found
            .error("an application load balancer needs two availability zones")
            .at(scope.at("load-balancer.subnets"), "one subnet is one zone")
            .help("name a second subnet in another zone");
    }
}

/// A TLS policy and a redirect belong to HTTPS, and the redirect's port is free.
///
/// Source: ELBv2 CreateListener (`SslPolicy` "only for HTTPS and TLS"; `DuplicateListener`).
fn listener_tls(scope: &Scope<'_>, found: &mut Findings) {
    let listener = &scope.environment.load_balancer.listener;
    let at = scope.at("load-balancer.listener");
    let https = listener.protocol == Protocol::Https;
    if let Some(policy) = &listener.ssl_policy {
        if !https {
            found
                .error("an HTTP listener takes no TLS policy")
                .at(at.key("ssl-policy"), "a TLS policy")
                .at(at.key("protocol"), "`protocol` is HTTP")
                .help("set `protocol = \"HTTPS\"` and `port = 443`, or take the policy out");
        } else if !policy.starts_with("ELBSecurityPolicy-") {
            found
                .error("not a policy of Elastic Load Balancing")
                .at(at.key("ssl-policy"), "does not begin with `ELBSecurityPolicy-`")
                .help("`aws elbv2 describe-ssl-policies --load-balancer-type application` lists them");
        }
    }
    let redirects = listener.redirect_http == Some(true);
    if redirects && !https {
        found
            .error("an HTTP listener has no HTTPS to redirect to")
            .at(at.key("redirect-http"), "redirects to HTTPS")
            .at(at.key("protocol"), "`protocol` is HTTP")
            .help("set `protocol = \"HTTPS\"` and `port = 443`, or take `redirect-http` out");
    }
    if https && redirects && listener.port == Listener::REDIRECT_PORT {
        found
            .error("an HTTPS listener on the port that redirects to it")
            .at(at.key("port"), "browsers speak plain HTTP to port 80")
            .help("set `port = 443`");
    }
}

/// HTTPS needs certificates' ARNs of the same region and account; HTTP takes none.
///
/// Source: ELBv2 CreateListener (`CertificateNotFound`, `Certificates` "only for HTTPS and TLS").
fn certificate(scope: &Scope<'_>, found: &mut Findings) {
    let listener = &scope.environment.load_balancer.listener;
    let at = scope.at("load-balancer.listener");
    let named = listener.certificate.iter().map(|arn| (arn, at.key("certificate")));
    let further_at = at.key("further-certificates");
    let further = listener.further_certificates.iter().zip(further_at.entries());
    let named: Vec<(&String, Place<'_>)> = named.chain(further).collect();
    match (listener.protocol, &listener.certificate) {
        (Protocol::Https, None) => {
            found
                .error("an HTTPS listener needs a certificate")
                .at(at.key("protocol"), "HTTPS is asked for here")
                .help("add `certificate = \"arn:aws:acm:REGION:ACCOUNT:certificate/ID\"` beside it");
        }
        (Protocol::Http, _) => {
            for (_, certificate) in &named {
                found
                    .error("an HTTP listener takes no certificate")
                    .at(certificate, "a certificate")
                    .at(at.key("protocol"), "`protocol` is HTTP")
                    .help("set `protocol = \"HTTPS\"` and `port = 443`, or take the certificate out");
            }
        }
        (Protocol::Https, Some(_)) => {}
    }
    for (nth, (arn, certificate)) in named.iter().enumerate() {
        if listener.protocol == Protocol::Https {
            certificate_place(scope, arn, certificate, found);
        }
        if named[..nth].iter().any(|(other, _)| other == arn) {
            found
                .error("a certificate is named twice")
                .at(certificate, "named before")
                .help("take one of the two out");
        }
    }
}

/// A load balancer sees the certificates of its own region and account.
fn certificate_place(scope: &Scope<'_>, arn: &str, certificate: &Place<'_>, found: &mut Findings) {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "acm" | "iam", region, account, _] = parts.as_slice() else {
        found
            .error("a certificate is named by its ARN")
            .at(certificate, "not an ARN of ACM")
            .help("`aws acm list-certificates` prints the ARNs");
        return;
    };
    // A server certificate of IAM has no region.
    let own = scope.environment;
    if !own.region.is_empty() && !region.is_empty() && own.region != *region {
        found
            .error("the certificate is in another region than the load balancer")
            .at(certificate, format!("in `{region}`"))
            .at(scope.at("region"), "the load balancer's region")
            .help("request the certificate again in the load balancer's region");
    }
    if own.account.as_ref().is_some_and(|own| own != account) {
        found
            .error("the certificate is in another account than the load balancer")
            .at(certificate, format!("in `{account}`"))
            .at(scope.at("account"), "the load balancer's account")
            .help("request the certificate in the load balancer's account");
    }
}

/// The public name is a DNS name that a certificate can be issued for, and HTTPS needs it.
///
/// Source: RFC 1123 (host names); Elastic Load Balancing user guide, "HTTPS listeners": no certificate is
/// issued for names below `elb.amazonaws.com`.
fn public_host(scope: &Scope<'_>, found: &mut Findings) {
    let balancer = &scope.environment.load_balancer;
    let protocol = balancer.listener.protocol;
    let Some(host) = &balancer.host else {
        if protocol == Protocol::Https {
            found.error("an HTTPS listener needs the public name")
                    .at(scope.at("load-balancer.listener.protocol"), "HTTPS is asked for here")
                    .note(
                        "no certificate is issued for the load balancer's own name (`….elb.amazonaws.com`), so the \
                         checks have to ask by the name that the certificate is for",
                    )
                    .help("add `host = \"app.example.com\"` to `[load-balancer]`");
        }
        return;
    };
    let (name, at) = (host.as_str(), scope.at("load-balancer.host"));
    let Some(wrong) = wrong_host(name) else { return };
    let diagnostic = found.error("`host` is a DNS name").at(&at, wrong);
    let bare = name.split_once("://").map_or(name, |(_, rest)| rest);
    let bare = bare.split(['/', ':']).next().unwrap_or_default();
    if bare != name && wrong_host(bare).is_none() {
        diagnostic.replace(&at, format!("\"{bare}\""), "give the name alone; the port is the listener's");
    } else {
        diagnostic.help("give the name that browsers ask for, such as `app.example.com`");
    }
}

fn wrong_host(name: &str) -> Option<&'static str> {
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
    use super::wrong_host;

    #[test]
    fn only_a_name_that_a_certificate_can_be_issued_for_passes() {
        for name in ["app.example.com", "ielts-2.example.co.uk", "APP.Example.com"] {
            assert_eq!(wrong_host(name), None, "{name}");
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
            assert!(wrong_host(name).is_some(), "{name}");
        }
    }
}
