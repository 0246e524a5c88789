//! Puts services after those that they depend on.

use std::collections::BTreeMap;

use super::raw::Service;
use super::setting::Setting;

/// Short names in an order in which each comes after its dependencies, by name where there is a choice; and
/// those that cannot be placed because they are in a circle or wait for one. Dependencies that are unknown or
/// the service itself do not count.
pub(crate) fn in_order(services: &BTreeMap<Setting<String>, Setting<Service>>) -> (Vec<&str>, Vec<&str>) {
    let mut placed: Vec<&str> = Vec::new();
    let mut left: Vec<(&str, Vec<&str>)> = services
        .iter()
        .map(|(key, service)| {
            let known = |wait: &&Setting<String>| *wait != key && services.contains_key(*wait);
            let waits = service.value.depends_on.iter().filter(known);
            (key.value.as_str(), waits.map(|wait| wait.value.as_str()).collect())
        })
        .collect();
    while let Some(next) = left.iter().position(|(_, waits)| waits.iter().all(|wait| placed.contains(wait))) {
        placed.push(left.remove(next).0);
    }
    (placed, left.into_iter().map(|(name, _)| name).collect())
}
