//! How tasks reach ECR, their logs and their secrets: a NAT gateway, an internet gateway, or endpoints.
//!
//! Fargate's platform 1.4 pulls, logs and reads secrets through the task's own network interface (ECS developer guide, "Fargate task
//! networking"). An interface endpoint with private DNS takes the traffic of its service also where there is a NAT gateway, so
//! its security groups must let the tasks in.

use std::collections::BTreeMap;

use super::facts::{Endpoint, Facts, RouteTable};
use super::firewall::{Peer, is_open};
use super::{Check, State};
use crate::model::{Environment, Service};
use crate::secrets::{Store, named};

const HTTPS: u16 = 443;
const EXEC: &str = "exec";

/// How the packets of a subnet leave it.
enum Way {
    /// Everything, by what is named.
    Out(String),
    /// Nothing but to endpoints, because of this.
    Closed(String),
    /// It leads to something that is not looked into.
    Elsewhere(String),
}

pub(super) fn checks(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let Some(Ok(landing)) = &facts.landing else { return Vec::new() };
    let mut subnets: BTreeMap<(&str, bool), Vec<&Service>> = BTreeMap::new();
    for service in &environment.services {
        let public = service.network.assign_public_ip.unwrap_or(environment.network.assign_public_ip);
        for subnet in environment.subnets(service) {
            subnets.entry((subnet.text(), public)).or_default().push(service);
        }
    }
    let (tables, endpoints) = match (&facts.route_tables, &facts.endpoints) {
        (Some(Ok(tables)), Some(Ok(endpoints))) => (tables, endpoints),
        (Some(Err(unread)), _) | (_, Some(Err(unread))) => {
            return vec![Check::unknown("from the subnets", unread)];
        }
        _ => return Vec::new(),
    };
    let one = |((subnet, public), services): (&(&str, bool), &Vec<&Service>)| {
        let id = landing.ids.get(*subnet)?;
        let table = tables.iter().find(|table| table.subnets.contains(id));
        let table = table.or_else(|| tables.iter().find(|table| table.main));
        Some(from_subnet(environment, facts, (subnet, *public), table, endpoints, services))
    };
    let mut checks: Vec<Check> = Vec::new();
    for check in subnets.iter().filter_map(one) {
        // Subnets of one table mostly share their fate, and one line says it.
        let same = |own: &&mut Check| {
            (own.state, &own.evidence, &own.remedy) == (check.state, &check.evidence, &check.remedy)
        };
        match checks.iter_mut().find(same) {
            Some(own) => own.name = format!("{}, {}", own.name, check.name.trim_start_matches("from ")),
            None => checks.push(check),
        }
    }
    checks
}

fn from_subnet(
    environment: &Environment,
    facts: &Facts,
    (subnet, public): (&str, bool),
    table: Option<&RouteTable>,
    endpoints: &[Endpoint],
    services: &[&Service],
) -> Check {
    let name = format!("from {subnet}");
    let way = way(facts, table, public);
    let wanted = needs(environment, services);
    let (mut closed, mut guarded, mut by_endpoint) = (Vec::new(), Vec::new(), 0);
    for (what, suffix) in &wanted {
        let found = endpoints.iter().find(|it| serves(it, &environment.region, suffix, table));
        match found {
            Some(endpoint) if endpoint.interface && !lets_in(facts, environment, endpoint, services) => {
                guarded.push((*what, endpoint.id.as_str()));
            }
            Some(_) => by_endpoint += 1,
            None => closed.push(*what),
        }
    }
    if let Some((what, id)) = guarded.first() {
        return Check::fail(
            name,
            format!(
                "the security groups of endpoint {id} do not let tasks in at port {HTTPS}, so {what} is not reached"
            ),
            format!("open port {HTTPS} of {id} to the security groups of the tasks"),
        );
    }
    let all: Vec<&str> = wanted.iter().map(|(what, _)| *what).collect();
    match way {
        _ if closed.is_empty() => Check::ok(name, format!("{} by endpoints of the VPC", all.join(", "))),
        Way::Out(by) if by_endpoint == 0 => Check::ok(name, format!("{} by {by}", all.join(", "))),
        Way::Out(by) => Check::ok(name, format!("{} by {by}, the rest by endpoints", closed.join(", "))),
        Way::Closed(why) => Check::not(
            // Tasks start without it.
            if closed == [EXEC] { State::Warn } else { State::Fail },
            name,
            format!("{why}, and no endpoint leads to {}", closed.join(", ")),
            match public {
                true => "route 0.0.0.0/0 of the subnet to an internet gateway",
                false => "route 0.0.0.0/0 of the subnet to a NAT gateway, or make the endpoints",
            },
        ),
        Way::Elsewhere(target) => Check {
            state: State::Unknown,
            ..Check::ok(
                name,
                format!("{} by {target}, beyond which nothing is seen from here", closed.join(", ")),
            )
        },
    }
}

