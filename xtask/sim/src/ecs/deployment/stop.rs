//! StopServiceDeployment: undoes a deployment on request, with or without a circuit breaker. ContinueServiceDeployment.

use serde::Deserialize;
use serde_json::json;

use super::model::RolloutState;
use super::service_deployment::ServiceDeploymentStatus;
use super::start::{self, BY_REQUEST};
use crate::clock::Millis;
use crate::ecs::errors::invalid;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::wire::{ApiError, ApiRequest, Outcome, params, text};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stop {
    service_deployment_arn: String,
    stop_type: Option<String>,
}

/// Only ROLLBACK is documented to work. ABORT is in the enumeration; it is taken at its name: what runs is left as it is,
/// nothing rolls back, and the service deployment ends as one whose circuit breaker trips without a rollback.
pub(in crate::ecs) fn stop(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Stop = params(request)?;
    let aborts = match asked.stop_type.as_deref() {
        None | Some("ROLLBACK") => false,
        Some("ABORT") => true,
        Some(other) => return Err(invalid(format!("Invalid stopType: {other}"))),
    };
    let arn = asked.service_deployment_arn;
    let (key, status) = named(region, &arn)?;
    if !matches!(status, ServiceDeploymentStatus::Pending | ServiceDeploymentStatus::InProgress) {
        if !status.is_final() {
            // It "continues to stop", or "continues the rollback" (developer guide, stopping service deployments).
            return Ok(json!({ "serviceDeploymentArn": arn }));
        }
        return Err(ApiError::new(
            "ConflictException",
            format!("The service deployment is in {} status and cannot be stopped.", status.as_str()),
        ));
    }
    let Some(service) = region.ecs.services.get_mut(&key) else { return Ok(json!({})) };
    let target = service.primary.rollback_target.clone().filter(|_| !aborts);
    service.primary.turn(now, RolloutState::Failed, "ECS deployment failed.".to_owned());
    match target {
        Some(target) => start::roll_back(region, now, &key, &target, &BY_REQUEST),
        None => {
            let desired = service.desired;
            if let Some(record) = service.service_deployment_mut(&arn) {
                record.requested = Some(desired);
                let reason = "Service deployment stopped by a user.";
                record.turn(now, ServiceDeploymentStatus::StopRequested, Some(reason));
            }
        }
    }
    Ok(json!({ "serviceDeploymentArn": arn }))
}

fn named(region: &Region<'_>, arn: &str) -> Result<(ServiceKey, ServiceDeploymentStatus), ApiError> {
    let found = region.ecs.services.values().find_map(|service| {
        let record = service.service_deployments.iter().find(|record| record.arn == arn)?;
        Some((service.key.clone(), record.status))
    });
    let text = "The service deployment was not found.";
    found.ok_or_else(|| ApiError::new("ServiceDeploymentNotFoundException", text))
}

/// Releases a PAUSE hook. Only the strategies with lifecycle hooks have one, and they are not simulated.
pub(in crate::ecs) fn resume(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let (_, status) = named(region, &text(request, "serviceDeploymentArn")?)?;
    let hook = text(request, "hookId")?;
    match request.params["action"].as_str() {
        None | Some("CONTINUE" | "ROLLBACK") => {}
        Some(other) => return Err(invalid(format!("Invalid action: {other}"))),
    }
    Err(invalid(format!(
        "The service deployment is in {} status and has no lifecycle hook {hook} that awaits an action.",
        status.as_str()
    )))
}
