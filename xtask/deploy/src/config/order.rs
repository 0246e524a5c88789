//! Puts services after those that they depend on.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Service;

/// Short names in an order in which each comes after its dependencies, by name where there is a choice; and
/// those that cannot be placed because they are in a circle or wait for one. Dependencies that are unknown or
/// the service itself do not count.
pub(crate) fn in_order(services: &[Service]) -> (Vec<&str>, Vec<&str>) {
    let names: BTreeSet<&str> = services.iter().map(|service| service.key.0.as_str()).collect();
    let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
    let mut waited: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for service in services {
        let name = service.key.0.as_str();
        let on = service.depends_on.iter().map(|wait| wait.0.as_str());
        let on: BTreeSet<&str> = on.filter(|on| *on != name && names.contains(on)).collect();
        waits.insert(name, on.len());
        on.into_iter().for_each(|on| waited.entry(on).or_default().push(name));
    }
    let mut ready: BTreeSet<&str> = waits.iter().filter(|(_, on)| **on == 0).map(|(name, _)| *name).collect();
    let mut placed = Vec::new();
    while let Some(next) = ready.pop_first() {
        waits.remove(next);
        placed.push(next);
        for name in waited.remove(next).unwrap_or_default() {
            if let Some(on) = waits.get_mut(name) {
                *on -= 1;
                if *on == 0 {
                    ready.insert(name);
                }
            }
        }
    }
    (placed, waits.into_keys().collect())
}

/// Sorts the services so that each comes after its dependencies. Those in a circle come last.
pub(super) fn put_in_order(services: &mut [Service]) {
    let (placed, _) = in_order(services);
    let places: BTreeMap<String, usize> =
        placed.into_iter().enumerate().map(|(place, name)| (name.to_owned(), place)).collect();
    services.sort_by_key(|service| places.get(&service.key.0).copied().unwrap_or(usize::MAX));
}
