//! Quotas of the account against what a roll needs.

use std::collections::BTreeSet;

use super::Check;
use super::facts::Facts;
use crate::model::{Environment, ProviderName, Service};

/// A quota that a release can run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quota {
    OnDemandVcpus,
    SpotVcpus,
    TasksPerService,
    TargetGroupsPerBalancer,
    TargetGroupsPerRegion,
}

impl Quota {
    pub const ALL: [Self; 5] = [
        Self::OnDemandVcpus,
        Self::SpotVcpus,
        Self::TasksPerService,
        Self::TargetGroupsPerBalancer,
        Self::TargetGroupsPerRegion,
    ];

    /// The service and the quota's name in Service Quotas. Names are the same everywhere; ECS's codes are not documented.
    pub fn aws(self) -> (&'static str, &'static str) {
        match self {
            Self::OnDemandVcpus => ("fargate", "Fargate On-Demand vCPU resource count"),
            Self::SpotVcpus => ("fargate", "Fargate Spot vCPU resource count"),
            Self::TasksPerService => ("ecs", "Tasks per service"),
            Self::TargetGroupsPerBalancer => {
                ("elasticloadbalancing", "Target Groups per Application Load Balancer")
            }
            Self::TargetGroupsPerRegion => ("elasticloadbalancing", "Target Groups per Region"),
        }
    }
}

const VCPUS: &str = "vCPUs";

/// What one quota is needed for: now, and when scaling goes as far as it may.
struct Demand {
    quota: Quota,
    name: &'static str,
    now: f64,
    most: f64,
    unit: &'static str,
}

pub(super) fn checks(environment: &Environment, facts: &Facts) -> Vec<Check> {
    let quotas = match &facts.quotas {
        None => return Vec::new(),
        Some(Err(unread)) => return vec![Check::unknown("quotas", unread)],
        Some(Ok(quotas)) => quotas,
    };
    let least =
        |service: &Service| service.desired_count.max(service.scaling.as_ref().map_or(0, |it| it.min));
    let most = |service: &Service| least(service).max(service.scaling.as_ref().map_or(0, |it| it.max));
    // All services may roll at the same time, each with old and new tasks.
    let vcpus = |spot: bool, count: &dyn Fn(&Service) -> u32| -> f64 {
        let one = |it: &Service| {
            let tasks = count(it) * it.deployment.maximum_percent / 100;
            f64::from(placed(it, tasks, spot)) * f64::from(it.cpu) / 1024.0
        };
        environment.services.iter().map(one).sum()
    };
    let widest = |count: &dyn Fn(&Service) -> u32| {
        f64::from(environment.services.iter().map(count).max().unwrap_or(0))
    };
    let (on_demand, spot) = ("Fargate vCPUs", "Fargate Spot vCPUs");
    let mut demands = vec![
        Demand {
            quota: Quota::OnDemandVcpus,
            name: on_demand,
            now: vcpus(false, &least),
            most: vcpus(false, &most),
            unit: VCPUS,
        },
        Demand {
            quota: Quota::SpotVcpus,
            name: spot,
            now: vcpus(true, &least),
            most: vcpus(true, &most),
            unit: VCPUS,
        },
        Demand {
            quota: Quota::TasksPerService,
            name: "tasks per service",
            now: widest(&least),
            most: widest(&most),
            unit: "tasks",
        },
    ];
    let mut checks = Vec::new();
    match &facts.target_groups {
        Some(Err(unread)) => checks.push(Check::unknown("target groups", unread)),
        Some(Ok(found)) => {
            let wanted: BTreeSet<&str> = environment
                .services
                .iter()
                .filter_map(Service::group)
                .map(|group| group.name.as_str())
                .collect();
            let new = wanted.iter().filter(|name| !found.names.iter().any(|own| own == *name)).count();
            let mut groups = |quota, name, there: usize| {
                let needed = (there + new) as f64;
                demands.push(Demand { quota, name, now: needed, most: needed, unit: "target groups" });
            };
            groups(Quota::TargetGroupsPerBalancer, "target groups per load balancer", found.of_balancer);
            groups(Quota::TargetGroupsPerRegion, "target groups per region", found.names.len());
        }
        None => {}
    }
    checks.extend(addresses(environment, facts, &least));
    let judged = demands
        .iter()
        .filter(|demand| demand.now > 0.0)
        .filter_map(|it| Some(judged(it, *quotas.get(&it.quota)?)));
    checks.extend(judged);
    checks
}

