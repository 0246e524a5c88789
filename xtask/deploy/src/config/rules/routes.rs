//! Which requests the listener sends where.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Findings, Place, Rule, Scope};
use crate::config::routing::ListenerRule;
use crate::model::spec::{ConditionField, takes_all};
use crate::model::{Redirect, Route, Service};

pub(super) const RULES: &[Rule] = &[
    Rule::Environment("route-none", route_none),
    Rule::Environment("route-path", route_path),
    Rule::Environment("route-condition", route_condition),
    Rule::Environment("route-action", route_action),
    Rule::Environment("route-clash", route_clash),
    Rule::Environment("route-shadowed", route_shadowed),
];

/// Every service is behind at least one listener rule.
///
/// Source: ECS CreateService refuses a target group that no rule uses: "does not have an associated load
/// balancer". Of somebody else's load balancer the default action, or a rule that this tool cannot write, may lead to it: then
/// `routes = []` says so.
fn route_none(scope: &Scope<'_>, found: &mut Findings) {
    let existing = scope.environment.load_balancer.existing;
    for (service, at) in scope.services() {
        one_route(service, &at, existing, found);
    }
}

fn one_route(service: &Service, at: &Place<'_>, existing: bool, found: &mut Findings) {
    let elsewhere = existing && at.key("routes").written();
    // A route whose path or priority is missing is reported as that.
    if service.load_balancer && service.routes.is_empty() && at.key("routes.0").span().is_none() && !elsewhere
    {
        found
            .error("no listener rule leads to this service")
            .at(at.name(), "has neither routes nor a health route")
            .note("ECS refuses a target group that no rule uses")
            .help(
                "add `routes = [{ path = \"/…\", priority = … }]`, or `load-balancer = false` for a worker",
            );
    }
}

/// A route's pattern is one that a listener rule takes.
///
/// Source: ELB user guide, listener rule condition types: path conditions have up to 128 characters of
/// `A–Z a–z 0–9 _ - . $ / ~ " ' @ : + & * ?`.
fn route_path(scope: &Scope<'_>, found: &mut Findings) {
    for rule in scope.listener.iter().filter(|rule| !rule.health) {
        let entry = scope.at(&rule.place);
        let several = rule.route.paths.iter().zip(entry.key("paths").entries());
        let one = Some((&rule.route.path, entry.key("path"))).filter(|(path, _)| !path.is_empty());
        for (path, at) in one.into_iter().chain(several) {
            path_pattern(path, &at, found);
        }
    }
}

fn path_pattern(path: &str, at: &Place<'_>, found: &mut Findings) {
    let stranger = path.chars().find(|&c| !c.is_ascii_alphanumeric() && !"_-.$/~\"'@:+&*?".contains(c));
    let length = path.chars().count();
    let message = "not a path pattern";
    if let Some(stranger) = stranger {
        found
            .error(message)
            .at(at, format!("{stranger:?} is not allowed"))
            .note("letters, digits and `_ - . $ / ~ \" ' @ : + & * ?` (ELB user guide, path conditions)");
    } else if length > 128 {
        found.error(message).at(at, format!("{length} characters, at most 128"));
    } else if !path.starts_with(['/', '*', '?']) {
        found.error(message).at(at, "matches nothing: every path begins with a slash").replace(
            at,
            format!("\"/{path}\""),
            "begin with one",
        );
    }
}

// Condition values of one rule (Elastic Load Balancing quotas).
const MOST: usize = 5;

/// A route's conditions are some that a listener rule takes.
///
/// Source: ELB user guide, "Condition types for listener rules" and "Quotas": five values for a rule; hosts, headers and
/// query strings have up to 128 characters, methods and header names up to 40.
fn route_condition(scope: &Scope<'_>, found: &mut Findings) {
    for rule in scope.listener.iter().filter(|rule| !rule.health) {
        let (route, at) = (&rule.route, scope.at(&rule.place));
        let count: usize = rule.conditions.iter().map(|condition| condition.values.len()).sum();
        if count > MOST {
            found
                .error(format!("a listener rule has at most {MOST} values"))
                .at(&at, format!("{count} values"))
                .note("all conditions of a rule together (Elastic Load Balancing quotas)")
                .help("make two routes of it, with a priority each");
        }
        condition_values(route, &at, found);
    }
}

