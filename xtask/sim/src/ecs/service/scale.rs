//! The desired count, as scaling reads and sets it: no deployment, no API call.

use crate::ecs::deployment::model::RolloutState;
use crate::ecs::key::ServiceKey;
use crate::ecs::state::State;
use crate::ecs::task::model::{Task, TaskStatus};

/// Sets an ACTIVE service's desired count; the scheduler acts on it in its next pass. False when
/// there is no such service.
pub(crate) fn set_desired_count(ecs: &mut State, cluster: &str, service: &str, desired: u32) -> bool {
    let service = ecs.services.get_mut(&ServiceKey::new(cluster, service));
    let Some(service) = service.filter(|service| service.is_active()) else { return false };
    service.desired = desired;
    true
}

/// An ACTIVE service's desired count.
pub(crate) fn desired_count(ecs: &State, cluster: &str, service: &str) -> Option<u32> {
    let service = ecs.services.get(&ServiceKey::new(cluster, service))?;
    service.is_active().then_some(service.desired)
}

/// Whether a deployment of the service is in progress: scaling in waits for its end.
pub(crate) fn is_deploying(ecs: &State, cluster: &str, service: &str) -> bool {
    let service = ecs.services.get(&ServiceKey::new(cluster, service));
    service.is_some_and(|service| {
        service.primary.rollout == RolloutState::InProgress || !service.older.is_empty()
    })
}

/// How many of a service's tasks run.
pub(crate) fn running_count(ecs: &State, cluster: &str, service: &str) -> u32 {
    let key = ServiceKey::new(cluster, service);
    let runs = |task: &&Task| task.status == TaskStatus::Running && task.desired_running;
    ecs.tasks.live_of(&key).filter(runs).count() as u32
}
