//! Keys that have no default: what each section must say.

use std::collections::BTreeMap;

use super::diagnostic::Findings;
use super::place::{Located, Place, Span};
use super::rules::Scope;
use super::suggest;
use crate::model::{Offered, Service};

/// Reports all that is missing, once for each section; below a value that is `doubtful` nothing is.
pub(super) fn check(scope: &Scope<'_>, doubtful: &[Span], found: &mut Findings) {
    let section = format!("environment `{}`", scope.env());
    let services = &scope.environment.services;
    let mut keys = vec!["app", "region", "cluster"];
    if services.is_empty() || scope.environment.connects() {
        keys.push("namespace");
    }
    keys.extend(["network.vpc", "network.subnets"]);
    if services.is_empty() || scope.environment.balancer().is_some() {
        keys.push("load-balancer.name");
        if !scope.environment.load_balancer.existing {
            keys.extend(["load-balancer.subnets", "load-balancer.security-groups"]);
        }
    }
    let lacks = keys.into_iter().filter(|key| !scope.at(key).written()).map(str::to_owned);
    report(&section, lacks.collect(), &scope.env_at, "here or at the top of the file", found);
    if scope.environment.services.is_empty() {
        let none = found.of("missing-key").error(format!("{section} has no services"));
        none.at(&scope.env_at, "nothing to deploy").help("describe one in `[service.NAME]`");
    }
    for (name, meant) in scope.mistyped {
        let at = scope.at(format_args!("service.{name}")).name();
        let wrong = found.of("unknown-service").error(format!("there is no service `{name}`"));
        wrong.at(&at, "no `[service.…]` of this name").replace(
            &at,
            meant,
            format!("did you mean `{meant}`?"),
        );
    }
    routes(&scope.at("load-balancer.routes"), found);
    for (service, at) in scope.services() {
        routes(&at.key("routes"), found);
        entries(&at.key("scaling.schedule"), &["name", "schedule"], "a scheduled action", found);
        for check in at.key("smoke").entries() {
            let inside = ["from", "url"];
            let is_inside = inside.iter().any(|key| check.key(key).written());
            let keys: &[&str] = if is_inside { &inside } else { &["path"] };
            lacking(&check, keys, "a smoke check", found);
        }
        let section = format!("service `{}`", service.key);
        let mut own = Vec::new();
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for lack in self::lacks(service, &at, doubtful) {
            match lack.rsplit_once('.').filter(|(table, _)| asks_for_itself(table)) {
                Some((table, key)) => tables.entry(table.to_owned()).or_default().push(key.to_owned()),
                None => own.push(lack),
            }
        }
        report(&section, own, &at, "here or in `[every-service]`", found);
        for (table, lacks) in tables {
            report(&format!("`{table}` of {section}"), lacks, at.key(&table), "here", found);
        }
    }
}

/// Whether nobody has to have the table, but who has it must say some of its keys.
fn asks_for_itself(table: &str) -> bool {
    table.starts_with("scaling")
        || ["before-roll", "deployment.alarms", "connect.tls"].contains(&table)
        || table.ends_with("health-check")
}

/// The keys that a service must say and does not. What is below a value that is `doubtful` may be said there.
pub(super) fn lacks(service: &Service, at: &Place<'_>, doubtful: &[Span]) -> Vec<String> {
    let is_doubtful = |key: &str| {
        let tables = key.match_indices('.').map(|(end, _)| at.key(&key[..end]));
        tables.filter_map(|table| table.span()).any(|span| doubtful.contains(&span))
    };
    let lacks = of_service(service).into_iter();
    lacks.filter(|key| !at.key(key).written() && !is_doubtful(key)).collect()
}

fn of_service(service: &Service) -> Vec<String> {
    let mut keys = vec!["name", "family"];
    if service.builds() {
        keys.extend(service.build.dockerfile.is_none().then_some("build.cargo"));
        keys.push("repository.name");
    }
    let own = |endpoint: Offered<'_>| endpoint.port_name == service.container.port_name;
    if service.load_balancer || service.endpoints().any(own) {
        keys.push("container.port");
    }
    keys.push("container.name");
    if service.deployment.alarms.as_ref().is_some_and(|alarms| alarms.enable) {
        keys.push("deployment.alarms.names");
    }
    if service.before_roll.is_some() {
        keys.push("before-roll.command");
    }
    keys.extend(["execution-role", "log-group.name", "security-groups"]);
    if service.load_balancer {
        keys.extend(["target-group.name", "target-group.health.path"]);
    }
    let mut keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
    let checked = service.containers().filter(|(_, container)| container.health_check.is_some());
    keys.extend(checked.map(|(path, _)| format!("{path}.health-check.command")));
    let encrypted = service.endpoints().filter(|endpoint| endpoint.offer.tls.is_some());
    keys.extend(encrypted.map(|endpoint| format!("{}.tls.issuer", endpoint.path)));
    if let Some(scaling) = &service.scaling {
        for policy in &scaling.policies {
            let of = |key: &str| format!("scaling.policy.{}.{key}", policy.name);
            match &policy.custom_metric {
                None => keys.push(of("metric")),
                Some(_) => keys.extend([of("custom-metric.namespace"), of("custom-metric.name")]),
            }
            keys.push(of("target"));
        }
        keys.extend(["scaling.min", "scaling.max"].map(str::to_owned));
    }
    keys
}

/// A route takes requests by any condition; the usual one is a path.
fn routes(list: &Place<'_>, found: &mut Findings) {
    const CONDITIONS: [&str; 7] = ["path", "paths", "hosts", "methods", "headers", "query", "source-ips"];
    for entry in list.entries() {
        let open = !CONDITIONS.iter().any(|key| entry.key(key).written());
        let lacks = [("path", open), ("priority", !entry.key("priority").written())];
        let lacks = lacks.into_iter().filter(|(_, lacks)| *lacks).map(|(key, _)| key.to_owned());
        report("a route", lacks.collect(), &entry, "here", found);
    }
}

/// Entries of a list are reported one by one: each has its own place.
fn entries(list: &Place<'_>, keys: &[&str], what: &str, found: &mut Findings) {
    list.entries().for_each(|entry| lacking(&entry, keys, what, found));
}

fn lacking(entry: &Place<'_>, keys: &[&str], what: &str, found: &mut Findings) {
    let lacks = keys.iter().filter(|key| !entry.key(key).written()).map(|key| (*key).to_owned());
    report(what, lacks.collect(), entry, "here", found);
}

/// `here` says where the keys may be added.
fn report(section: &str, lacks: Vec<String>, place: impl Located, here: &str, found: &mut Findings) {
    if !lacks.is_empty() {
        let keys = suggest::all(lacks.iter().map(String::as_str));
        let wrong = found.of("missing-key").error(format!("{section} lacks {keys}"));
        wrong.at(place, format!("to be added {here}"));
    }
}
