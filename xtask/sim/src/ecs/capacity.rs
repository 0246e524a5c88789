//! Capacity providers: Fargate's two, what clusters and strategies may say of them, and which one the next task gets.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::errors::invalid;
use super::params::{described, short_name};
use super::state::active_cluster;
use super::{cluster, state::ServiceKey};
use crate::account::Account;
use crate::wire::{ApiError, ApiRequest, Outcome, params};

/// Providers of EC2 instances are not simulated.
const KNOWN: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

/// One entry of a strategy. The API's defaults are shown where nothing was given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Share {
    pub(super) capacity_provider: String,
    #[serde(default)]
    weight: u32,
    #[serde(default)]
    base: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    cluster: String,
    capacity_providers: Vec<String>,
    default_capacity_provider_strategy: Vec<Share>,
}

/// Both lists are required, and replace those that the cluster had.
pub(super) fn put(account: &mut Account, request: &ApiRequest) -> Outcome {
    let asked: Put = params(request)?;
    let name = active_cluster(account, Some(&asked.cluster))?;
    check_cluster(&asked.capacity_providers, &asked.default_capacity_provider_strategy)?;
    let services = account.ecs.services.values().filter(|it| it.key.cluster == name && it.is_alive());
    let mut used = services.flat_map(|service| &service.knobs.capacity_provider_strategy);
    if used.any(|share| !asked.capacity_providers.contains(&share.capacity_provider)) {
        let text = "The specified capacity provider is in use and cannot be removed.";
        return Err(ApiError::new("ResourceInUseException", text));
    }
    if let Some(cluster) = account.ecs.clusters.get_mut(&name) {
        cluster.capacity_providers = asked.capacity_providers;
        cluster.default_strategy = asked.default_capacity_provider_strategy;
    }
    Ok(json!({ "cluster": cluster::view(account, &name, &["TAGS", "SETTINGS"]) }))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    capacity_providers: Vec<String>,
    cluster: Option<String>,
}

pub(super) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    if asked.cluster.is_some() {
        active_cluster(account, asked.cluster.as_deref())?;
    }
    let arn = |name: &str| account.base.arn("ecs", &format!("capacity-provider/{name}"));
    let all = || KNOWN.map(str::to_owned).to_vec();
    let asked = if asked.capacity_providers.is_empty() { all() } else { asked.capacity_providers };
    described("capacityProviders", &asked, |reference| match short_name(reference) {
        name if KNOWN.contains(&name) => {
            Ok(json!({ "capacityProviderArn": arn(name), "name": name, "status": "ACTIVE", "tags": [] }))
        }
        name => Err(arn(name)),
    })
}

/// What a cluster may have.
pub(super) fn check_cluster(providers: &[String], strategy: &[Share]) -> Result<(), ApiError> {
    if let Some(unknown) = providers.iter().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(invalid(format!(
            "The specified capacity provider '{unknown}' was not found. Specify a valid name or ARN and try again."
        )));
    }
    if strategy.is_empty() { Ok(()) } else { check(providers, strategy) }
}

/// What the strategy of a service, a task or a cluster may say, where the cluster has `providers`.
fn check(providers: &[String], strategy: &[Share]) -> Result<(), ApiError> {
    if strategy.iter().any(|share| !providers.contains(&share.capacity_provider)) {
        return Err(invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the \
             cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try \
             again.",
        ));
    }
    if strategy.iter().any(|share| share.weight > 1000 || share.base > 100_000) {
        return Err(invalid("A weight is at most 1000 and a base at most 100000."));
    }
    if strategy.iter().filter(|share| share.base > 0).count() > 1 {
        return Err(invalid(
            "Only one capacity provider of a capacity provider strategy can have a base value greater than zero.",
        ));
    }
    let mut names: Vec<_> = strategy.iter().map(|share| &share.capacity_provider).collect();
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(invalid("A capacity provider strategy cannot contain a capacity provider twice."));
    }
    if strategy.iter().all(|share| share.weight == 0) {
        return Err(invalid(
            "There are no capacity providers with a weight value greater than zero defined in the capacity provider \
             strategy. At least one capacity provider must have a weight value greater than zero specified.",
        ));
    }
    Ok(())
}

/// The strategy that counts for a service or a task: its own, or the cluster's default where it names no launch type.
pub(super) fn settle(
    account: &Account,
    cluster: &str,
    launch_type: Option<&str>,
    own: Vec<Share>,
) -> Result<Vec<Share>, ApiError> {
    if launch_type.is_some() && !own.is_empty() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    let Some(cluster) = account.ecs.clusters.get(cluster).filter(|_| launch_type.is_none()) else {
        return Ok(own);
    };
    if own.is_empty() {
        return Ok(cluster.default_strategy.clone());
    }
    check(&cluster.capacity_providers, &own).map(|()| own)
}

/// The provider of a service's next task.
pub(super) fn of_next(account: &Account, key: &ServiceKey, strategy: &[Share]) -> Option<String> {
    let running = |provider: &str| {
        let tasks = account.ecs.tasks.live_of(key).filter(|task| task.desired_running);
        tasks.filter(|task| task.capacity_provider.as_deref() == Some(provider)).count() as u32
    };
    next(strategy, running)
}

/// First the base, then whoever is furthest behind its weight's share.
pub(super) fn next(strategy: &[Share], running: impl Fn(&str) -> u32) -> Option<String> {
    let open = strategy.iter().find(|share| running(&share.capacity_provider) < share.base);
    let behind = |share: &&Share| {
        let beyond = running(&share.capacity_provider).saturating_sub(share.base) + 1;
        u64::from(beyond) * 1_000_000 / u64::from(share.weight)
    };
    let chosen = open.or_else(|| strategy.iter().filter(|share| share.weight > 0).min_by_key(behind));
    chosen.map(|share| share.capacity_provider.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn tasks_fill_the_base_first_and_then_follow_the_weights() {
        let share = |name: &str, weight, base| Share { capacity_provider: name.to_owned(), weight, base };
        let strategy = [share("FARGATE", 1, 2), share("FARGATE_SPOT", 3, 0)];
        let mut running: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..10 {
            let chosen = next(&strategy, |name| running.get(name).copied().unwrap_or_default()).unwrap();
            *running.entry(chosen).or_default() += 1;
        }
        assert_eq!(running, BTreeMap::from([("FARGATE".to_owned(), 4), ("FARGATE_SPOT".to_owned(), 6)]));
    }
}
