//! How deployments begin: a service's first, the next one, and a rollback.

use super::model::{Backoff, Deployment, RollbackTarget, RolloutState};
use super::revision::Revision;
use super::service_deployment::{BreakerRecord, Rollback, ServiceDeployment, ServiceDeploymentStatus};
use crate::clock::Millis;
use crate::ecs::connect;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::ecs::service::configuration::DeploymentConfiguration;
use crate::ecs::service::model::{Spec, Steady};

/// What a new deployment consists of.
pub(in crate::ecs) struct Made {
    pub(in crate::ecs) deployment: Deployment,
    pub(in crate::ecs) service_deployment: ServiceDeployment,
    pub(in crate::ecs) revision: Revision,
}

/// Makes the deployment of a service that does not exist yet.
pub(in crate::ecs) fn first(
    region: &mut Region<'_>,
    now: Millis,
    key: &ServiceKey,
    spec: Spec,
    configuration: &DeploymentConfiguration,
    launch_type: Option<&str>,
) -> Made {
    let path = format!("{}/{}", key.cluster, key.service);
    let revision = Revision::new(region.base, &region.ecs.families, now, &path, &spec, launch_type);
    let token = region.base.ids.token(21);
    let watched = configuration.watched().map(|alarms| region.cloudwatch.ringing(&alarms.alarm_names));
    let service_deployment = ServiceDeployment {
        arn: region.base.arn("ecs", &format!("service-deployment/{path}/{token}")),
        created_at: now,
        updated_at: now,
        started_at: None,
        finished_at: None,
        stopped_at: None,
        target_revision: revision.arn.clone(),
        source_revisions: Vec::new(),
        status: ServiceDeploymentStatus::Pending,
        status_reason: None,
        rollback: None,
        breaker: BreakerRecord::default(),
        ignored_alarms: watched.unwrap_or_default(),
        triggered_alarms: Vec::new(),
        configuration: configuration.clone(),
        requested: None,
    };
    let arn = service_deployment.arn.clone();
    let deployment = make(region, now, key, spec, revision.arn.clone(), arn);
    Made { deployment, service_deployment, revision }
}

fn make(
    region: &mut Region<'_>,
    now: Millis,
    key: &ServiceKey,
    spec: Spec,
    revision: String,
    service_deployment: String,
) -> Deployment {
    let id = Deployment::draw_id(&mut region.base.ids);
    Deployment {
        reason: Deployment::in_progress_reason(&id),
        // Taken once for the deployment: its tasks, also later ones, know only the endpoints that exist now.
        endpoints: connect::visible(region, key, spec.connect.as_ref(), &spec.task_definition),
        id,
        revision,
        service_deployment,
        spec,
        created_at: now,
        updated_at: now,
        rollout: RolloutState::InProgress,
        failed_tasks: 0,
        rollback_target: None,
        is_rollback: false,
        backoff: Backoff::default(),
    }
}

/// Starts a new deployment of an existing service. One that was still in progress is superseded: its
/// service deployment ends in STOPPED.
pub(in crate::ecs) fn next(region: &mut Region<'_>, now: Millis, key: &ServiceKey, spec: Spec) {
    let Some(service) = region.ecs.services.get(key) else { return };
    let configuration = service.knobs.deployment.clone();
    let launch_type = service.knobs.launch_type.clone();
    let mut made = first(region, now, key, spec, &configuration, launch_type.as_deref());
    let Some(service) = region.ecs.services.get_mut(key) else { return };

    let current = &service.primary;
    made.deployment.rollback_target = match current.rollout {
        RolloutState::Completed => {
            Some(RollbackTarget { deployment: current.id.clone(), revision: current.revision.clone() })
        }
        // The target is the most recent COMPLETED deployment. While one is in progress that is the one before it, and while a
        // rollback is, there is none.
        _ => current.rollback_target.clone(),
    };
    for deployment in service.deployments() {
        if !made.service_deployment.source_revisions.contains(&deployment.revision) {
            made.service_deployment.source_revisions.push(deployment.revision.clone());
        }
    }

    let (superseded, desired) = (service.primary.service_deployment.clone(), service.desired);
    if let Some(old) = service.service_deployment_mut(&superseded)
        && !old.status.is_final()
    {
        let reason = "Service deployment stopped because a new service deployment was started.";
        old.requested = Some(desired);
        old.turn(now, ServiceDeploymentStatus::Stopped, Some(reason));
    }
    service.service_deployments.insert(0, made.service_deployment);
    service.revisions.push(made.revision);
    service.steady = Steady::Moving;
    let old = std::mem::replace(&mut service.primary, made.deployment);
    service.older.insert(0, old);
}

/// Undoes the PRIMARY deployment: a new deployment, with a new id, of the target's revision.
pub(in crate::ecs) fn roll_back(
    region: &mut Region<'_>,
    now: Millis,
    key: &ServiceKey,
    target: &RollbackTarget,
    because: &RollbackCause,
) {
    let Some(service) = region.ecs.services.get(key) else { return };
    let Some(revision) = service.revision(&target.revision) else { return };
    let (spec, arn) = (revision.spec.clone(), revision.arn.clone());
    let undone = service.primary.service_deployment.clone();
    // A new id with the old revision, under the same service deployment: `taskDefinition` of the service shows the old
    // revision again, which is why "the service looks stable" proves nothing.
    let mut deployment = make(region, now, key, spec, arn, undone.clone());
    deployment.is_rollback = true;
    if let Some(reason) = because.rollout_reason {
        deployment.reason = format!("{reason} {}.", target.deployment);
    }
    let Some(service) = region.ecs.services.get_mut(key) else { return };
    if let Some(record) = service.service_deployment_mut(&undone) {
        record.rollback = Some(Rollback {
            reason: because.reason.to_owned(),
            started_at: now,
            revision: target.revision.clone(),
        });
        record.turn(now, ServiceDeploymentStatus::RollbackRequested, Some(because.reason));
    }
    service.steady = Steady::Moving;
    let old = std::mem::replace(&mut service.primary, deployment);
    service.older.insert(0, old);
    let what = format!("rolling back to deployment {}.", target.deployment);
    service.events.push(&mut region.base.ids, now, &key.service, &what);
}

/// Why a deployment is undone, in the words of the two APIs that show it.
pub(in crate::ecs) struct RollbackCause {
    /// `rollback.reason` and `statusReason` of the service deployment.
    pub(in crate::ecs) reason: &'static str,
    /// The beginning of the new deployment's `rolloutStateReason`, which then names the target.
    pub(in crate::ecs) rollout_reason: Option<&'static str>,
}

pub(in crate::ecs) const BREAKER: RollbackCause = RollbackCause {
    reason: "Service deployment rolled back because the circuit breaker threshold was exceeded.",
    rollout_reason: Some("ECS deployment circuit breaker: rolling back to deploymentId"),
};

/// A deployment alarm went into ALARM.
pub(in crate::ecs) const ALARM: RollbackCause = RollbackCause {
    reason: "Service deployment rolled back because a CloudWatch alarm was triggered.",
    rollout_reason: Some("ECS deployment alarm: rolling back to deploymentId"),
};

pub(in crate::ecs) const BY_REQUEST: RollbackCause = RollbackCause {
    reason: "Service deployment rolled back because it was stopped by a user.",
    rollout_reason: None,
};
