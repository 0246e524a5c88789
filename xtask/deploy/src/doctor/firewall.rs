//! Security groups on the way: the public, the load balancer, tasks, and tasks that call each other.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::Check;
use super::facts::{Facts, FirewallRule, SecurityGroup};
use crate::model::{Environment, Lookup, Scheme, Service};

const BALANCER: &str = "load balancer";

/// Who sends packets, or gets them.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    groups: Vec<String>,
    cidrs: Vec<String>,
}

impl Peer {
    fn of(facts: &Facts, groups: Vec<String>, subnets: &[Lookup]) -> Self {
        let id = |name: &Lookup| facts.landing.as_ref()?.as_ref().ok()?.ids.get(name.text());
        let cidr = |name: &Lookup| Some(facts.subnets.as_ref()?.as_ref().ok()?.get(id(name)?)?.cidr.clone());
        Self { groups, cidrs: subnets.iter().filter_map(cidr).collect() }
    }

    pub(super) fn tasks(environment: &Environment, facts: &Facts, service: &Service) -> Self {
        Self::of(facts, ids(facts, &service.security_groups), environment.subnets(service))
    }

    /// As it is, or as it will be made.
    fn balancer(environment: &Environment, facts: &Facts) -> Self {
        let wanted = &environment.load_balancer;
        match &facts.balancer {
            Some(Ok(Some(found))) => {
                let cidr = |id: &String| Some(facts.subnets.as_ref()?.as_ref().ok()?.get(id)?.cidr.clone());
                let cidrs = found.subnets.iter().filter_map(cidr).collect();
                Self { groups: found.security_groups.clone(), cidrs }
            }
            _ => Self::of(facts, ids(facts, &wanted.security_groups), &wanted.subnets),
        }
    }
}

fn ids(facts: &Facts, named: &[Lookup]) -> Vec<String> {
    let Some(Ok(landing)) = &facts.landing else { return Vec::new() };
    named.iter().filter_map(|name| landing.ids.get(name.text()).cloned()).collect()
}

/// Whether one of the rules opens the port to all of the peer. Prefix lists are not looked into, and count as open.
pub(super) fn is_open(rules: &[FirewallRule], port: u16, peer: &Peer) -> bool {
    let fits = |rule: &&FirewallRule| {
        ["tcp", "6", "-1"].contains(&rule.protocol.as_str())
            && rule.ports.is_none_or(|(from, to)| (from..=to).contains(&port))
    };
    let peers: Vec<&String> = rules.iter().filter(fits).flat_map(|rule| &rule.peers).collect();
    let named = |own: &String| own.starts_with("pl-") || own == "0.0.0.0/0" || peer.groups.contains(own);
    let within = |cidr: &String| peers.iter().any(|own| contains(own, cidr));
    peers.iter().any(|own| named(own)) || (!peer.cidrs.is_empty() && peer.cidrs.iter().all(within))
}

/// Whether one CIDR block of IPv4 is within another.
fn contains(outer: &str, inner: &str) -> bool {
    let read = |cidr: &str| -> Option<(u32, u32)> {
        let (address, bits) = cidr.split_once('/')?;
        Some((address.parse::<Ipv4Addr>().ok()?.into(), bits.parse().ok().filter(|bits| *bits <= 32)?))
    };
    let (Some((outer, bits)), Some((inner, more))) = (read(outer), read(inner)) else { return false };
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    bits <= more && outer & mask == inner & mask
}