/// So many of the service's tasks run on Spot capacity, or on demand: first the bases, and then by weight (ECS API,
/// CapacityProviderStrategyItem). Where the weights do not divide the tasks, it is not documented who gets the last one: it counts
/// for each.
fn placed(service: &Service, tasks: u32, spot: bool) -> u32 {
    let providers = &service.capacity_providers;
    if providers.is_empty() {
        return if spot { 0 } else { tasks };
    }
    let based: u32 = providers.iter().map(|it| it.base).sum();
    let weights: u32 = providers.iter().map(|it| it.weight).sum();
    let rest = tasks.saturating_sub(based);
    let own = providers.iter().filter(|it| (it.name == ProviderName::Spot) == spot);
    let count: u32 = own.map(|it| it.base + (rest * it.weight).div_ceil(weights.max(1))).sum();
    count.min(tasks)
}

/// Each task has an address of its own in one of its subnets, and a roll runs old and new ones.
fn addresses(environment: &Environment, facts: &Facts, tasks: &dyn Fn(&Service) -> u32) -> Option<Check> {
    let (Some(Ok(landing)), Some(Ok(subnets))) = (&facts.landing, &facts.subnets) else { return None };
    let named = environment.services.iter().flat_map(|service| environment.subnets(service));
    let ids: BTreeSet<&String> = named.filter_map(|name| landing.ids.get(name.text())).collect();
    let free: u64 =
        ids.into_iter().filter_map(|id| subnets.get(id)).map(|subnet| subnet.free_addresses).sum();
    let more = |it: &Service| u64::from(tasks(it) * it.deployment.maximum_percent.saturating_sub(100) / 100);
    let needed: u64 = environment.services.iter().map(more).sum();
    Some(match free < needed {
        true => Check::fail(
            "addresses",
            format!("a roll needs {needed} further addresses, and {free} are free in the tasks' subnets"),
            "name further subnets under [network]",
        ),
        false => {
            Check::ok("addresses", format!("a roll needs {needed} further ones of {free} that are free"))
        }
    })
}

fn judged(demand: &Demand, limit: f64) -> Check {
    let Demand { quota, name, now, most, unit } = demand;
    let (service, quota) = quota.aws();
    let remedy = format!("ask Service Quotas for more of `{quota}` ({service})");
    if *now > limit {
        return Check::fail(*name, format!("a release needs {now} {unit}, and the quota is {limit}"), remedy);
    }
    if *most > limit {
        let text = format!(
            "a release needs {now}, and {most} {unit} when scaling goes to its bounds; the quota is {limit}"
        );
        return Check::warn(*name, text, remedy);
    }
    let beside = if *unit == VCPUS { ", besides what else runs in the region" } else { "" };
    Check::ok(*name, format!("a release needs {now} of {limit}{beside}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CapacityProvider;

    #[test]
    fn tasks_of_mixed_capacity_count_where_they_run() {
        let provider = |name, base, weight| CapacityProvider { name, base, weight };
        let (fargate, spot) = (ProviderName::Fargate, ProviderName::Spot);
        for (providers, tasks, on_demand, on_spot) in [
            (vec![], 8, 8, 0),
            (vec![provider(spot, 0, 1)], 8, 0, 8),
            (vec![provider(fargate, 2, 1), provider(spot, 0, 3)], 10, 4, 6),
            (vec![provider(fargate, 2, 1), provider(spot, 0, 3)], 2, 2, 0),
            (vec![provider(fargate, 0, 1), provider(spot, 0, 2)], 4, 2, 3),
            (vec![provider(fargate, 3, 0), provider(spot, 0, 1)], 2, 2, 0),
        ] {
            let service = Service { capacity_providers: providers.clone(), ..Service::default() };
            let found = (placed(&service, tasks, false), placed(&service, tasks, true));
            assert_eq!(found, (on_demand, on_spot), "{tasks} of {providers:?}");
        }
    }
}