fn condition_values(route: &Route, at: &Place<'_>, found: &mut Findings) {
    let mut each = |key: &str, list: &[String], law: &str, valid: fn(&str) -> bool| {
        for (value, place) in list.iter().zip(at.key(key).entries()) {
            if !valid(value) {
                found
                    .error(format!("not {}", article(key)))
                    .at(&place, format!("`{value}`"))
                    .note(law.to_owned());
            }
        }
    };
    each("hosts", &route.hosts, "1 to 128 letters, digits and `- . * ?`, with a dot; no port", is_host);
    each("methods", &route.methods, "1 to 40 capitals, `-` and `_`, such as GET", is_method);
    each("query", &route.query, "1 to 128 printable characters: `key=value`, or a value of any key", is_text);
    each(
        "source-ips",
        &route.source_ips,
        "an address with the length of its network: 203.0.113.0/24, 2001:db8::/32",
        is_network,
    );
    for (name, patterns) in &route.headers {
        let place = at.key("headers").key(name);
        if name.is_empty() || name.len() > 40 || !name.bytes().all(is_header) {
            found
                .error("not the name of a header")
                .at(place.name(), format!("`{name}`"))
                .note("1 to 40 letters, digits and `- _`; without wildcards");
        } else if name.eq_ignore_ascii_case("host") {
            found
                .error("the host has a condition of its own")
                .at(place.name(), "here")
                .help("say it as `hosts = [\"…\"]`");
        }
        for (pattern, place) in patterns.iter().zip(place.entries()) {
            if !is_text(pattern) {
                found
                    .error("not a pattern of a header")
                    .at(&place, format!("`{pattern}`"))
                    .note("1 to 128 printable characters");
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

fn is_host(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.*?".contains(&byte);
    (1..=128).contains(&host.len()) && host.bytes().all(allowed) && (host.contains('.') || host == "*")
}

fn is_method(method: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || b"-_".contains(&byte);
    (1..=40).contains(&method.len()) && method.bytes().all(allowed)
}

fn is_text(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

fn is_header(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte)
}

fn is_network(text: &str) -> bool {
    let parts = text
        .split_once('/')
        .and_then(|(address, bits)| Some((address.parse().ok()?, bits.parse::<u8>().ok()?)));
    parts.is_some_and(|(address, bits)| bits <= if matches!(address, IpAddr::V4(_)) { 32 } else { 128 })
}

/// A service's routes lead to it; the load balancer's own redirect or respond.
///
/// Source: ELBv2 API, RedirectActionConfig ("You must modify at least one of the following components to avoid a redirect
/// loop: protocol, hostname, port or path") and FixedResponseActionConfig (2XX, 4XX or 5XX).
fn route_action(scope: &Scope<'_>, found: &mut Findings) {
    for rule in scope.listener.iter() {
        let (route, at) = (&rule.route, scope.at(&rule.place));
        match (&rule.service, &route.redirect, &route.respond) {
            (Some(service), redirect, respond) => {
                for key in [redirect.as_ref().map(|_| "redirect"), respond.as_ref().map(|_| "respond")]
                    .into_iter()
                    .flatten()
                {
                    found
                        .error(format!("a route of a service has no `{key}`"))
                        .at(at.key(key), format!("the route leads to `{service}`"))
                        .help("move the route to `[[load-balancer.routes]]`");
                }
            }
            (None, None, None) => {
                found
                    .error("a route of the load balancer leads nowhere")
                    .at(&at, "neither `redirect` nor `respond`")
                    .help("add one, or move the route to the service that it is for");
            }
            (None, Some(_), Some(_)) => {
                found
                    .error("a route either redirects or responds")
                    .at(at.key("redirect"), "one")
                    .at(at.key("respond"), "the other");
            }
            (None, Some(redirect), None) => redirect_goes(redirect, &at.key("redirect"), found),
            (None, None, Some(_)) => respond_status(route, &at.key("respond.status"), found),
        }
    }
}

fn redirect_goes(redirect: &Redirect, at: &Place<'_>, found: &mut Findings) {
    let same = Redirect::default();
    let parts = |it: &Redirect| (it.protocol.clone(), it.host.clone(), it.port.clone(), it.path.clone());
    if parts(redirect) == parts(&same) {
        found
            .error("a redirect to the same address is a loop")
            .at(at, "as it was asked for")
            .help("change `protocol`, `host`, `port` or `path`");
    }
    if !["HTTP", "HTTPS", "#{protocol}"].contains(&redirect.protocol.as_str()) {
        found
            .error("not a protocol of a redirect")
            .at(at.key("protocol"), "`HTTP`, `HTTPS` or `#{protocol}`");
    }
    if redirect.port != "#{port}" && redirect.port.parse::<u16>().is_err() {
        found.error("not a port").at(at.key("port"), "\"1\" to \"65535\", or \"#{port}\"");
    }
    if !redirect.path.starts_with('/') {
        found.error("a path begins with a slash").at(at.key("path"), "no slash").replace(
            at.key("path"),
            format!("\"/{}\"", redirect.path),
            "begin with one",
        );
    }
}

fn respond_status(route: &Route, at: &Place<'_>, found: &mut Findings) {
    let status = route.respond.as_ref().map_or(0, |respond| respond.status);
    if status / 100 == 3 {
        found
            .error("a response is 2xx, 4xx or 5xx")
            .at(at, format!("{status} is a redirect"))
            .help("use `redirect = { … }`");
    }
}

/// Each listener rule has a priority and requests of its own.
///
/// Source: ELBv2 API, CreateRule (`PriorityInUse`). The same path twice is accepted, and the second never taken.
fn route_clash(scope: &Scope<'_>, found: &mut Findings) {
    let (mut priorities, mut taken) = (BTreeMap::new(), BTreeMap::new());
    for rule in scope.listener.iter() {
        let first: &ListenerRule = priorities.entry(rule.route.priority).or_insert(rule);
        if !std::ptr::eq(first, rule) {
            let place = |rule: &ListenerRule| rule.priority_at.clone().or(rule.at.clone());
            found
                .error(format!("two listener rules have priority {}", rule.route.priority))
                .at(place(first), named(first))
                .at(place(rule), named(rule))
                .help("give one of them another number; the lower one is tried first");
        }
        let first: &ListenerRule = taken.entry(rule.requests()).or_insert(rule);
        if !std::ptr::eq(first, rule) && first.conditions == rule.conditions {
            let wrong = found
                .error(format!("two listener rules take `{}`", rule.requests()))
                .at(&first.at, named(first))
                .at(&rule.at, named(rule));
            wrong.help(if first.health && rule.health {
                "give the services different health paths, or set `load-balancer.health-routes = false`"
            } else {
                "the same requests can lead to one service only"
            });
        }
    }
}

fn named(rule: &ListenerRule) -> String {
    let health = if rule.health { ", its health path" } else { "" };
    format!("`{}` → {}{health}", rule.requests(), rule.leads_to())
}

/// A listener has 100 rules (Elastic Load Balancing quotas); of many more that begin alike not all are compared.
const MOST_COMPARED: usize = 200;

/// Every listener rule can match: none comes after a wider one.
fn route_shadowed(scope: &Scope<'_>, found: &mut Findings) {
    for rule in scope.listener.iter() {
        // The same requests twice are `route-clash`'s.
        let wider = |first: &&ListenerRule| {
            first.route.priority < rule.route.priority
                && first.service != rule.service
                && first.conditions != rule.conditions
                && takes_all(&first.conditions, &rule.conditions)
        };
        // A rule without a path takes what one of every path takes.
        let path = rule.conditions.iter().find(|condition| condition.on == ConditionField::Path);
        let path = path.and_then(|path| path.values.first()).map_or("*", String::as_str);
        let Some(first) = scope.listener.near(path).take(MOST_COMPARED).find(wider) else { continue };
        let (to, priority) = (first.leads_to(), first.route.priority);
        found
            .warning(format!("requests for `{}` never get here", rule.requests()))
            .at(&rule.at, format!("priority {}", rule.route.priority))
            .context(&first.at, format!("takes all of it first, for {to}: priority {priority}"))
            .help(format!("give it a priority below {priority}"));
    }
}