pub(super) fn checks(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let groups = match &facts.security_groups {
        None => return Vec::new(),
        Some(Err(unread)) => return vec![Check::unknown("packets", unread)],
        Some(Ok(groups)) => groups,
    };
    let all =
        |ids: &[String]| -> Vec<&SecurityGroup> { ids.iter().filter_map(|id| groups.get(id)).collect() };
    let tasks = |service: &Service| Peer::tasks(environment, facts, service);
    let mut checks = Vec::new();
    let balancer = environment.balancer().map(|wanted| (wanted, Peer::balancer(environment, facts)));
    if let Some((wanted, peer)) = &balancer {
        let port = wanted.listener.port;
        let own = all(&peer.groups);
        let open = own.iter().flat_map(|group| &group.ingress).any(|rule| {
            is_open(
                std::slice::from_ref(rule),
                port,
                &Peer { groups: rule.peers.clone(), cidrs: rule.peers.clone() },
            )
        });
        let from = if wanted.scheme == Scheme::InternetFacing { "the internet" } else { "clients" };
        // One that was selected may be meant for others too; without groups there is nothing to judge.
        if !own.is_empty() {
            checks.push(match open {
                true => Check::ok(format!("{from} → load balancer"), format!("port {port} is open")),
                false => Check::fail(
                    format!("{from} → load balancer"),
                    format!("port {port} of {} is open to nobody", names(&own)),
                    format!("open it to {from}"),
                ),
            });
        }
    }
    for service in &environment.services {
        let (peer, port) = (tasks(service), service.container.port);
        let own = all(&peer.groups);
        if let Some((_, balancer)) = balancer.as_ref().filter(|_| service.load_balancer) {
            let health = service.target_group.health.port.filter(|own| *own != port);
            let from = all(&balancer.groups);
            checks.extend(
                [Some(port), health]
                    .into_iter()
                    .flatten()
                    .map(|port| way((BALANCER, &from, balancer), (&service.key.0, &own, &peer), port)),
            );
        }
        let calls = |client: &&Service| client.key != service.key && calls(client, service);
        let ports = service.named_ports();
        let offered = |port: &u16| {
            service
                .endpoints()
                .any(|endpoint| ports.iter().any(|(name, own)| name == endpoint.port_name && own == port))
        };
        let offered: BTreeSet<u16> = ports.iter().map(|(_, port)| *port).filter(offered).collect();
        for client in environment.services.iter().filter(calls) {
            let from = tasks(client);
            let groups = all(&from.groups);
            let to = |port: u16| way((&client.key.0, &groups, &from), (&service.key.0, &own, &peer), port);
            checks.extend(offered.iter().map(|port| to(*port)));
        }
    }
    checks
}

/// Whether it is known that one calls the other by Service Connect: everybody in a namespace may, and few do.
fn calls(client: &Service, server: &Service) -> bool {
    let asks = |smoke: &crate::model::SmokeCheck| smoke.inside().is_some_and(|(from, _)| *from == client.key);
    client.connects() && (client.depends_on.contains(&server.key) || server.smoke.iter().any(asks))
}

type End<'a> = (&'a str, &'a [&'a SecurityGroup], &'a Peer);

fn way((from, senders, source): End<'_>, (to, receivers, target): End<'_>, port: u16) -> Check {
    let name = format!("{from} → {to}:{port}");
    let lets_in = receivers.iter().any(|group| is_open(&group.ingress, port, source));
    let lets_out = senders.is_empty() || senders.iter().any(|group| is_open(&group.egress, port, target));
    match (lets_in, lets_out) {
        (true, true) => Check::ok(name, "open"),
        (false, _) => Check::fail(
            name,
            format!("port {port} of {} is not open to {}", names(receivers), the(from)),
            format!("open it to the security group of {}", the(from)),
        ),
        (true, false) => Check::fail(
            name,
            format!("{} opens no way out to port {port} of {to}", names(senders)),
            format!("allow port {port} in the outbound rules of {}", names(senders)),
        ),
    }
}

fn the(end: &str) -> String {
    if end == BALANCER { format!("the {BALANCER}") } else { end.to_owned() }
}

fn names(groups: &[&SecurityGroup]) -> String {
    match groups {
        [] => "no security group".to_owned(),
        all => all.iter().map(|group| group.name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_open_to_a_group_by_name_or_to_all_of_its_subnets() {
        let rule = |ports, peers: &[&str]| FirewallRule {
            protocol: "tcp".into(),
            ports: Some(ports),
            peers: peers.iter().map(|peer| (*peer).to_owned()).collect(),
        };
        let peer =
            Peer { groups: vec!["sg-a".into()], cidrs: vec!["10.0.1.0/24".into(), "10.0.2.0/24".into()] };
        let cases = [
            (rule((8080, 8080), &["sg-a"]), true),
            (rule((8000, 9000), &["10.0.0.0/16"]), true),
            (rule((8080, 8080), &["10.0.1.0/24", "10.0.2.0/24"]), true),
            (rule((8080, 8080), &["10.0.1.0/24"]), false),
            (rule((8080, 8080), &["10.0.2.0/25", "sg-b"]), false),
            (rule((443, 443), &["0.0.0.0/0"]), false),
            (FirewallRule { ports: None, protocol: "-1".into(), ..rule((0, 0), &["0.0.0.0/0"]) }, true),
            (FirewallRule { protocol: "udp".into(), ..rule((8080, 8080), &["sg-a"]) }, false),
        ];
        for (rule, open) in cases {
            assert_eq!(is_open(std::slice::from_ref(&rule), 8080, &peer), open, "{rule:?}");
        }
    }
}
