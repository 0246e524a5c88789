//! HTTPS needs certificates' ARNs of the same region and account; HTTP takes none.
//!
//! Source: ELBv2 CreateListener (`CertificateNotFound`, `Certificates` "only for HTTPS and TLS").

use crate::config::setting::Setting;
use crate::model::Protocol;

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "certificate",
    about: "HTTPS needs certificates of the same region and account; HTTP takes none.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let listener = &scope.settings.load_balancer.value.listener.value;
    let named: Vec<&Setting<String>> =
        listener.certificate.iter().chain(&listener.further_certificates.value).collect();
    match (listener.protocol.value, &listener.certificate) {
        (Protocol::Https, None) => found.push(
            Diagnostic::error(RULE.code, "an HTTPS listener needs a certificate")
                .at(&listener.protocol, "HTTPS is asked for here")
                .help("add `certificate = \"arn:aws:acm:REGION:ACCOUNT:certificate/ID\"` beside it"),
        ),
        (Protocol::Http, _) => found.extend(named.iter().map(|certificate| {
            Diagnostic::error(RULE.code, "an HTTP listener takes no certificate")
                .at(*certificate, "a certificate")
                .at(&listener.protocol, "`protocol` is HTTP")
                .help("set `protocol = \"HTTPS\"` and `port = 443`, or take the certificate out")
        })),
        (Protocol::Https, Some(_)) => {}
    }
    for (at, certificate) in named.iter().enumerate() {
        if listener.protocol.value == Protocol::Https {
            place(scope, certificate, found);
        }
        if named[..at].iter().any(|other| other.value == certificate.value) {
            found.push(
                Diagnostic::error(RULE.code, "a certificate is named twice")
                    .at(*certificate, "named before")
                    .help("take one of the two out"),
            );
        }
    }
}

/// A load balancer sees the certificates of its own region and account.
fn place(scope: &Scope<'_>, certificate: &Setting<String>, found: &mut Vec<Diagnostic>) {
    let parts: Vec<&str> = certificate.value.splitn(6, ':').collect();
    let ["arn", _, "acm" | "iam", region, account, _] = parts.as_slice() else {
        found.push(
            Diagnostic::error(RULE.code, "a certificate is named by its ARN")
                .at(certificate, "not an ARN of ACM")
                .help("`aws acm list-certificates` prints the ARNs"),
        );
        return;
    };
    // A server certificate of IAM has no region.
    if let Some(own) = &scope.settings.region
        && !region.is_empty()
        && own.value != *region
    {
        found.push(
            Diagnostic::error(RULE.code, "the certificate is in another region than the load balancer")
                .at(certificate, format!("in `{region}`"))
                .at(own, "the load balancer's region")
                .help("request the certificate again in the load balancer's region"),
        );
    }
    if let Some(own) = &scope.settings.account
        && own.value != *account
    {
        found.push(
            Diagnostic::error(RULE.code, "the certificate is in another account than the load balancer")
                .at(certificate, format!("in `{account}`"))
                .at(own, "the load balancer's account")
                .help("request the certificate in the load balancer's account"),
        );
    }
}
