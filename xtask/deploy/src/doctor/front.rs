//! The public name: its certificates, and where DNS leads.

use super::Check;
use super::facts::{Certificate, Fact, Facts};
use crate::model::{Environment, Protocol, arn_name};
use crate::view::age;

/// ACM renews certificates that it issued 60 days before their end; one with less than this was not renewed, or is imported.
const EXPIRES_SOON_MS: u64 = 14 * 86_400_000;

pub(super) fn checks(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let Some(balancer) = environment.balancer() else { return Vec::new() };
    let mut checks = Vec::new();
    if balancer.listener.protocol == Protocol::Https {
        let main = balancer.listener.certificate.as_ref();
        checks.extend(facts.certificates.iter().map(|(arn, fact)| {
            // Only the default certificate must fit the name; further ones are for other names.
            let host = balancer.host.as_deref().filter(|_| main == Some(arn));
            certificate(arn, fact, host, facts.now_ms)
        }));
    }
    if let (Some(host), Some(fact)) = (&balancer.host, &facts.names) {
        let name = format!("DNS of {host}");
        let balancer_name = match &facts.balancer {
            Some(Ok(Some(found))) => found.dns_name.as_str(),
            _ => "the load balancer",
        };
        checks.push(match fact {
            Err(unread) => Check::unknown(name, unread),
            Ok(names) if names.host.is_empty() => Check::fail(
                name,
                "there is no such name",
                format!("make it an alias, or a CNAME, of {balancer_name}"),
            ),
            Ok(names) if names.host.iter().any(|own| names.balancer.contains(own)) => {
                Check::ok(name, "leads to the load balancer")
            }
            Ok(names) => Check::warn(
                name,
                format!(
                    "leads to {}, which is not the load balancer: right behind a CDN or a proxy only",
                    names.host[0]
                ),
                format!("make it an alias, or a CNAME, of {balancer_name}"),
            ),
        });
    }
    checks
}

fn certificate(arn: &str, fact: &Fact<Option<Certificate>>, host: Option<&str>, now_ms: u64) -> Check {
    let name = format!("certificate {}", arn_name(arn));
    let found = match fact {
        Err(unread) => return Check::unknown(name, unread),
        Ok(None) => {
            return Check::fail(
                name,
                "ACM does not have it in this account and region",
                "name one of the load balancer's region under [load-balancer.listener]",
            );
        }
        Ok(Some(found)) => found,
    };
    let names = found.names.join(", ");
    let left = found.not_after_ms.map(|end| end.saturating_sub(now_ms));
    if found.status == "EXPIRED" || left == Some(0) {
        return Check::fail(name, "it has expired", "renew it, or import a new one into ACM");
    }
    if found.status != "ISSUED" {
        let remedy = match found.status.as_str() {
            "PENDING_VALIDATION" => "create the validation records that the ACM console shows",
            _ => "request another one in ACM",
        };
        return Check::fail(name, format!("it is in state {}", found.status), remedy);
    }
    if let Some(host) = host.filter(|host| !found.names.iter().any(|own| covers(own, host))) {
        return Check::fail(
            name,
            format!("it is for {names}, and not for {host}"),
            format!("name a certificate for {host} under [load-balancer.listener]"),
        );
    }
    match left {
        Some(left) if left < EXPIRES_SOON_MS => Check::warn(
            name,
            format!("it ends in {}", age(left)),
            "see in the ACM console why it is not renewed, or import a new one",
        ),
        _ => Check::ok(name, format!("issued for {names}")),
    }
}

/// `*` stands for one label (RFC 6125).
fn covers(own: &str, host: &str) -> bool {
    let (own, host) = (own.to_ascii_lowercase(), host.to_ascii_lowercase());
    match own.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => own == host,
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        for (own, host, wanted) in [
            ("app.test", "APP.test", true),
            ("*.app.test", "www.app.test", true),
            ("*.app.test", "app.test", false),
            ("*.app.test", "a.b.app.test", false),
        ] {
            assert_eq!(covers(own, host), wanted, "{own} {host}");
        }
    }
}
