//! Puts services after those that they depend on.

use crate::model::Service;

/// Short names in an order in which each comes after its dependencies, by name where there is a choice; and
/// those that cannot be placed because they are in a circle or wait for one. Dependencies that are unknown or
/// the service itself do not count.
pub(crate) fn in_order(services: &[Service]) -> (Vec<&str>, Vec<&str>) {
    let mut placed: Vec<&str> = Vec::new();
    let mut left: Vec<(&str, Vec<&str>)> = services
        .iter()
        .map(|service| {
            let known =
                |wait: &&str| *wait != service.key.0 && services.iter().any(|other| other.key.0 == *wait);
            let waits = service.depends_on.iter().map(|wait| wait.0.as_str());
            (service.key.0.as_str(), waits.filter(known).collect())
        })
        .collect();
    while let Some(next) = left.iter().position(|(_, waits)| waits.iter().all(|wait| placed.contains(wait))) {
        placed.push(left.remove(next).0);
    }
    (placed, left.into_iter().map(|(name, _)| name).collect())
}

/// Sorts the services so that each comes after its dependencies. Those in a circle come last.
pub(super) fn put_in_order(services: &mut [Service]) {
    let (placed, _) = in_order(services);
    let placed: Vec<String> = placed.into_iter().map(str::to_owned).collect();
    services.sort_by_key(|service| placed.iter().position(|key| *key == service.key.0).unwrap_or(usize::MAX));
}
