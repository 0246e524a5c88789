//! What deploy.toml names as given, and what the first deploy makes.

use std::collections::BTreeSet;

use super::Check;
use super::facts::{Fact, Facts};
use crate::model::{Environment, Lookup, Protocol, Service};

pub(super) fn checks(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    match &facts.landing {
        Some(Err(unread)) => checks.push(Check::unknown("network and roles", unread)),
        Some(Ok(landing)) => {
            let missing = landing.missing.iter();
            checks.extend(missing.map(|it| Check::fail(&it.what, &it.problem, &it.hint)));
            if landing.missing.is_empty() {
                let vpc = environment.network.vpc.text();
                let id = landing.ids.get(vpc).map_or("", String::as_str);
                let count = landing.ids.len().saturating_sub(1);
                checks.push(Check::ok(
                    "network and roles",
                    format!("VPC {vpc} is {id}; {count} other names are found"),
                ));
            }
        }
        None => {}
    }
    checks.extend(zones(environment, facts));
    let state = |fact: &Option<Fact<Option<String>>>, name: &str, what: &str| {
        fact.as_ref().map(|fact| match fact {
            Err(unread) => Check::unknown(what, unread),
            Ok(None) => Check::ok(what, format!("{name} will be made")),
            Ok(Some(state)) => Check::ok(what, format!("{name} is {state}")),
        })
    };
    checks.extend(state(&facts.cluster, &environment.cluster, "cluster"));
    checks.extend(facts.namespace.as_ref().map(|fact| match fact {
        Err(unread) => Check::unknown("namespace", unread),
        Ok(true) => Check::ok("namespace", format!("{} is there", environment.namespace)),
        Ok(false) => Check::ok("namespace", format!("{} will be made", environment.namespace)),
    }));
    let services = || environment.services.iter();
    let wanted = services().filter(|it| it.image.is_none()).map(|it| it.repository.name.as_str());
    checks.extend(made("repositories", &facts.repositories, wanted.collect()));
    let wanted = services().filter_map(Service::logs).map(|group| group.name.as_str());
    checks.extend(made("log groups", &facts.log_groups, wanted.collect()));
    checks.extend(balancer(environment, facts));
    checks
}

/// Names of one kind that the first deploy makes.
fn made(what: &str, found: &Option<Fact<Vec<String>>>, wanted: BTreeSet<&str>) -> Option<Check> {
    let found = match found.as_ref().filter(|_| !wanted.is_empty())? {
        Ok(found) => found,
        Err(unread) => return Some(Check::unknown(what, unread)),
    };
    let (there, new): (Vec<&str>, Vec<&str>) =
        wanted.into_iter().partition(|name| found.iter().any(|own| own == name));
    let part =
        |names: Vec<&str>, end: &str| (!names.is_empty()).then(|| format!("{} {end}", names.join(", ")));
    let parts = [part(there, "there"), part(new, "will be made")];
    Some(Check::ok(what, parts.into_iter().flatten().collect::<Vec<_>>().join("; ")))
}

/// Tasks and the load balancer need two zones: one of them fails now and then, and ELB refuses a single one.
fn zones(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let (Some(Ok(landing)), Some(subnets)) = (&facts.landing, &facts.subnets) else { return Vec::new() };
    let subnets = match subnets {
        Ok(subnets) => subnets,
        Err(unread) => return vec![Check::unknown("zones", unread)],
    };
    let of = |named: &[Lookup]| -> Option<BTreeSet<&str>> {
        let zone = |name: &Lookup| Some(subnets.get(landing.ids.get(name.text())?)?.zone.as_str());
        named.iter().map(zone).collect()
    };
    let mut checks = Vec::new();
    let listed = |zones: &BTreeSet<&str>| zones.iter().copied().collect::<Vec<_>>().join(", ");
    for service in &environment.services {
        let Some(zones) = of(environment.subnets(service)) else { continue };
        let name = format!("zones of {}", service.key);
        checks.push(match zones.len() {
            0 | 1 => Check::warn(
                name,
                format!(
                    "all its subnets are in {}: an outage of that zone stops the service",
                    listed(&zones)
                ),
                "name a subnet of another availability zone in deploy.toml",
            ),
            _ => Check::ok(name, listed(&zones)),
        });
    }
    if let Some(balancer) = environment.balancer().filter(|it| !it.existing)
        && let Some(zones) = of(&balancer.subnets)
    {
        checks.push(match zones.len() {
            0 | 1 => Check::fail(
                "zones of the load balancer",
                format!("{}, and a load balancer takes at least two", listed(&zones)),
                "name a subnet of another availability zone under [load-balancer]",
            ),
            _ => Check::ok("zones of the load balancer", listed(&zones)),
        });
    }
    checks
}

fn balancer(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let Some(wanted) = environment.balancer() else { return Vec::new() };
    let name = "load balancer";
    let found = match &facts.balancer {
        None => return Vec::new(),
        Some(Err(unread)) => return vec![Check::unknown(name, unread)],
        Some(Ok(None)) if wanted.existing => {
            return vec![Check::fail(
                name,
                format!("{} does not exist in {}", wanted.name, environment.region),
                "name one that exists, or write `existing = false` under [load-balancer]",
            )];
        }
        // Before the first deploy everything that the tool makes itself is missing: that is no fault.
        Some(Ok(None)) => return vec![Check::ok(name, format!("{} will be made", wanted.name))],
        Some(Ok(Some(found))) => found,
    };
    let vpc = facts
        .landing
        .as_ref()
        .and_then(|landing| landing.as_ref().ok()?.ids.get(environment.network.vpc.text()));
    let mut checks = vec![match found.status.as_str() {
        _ if !found.application => Check::fail(
            name,
            format!("{} is no application load balancer", wanted.name),
            "name an application load balancer under [load-balancer]",
        ),
        _ if vpc.is_some_and(|vpc| *vpc != found.vpc) => Check::fail(
            name,
            format!("{} is in {}, the tasks are not", wanted.name, found.vpc),
            "name a load balancer of the tasks' VPC under [load-balancer]",
        ),
        "failed" => Check::fail(
            name,
            format!("{} is in state `failed`", wanted.name),
            "see why in the EC2 console, delete it, and deploy again",
        ),
        status => Check::ok(name, format!("{} is {status}, {}", wanted.name, found.dns_name)),
    }];
    let port = wanted.listener.port;
    let protocol = match wanted.listener.protocol {
        Protocol::Http => "HTTP",
        Protocol::Https => "HTTPS",
    };
    checks.extend(facts.listener.as_ref().map(|fact| match fact {
        Err(unread) => Check::unknown("listener", unread),
        Ok(None) => Check::ok("listener", format!("port {port} will be made")),
        Ok(Some(own)) if own == protocol => Check::ok("listener", format!("port {port} is {own}")),
        Ok(Some(own)) => Check::warn(
            "listener",
            format!("port {port} is {own}, and the next deploy makes it {protocol}"),
            "see what changes with `cargo xtask plan`",
        ),
    }));
    checks
}
