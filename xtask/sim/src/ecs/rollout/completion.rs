//! When a deployment is COMPLETED, when old ones vanish, and when a service is steady.

use super::census::Census;
use super::decision::Class;
use crate::clock::Millis;
use crate::ecs::deployment::model::RolloutState;
use crate::ecs::deployment::service_deployment::ServiceDeploymentStatus;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::ecs::service::model::{Service, Steady};

/// Whether the service has what it wants: its tasks healthy and no other ones left.
fn has_what_it_wants(service: &Service, census: &Census) -> bool {
    let healthy =
        census.members.iter().filter(|member| member.primary && member.class == Class::Healthy).count();
    let others = census.members.len() - healthy;
    service.primary.launches() && healthy as u32 == service.desired && others == 0 && census.old_left == 0
}

/// Whether a deployment in progress has enough healthy tasks to be called successful early, and with `BLOCKING` no
/// older ones left (ECS API, DeploymentEarlySuccessCriteria).
fn succeeds_early(service: &Service, census: &Census) -> bool {
    let Some(early) = service.knobs.deployment.early_success() else { return false };
    let healthy =
        census.members.iter().filter(|member| member.primary && member.class == Class::Healthy).count();
    let wanted = u64::from(service.desired) * u64::from(early.healthy_percent.unwrap_or(100));
    let others = census.members.iter().any(|member| !member.primary) || census.old_left > 0;
    let deferred = early.source_service_revision_cleanup.as_deref() == Some("DEFERRED");
    service.primary.launches()
        && service.primary.rollout == RolloutState::InProgress
        && healthy as u64 * 100 >= wanted
        && (deferred || !others)
}

/// Completes the deployment where the service has what it wants. Returns when time alone will change more.
pub(super) fn settle(
    region: &mut Region<'_>,
    now: Millis,
    key: &ServiceKey,
    census: &Census,
) -> Option<Millis> {
    let pace = region.base.settings.pace.clone();
    let watched = region.ecs.services.get(key)?.knobs.deployment.watched();
    // Alarms are watched for a while after the tasks run.
    let watch = watched.map_or(0, |alarms| region.cloudwatch.notices_after(&alarms.alarm_names));
    let service = region.ecs.services.get_mut(key)?;
    if !has_what_it_wants(service, census) && !succeeds_early(service, census) {
        service.steady = Steady::Moving;
        return None;
    }
    let since = match service.steady {
        Steady::Announced => return None,
        Steady::Moving => {
            service.steady = Steady::Since(now);
            now
        }
        Steady::Since(at) => at,
    };
    let completed_at = match service.primary.rollout {
        RolloutState::InProgress => {
            let bake = u64::from(service.knobs.deployment.bake_time_in_minutes.unwrap_or(0)) * 60 + watch;
            let at = since.plus_millis(pace.completion_lag_ms).plus_secs(bake);
            if now < at {
                return Some(at);
            }
            complete(region, now, key);
            // What was steady for the roll is steady from its completion on for the event.
            region.ecs.services.get_mut(key)?.steady = Steady::Since(now);
            now
        }
        _ => since,
    };
    let at = completed_at.plus_millis(pace.steady_lag_ms);
    if now < at {
        return Some(at);
    }
    let service = region.ecs.services.get_mut(key)?;
    service.steady = Steady::Announced;
    service.events.push(&mut region.base.ids, now, &key.service, "has reached a steady state.");
    None
}

fn complete(region: &mut Region<'_>, now: Millis, key: &ServiceKey) {
    let Some(service) = region.ecs.services.get_mut(key) else { return };
    let id = service.primary.id.clone();
    service.primary.turn(now, RolloutState::Completed, format!("ECS deployment {id} completed."));
    service.primary.failed_tasks = 0;
    let what = format!("(deployment {id}) deployment completed.");
    service.events.push(&mut region.base.ids, now, &key.service, &what);

    let (arn, desired) = (service.primary.service_deployment.clone(), service.desired);
    let status = if service.primary.is_rollback {
        ServiceDeploymentStatus::RollbackSuccessful
    } else {
        ServiceDeploymentStatus::Successful
    };
    if let Some(record) = service.service_deployment_mut(&arn)
        && !record.status.is_final()
    {
        if record.breaker.status == Some("MONITORING") {
            record.breaker.status = Some("MONITORING_COMPLETE");
        }
        record.requested = Some(desired);
        record.turn(now, status, None);
    }
}

/// Lets older deployments vanish once nothing of them is left. A FAILED one is shown until the deployment
/// that undoes it is done.
pub(super) fn retire(region: &mut Region<'_>, key: &ServiceKey) {
    let live: Vec<String> = region.ecs.tasks.live_of(key).map(|task| task.deployment.clone()).collect();
    let Some(service) = region.ecs.services.get_mut(key) else { return };
    let settled = service.primary.rollout != RolloutState::InProgress;
    service.older.retain(|deployment| {
        live.contains(&deployment.id) || (deployment.rollout == RolloutState::Failed && !settled)
    });
}
