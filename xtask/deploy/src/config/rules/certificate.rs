//! HTTPS needs certificates' ARNs of the same region and account; HTTP takes none.
//!
//! Source: ELBv2 CreateListener (`CertificateNotFound`, `Certificates` "only for HTTPS and TLS").

use crate::model::Protocol;

use super::{Diagnostic, Place, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "certificate",
    about: "HTTPS needs certificates of the same region and account; HTTP takes none.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let listener = &scope.environment.load_balancer.listener;
    let at = scope.at("load-balancer.listener");
    let named = listener.certificate.iter().map(|arn| (arn, at.key("certificate")));
    let further_at = at.key("further-certificates");
    let further = listener.further_certificates.iter().zip(further_at.entries());
    let named: Vec<(&String, Place<'_>)> = named.chain(further).collect();
    match (listener.protocol, &listener.certificate) {
        (Protocol::Https, None) => found.push(
            Diagnostic::error(RULE.code, "an HTTPS listener needs a certificate")
                .at(at.key("protocol"), "HTTPS is asked for here")
                .help("add `certificate = \"arn:aws:acm:REGION:ACCOUNT:certificate/ID\"` beside it"),
        ),
        (Protocol::Http, _) => found.extend(named.iter().map(|(_, certificate)| {
            Diagnostic::error(RULE.code, "an HTTP listener takes no certificate")
                .at(certificate, "a certificate")
                .at(at.key("protocol"), "`protocol` is HTTP")
                .help("set `protocol = \"HTTPS\"` and `port = 443`, or take the certificate out")
        })),
        (Protocol::Https, Some(_)) => {}
    }
    for (nth, (arn, certificate)) in named.iter().enumerate() {
        if listener.protocol == Protocol::Https {
            place(scope, arn, certificate, found);
        }
        if named[..nth].iter().any(|(other, _)| other == arn) {
            found.push(
                Diagnostic::error(RULE.code, "a certificate is named twice")
                    .at(certificate, "named before")
                    .help("take one of the two out"),
            );
        }
    }
}

/// A load balancer sees the certificates of its own region and account.
fn place(scope: &Scope<'_>, arn: &str, certificate: &Place<'_>, found: &mut Vec<Diagnostic>) {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "acm" | "iam", region, account, _] = parts.as_slice() else {
        found.push(
            Diagnostic::error(RULE.code, "a certificate is named by its ARN")
                .at(certificate, "not an ARN of ACM")
                .help("`aws acm list-certificates` prints the ARNs"),
        );
        return;
    };
    // A server certificate of IAM has no region.
    let own = scope.environment;
    if !own.region.is_empty() && !region.is_empty() && own.region != *region {
        found.push(
            Diagnostic::error(RULE.code, "the certificate is in another region than the load balancer")
                .at(certificate, format!("in `{region}`"))
                .at(scope.at("region"), "the load balancer's region")
                .help("request the certificate again in the load balancer's region"),
        );
    }
    if own.account.as_ref().is_some_and(|own| own != account) {
        found.push(
            Diagnostic::error(RULE.code, "the certificate is in another account than the load balancer")
                .at(certificate, format!("in `{account}`"))
                .at(scope.at("account"), "the load balancer's account")
                .help("request the certificate in the load balancer's account"),
        );
    }
}
