//! A route's conditions are some that a listener rule takes.
//!
//! Source: ELB user guide, "Condition types for listener rules" and "Quotas": five values for a rule; hosts, headers and
//! query strings have up to 128 characters, methods and header names up to 40.

use std::net::IpAddr;

use super::{Diagnostic, Place, Rule, Scope};
use crate::model::Route;

pub(super) const RULE: Rule = Rule {
    code: "route-condition",
    about: "A route's conditions are some that a listener rule takes.",
    check,
};

const MOST: usize = 5;

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for rule in scope.listener.iter().filter(|rule| !rule.health) {
        let (route, at) = (&rule.route, scope.at(&rule.place));
        let count: usize = rule.conditions.iter().map(|condition| condition.values.len()).sum();
        if count > MOST {
            found.push(
                Diagnostic::error(RULE.code, format!("a listener rule has at most {MOST} values"))
                    .at(&at, format!("{count} values"))
                    .note("all conditions of a rule together (Elastic Load Balancing quotas)")
                    .help("make two routes of it, with a priority each"),
            );
        }
        values(route, &at, found);
    }
}

fn values(route: &Route, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    let mut each = |key: &str, list: &[String], law: &str, valid: fn(&str) -> bool| {
        for (value, place) in list.iter().zip(at.key(key).entries()) {
            if !valid(value) {
                let wrong = Diagnostic::error(RULE.code, format!("not {}", article(key)));
                found.push(wrong.at(&place, format!("`{value}`")).note(law.to_owned()));
            }
        }
    };
    each("hosts", &route.hosts, "1 to 128 letters, digits and `- . * ?`, with a dot; no port", host);
    each("methods", &route.methods, "1 to 40 capitals, `-` and `_`, such as GET", method);
    each("query", &route.query, "1 to 128 printable characters: `key=value`, or a value of any key", text);
    each(
        "source-ips",
        &route.source_ips,
        "an address with the length of its network: 203.0.113.0/24, 2001:db8::/32",
        network,
    );
    for (name, patterns) in &route.headers {
        let place = at.key("headers").key(name);
        if name.is_empty() || name.len() > 40 || !name.bytes().all(is_header) {
            let wrong = Diagnostic::error(RULE.code, "not the name of a header")
                .at(place.name(), format!("`{name}`"));
            found.push(wrong.note("1 to 40 letters, digits and `- _`; without wildcards"));
        } else if name.eq_ignore_ascii_case("host") {
            let wrong =
                Diagnostic::error(RULE.code, "the host has a condition of its own").at(place.name(), "here");
            found.push(wrong.help("say it as `hosts = [\"…\"]`"));
        }
        for (pattern, place) in patterns.iter().zip(place.entries()) {
            if !text(pattern) {
                let wrong = Diagnostic::error(RULE.code, "not a pattern of a header")
                    .at(&place, format!("`{pattern}`"));
                found.push(wrong.note("1 to 128 printable characters"));
            }
        }
    }
}

fn article(key: &str) -> &'static str {
    match key {
        "hosts" => "a host",
        "methods" => "a method",
        "query" => "a pattern of a query string",
        _ => "a network",
    }
}

fn host(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.*?".contains(&byte);
    (1..=128).contains(&host.len()) && host.bytes().all(allowed) && (host.contains('.') || host == "*")
}

fn method(method: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || b"-_".contains(&byte);
    (1..=40).contains(&method.len()) && method.bytes().all(allowed)
}

fn text(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

fn is_header(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte)
}

fn network(text: &str) -> bool {
    let parts = text
        .split_once('/')
        .and_then(|(address, bits)| Some((address.parse().ok()?, bits.parse::<u8>().ok()?)));
    parts.is_some_and(|(address, bits)| bits <= if matches!(address, IpAddr::V4(_)) { 32 } else { 128 })
}
