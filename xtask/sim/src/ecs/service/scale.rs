//! The desired count, as scaling reads and sets it: no deployment, no API call.

use crate::account::{Account, Millis};
use crate::ecs::state::ServiceKey;

/// Sets an ACTIVE service's desired count; the scheduler acts on it in its next pass. False when
/// there is no such service.
pub(crate) fn set_desired_count(
    account: &mut Account,
    _now: Millis,
    cluster: &str,
    service: &str,
    desired: u32,
) -> bool {
    let service = account.ecs.services.get_mut(&ServiceKey::new(cluster, service));
    let Some(service) = service.filter(|service| service.is_active()) else { return false };
    service.desired = desired;
    true
}

/// An ACTIVE service's desired count.
pub(crate) fn desired_count(account: &Account, cluster: &str, service: &str) -> Option<u32> {
    let service = account.ecs.services.get(&ServiceKey::new(cluster, service))?;
    service.is_active().then_some(service.desired)
}
