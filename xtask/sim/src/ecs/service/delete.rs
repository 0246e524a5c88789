//! DeleteService: ACTIVE → DRAINING → INACTIVE, and forgotten later.

use serde::Deserialize;
use serde_json::json;

use super::model::ServiceStatus;
use super::view;
use crate::clock::Millis;
use crate::ecs::deployment::service_deployment::ServiceDeploymentStatus;
use crate::ecs::errors::{invalid, service_not_found};
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::wire::{ApiRequest, Outcome, params};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Delete {
    cluster: Option<String>,
    service: String,
    force: bool,
}

pub(in crate::ecs) fn delete(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Delete = params(request)?;
    let key = region.ecs.service_key(asked.cluster.as_deref(), &asked.service)?;
    let service = region.ecs.services.get_mut(&key).ok_or_else(service_not_found)?;
    match service.status {
        ServiceStatus::Inactive => return Err(service_not_found()),
        // Deleting twice is the same as once.
        ServiceStatus::Draining => return Ok(json!({ "service": view::view(region, &key, false) })),
        ServiceStatus::Active => {}
    }
    if service.desired > 0 && !asked.force {
        return Err(invalid("The service cannot be stopped while it is scaled above 0."));
    }
    service.status = ServiceStatus::Draining;
    service.desired = 0;
    for record in &mut service.service_deployments {
        if !record.status.is_final() {
            let reason = "Service deployment stopped because the service was deleted.";
            record.turn(now, ServiceDeploymentStatus::Stopped, Some(reason));
        }
    }
    Ok(json!({ "service": view::view(region, &key, false) }))
}

/// Forgets an INACTIVE service, unless its name was taken again meanwhile.
pub(in crate::ecs) fn forget(region: &mut Region<'_>, key: &ServiceKey) {
    if region.ecs.services.get(key).is_some_and(|service| service.status == ServiceStatus::Inactive) {
        let arn = crate::ecs::reference::service_arn(region.base, key);
        region.ecs.services.remove(key);
        region.base.tags.forget(&arn);
    }
}
