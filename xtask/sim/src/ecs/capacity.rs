//! Capacity providers: what clusters and strategies may say of Fargate's two, and which one the next task gets.

use serde::{Deserialize, Serialize};

use super::errors::invalid;
use super::state::Cluster;
use crate::wire::ApiError;

/// Providers of EC2 instances are not simulated.
pub(super) const KNOWN: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

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
    cluster: Option<&Cluster>,
    launch_type: Option<&str>,
    own: Vec<Share>,
) -> Result<Vec<Share>, ApiError> {
    if launch_type.is_some() && !own.is_empty() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    let Some(cluster) = cluster.filter(|_| launch_type.is_none()) else {
        return Ok(own);
    };
    if own.is_empty() {
        return Ok(cluster.default_strategy.clone());
    }
    check(&cluster.capacity_providers, &own).map(|()| own)
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
