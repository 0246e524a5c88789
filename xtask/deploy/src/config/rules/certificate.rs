//! HTTPS needs a certificate's ARN of the same region; HTTP takes none.
//!
//! Source: ELBv2 CreateListener (`CertificateNotFound`, `Certificates` "only for HTTPS and TLS").

use crate::model::Protocol;

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "certificate",
    about: "HTTPS needs a certificate of the same region; HTTP takes none.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let listener = &scope.settings.load_balancer.value.listener.value;
    match (&listener.protocol.value, &listener.certificate) {
        (Protocol::Https, None) => found.push(
            Diagnostic::error(RULE.code, "an HTTPS listener needs a certificate")
                .at(&listener.protocol, "HTTPS is asked for here")
                .help("add `certificate = \"arn:aws:acm:REGION:ACCOUNT:certificate/ID\"` beside it"),
        ),
        (Protocol::Http, Some(certificate)) => found.push(
            Diagnostic::error(RULE.code, "an HTTP listener takes no certificate")
                .at(certificate, "a certificate")
                .at(&listener.protocol, "`protocol` is HTTP")
                .help("set `protocol = \"HTTPS\"` and `port = 443`, or take the certificate out"),
        ),
        (Protocol::Https, Some(certificate)) => {
            let parts: Vec<&str> = certificate.value.splitn(6, ':').collect();
            let ["arn", _, "acm" | "iam", region, _, _] = parts.as_slice() else {
                found.push(
                    Diagnostic::error(RULE.code, "a certificate is named by its ARN")
                        .at(certificate, "not an ARN of ACM")
                        .help("`aws acm list-certificates` prints the ARNs"),
                );
                return;
            };
            if let Some(own) = &scope.settings.region
                && !region.is_empty()
                && own.value != *region
            {
                found.push(
                    Diagnostic::error(
                        RULE.code,
                        "the certificate is in another region than the load balancer",
                    )
                    .at(certificate, format!("in `{region}`"))
                    .at(own, "the load balancer's region")
                    .help("request the certificate again in the load balancer's region"),
                );
            }
        }
        (Protocol::Http, None) => {}
    }
}