/// What the tasks reach, and the end of the endpoint's name.
fn needs(environment: &Environment, services: &[&Service]) -> Vec<(&'static str, &'static str)> {
    let mut needs = Vec::new();
    let ecr = |it: &&Service| it.image.is_none() || it.image_name().is_some_and(|name| name.ecr().is_some());
    if services.iter().any(ecr) {
        // The registry answers for a layer with an address in S3 (ECR user guide, VPC endpoints).
        needs.extend([("ECR", "ecr.api"), ("the registry", "ecr.dkr"), ("S3", "s3")]);
    }
    if services.iter().any(|it| !ecr(it)) {
        needs.push(("registries of others", "-"));
    }
    if services.iter().any(|it| it.logs().is_some()) {
        needs.push(("logs", "logs"));
    }
    let kept = |store| {
        named(environment)
            .iter()
            .any(|it| it.store == store && services.iter().any(|own| own.key == it.service))
    };
    if kept(Store::SecretsManager) {
        needs.push(("Secrets Manager", "secretsmanager"));
    }
    if kept(Store::ParameterStore) {
        needs.push(("Parameter Store", "ssm"));
    }
    if services.iter().any(|it| it.enable_execute_command) {
        needs.push((EXEC, "ssmmessages"));
    }
    needs
}

/// Whether requests of a subnet with this table go to the endpoint.
fn serves(endpoint: &Endpoint, region: &str, suffix: &str, table: Option<&RouteTable>) -> bool {
    endpoint.service.ends_with(&format!(".{region}.{suffix}"))
        && endpoint.state.eq_ignore_ascii_case("available")
        && match endpoint.interface {
            true => endpoint.private_dns,
            false => table.is_some_and(|table| endpoint.tables.contains(&table.id)),
        }
}

fn lets_in(facts: &Facts, environment: &Environment, endpoint: &Endpoint, services: &[&Service]) -> bool {
    // What cannot be read is reported once, by the security groups.
    let Some(Ok(groups)) = &facts.security_groups else { return true };
    services.iter().all(|service| {
        let peer = Peer::tasks(environment, facts, service);
        let mut own = endpoint.groups.iter().map(|id| groups.get(id));
        // A group that was not found is not judged.
        own.any(|group| group.is_none_or(|group| is_open(&group.ingress, HTTPS, &peer)))
    })
}

fn way(facts: &Facts, table: Option<&RouteTable>, public: bool) -> Way {
    let Some(table) = table else { return Way::Closed("it has no route table".to_owned()) };
    let Some(route) = table.routes.iter().find(|route| route.to == "0.0.0.0/0") else {
        return Way::Closed(format!("its route table {} has no route to 0.0.0.0/0", table.id));
    };
    let target = &route.target;
    if route.state == "blackhole" {
        return Way::Closed(format!("its route to 0.0.0.0/0 leads to {target}, which is gone"));
    }
    match target.split('-').next() {
        // An internet gateway carries only what has a public address (VPC user guide, internet gateways).
        Some("igw") if public => Way::Out(format!("internet gateway {target} and a public address")),
        Some("igw") => Way::Closed(format!(
            "it leads to internet gateway {target}, and its tasks have no public address"
        )),
        Some("nat") => {
            let state = facts.nat_gateways.as_ref().and_then(|all| all.as_ref().ok()?.get(target));
            match state {
                Some(state) if state != "available" => {
                    Way::Closed(format!("NAT gateway {target} is in state `{state}`"))
                }
                // Believed where its state could not be read: the route to one that was deleted is a `blackhole`.
                _ => Way::Out(format!("NAT gateway {target}")),
            }
        }
        _ => Way::Elsewhere(target.clone()),
    }
}
