//! Deletes what this tool made.

use std::time::Duration;

use deploy::model::spec::ScalableTargetSpec;
use deploy::model::{Owned, OwnedKind};

use super::StepContext;
use super::step::StepError;
use crate::aws;

/// A deregistration delay is at most an hour; a service that drains longer than this is reported, not waited for.
const GONE_DEADLINE: Duration = Duration::from_secs(900);
const LOOK_EVERY: Duration = Duration::from_secs(2);

pub(super) async fn remove(context: &StepContext<'_>, owned: &Owned) -> Result<(), StepError> {
    let (aws, arn) = (context.aws, owned.arn.as_str());
    match owned.kind {
        OwnedKind::ScalableTarget => {
            let spec = ScalableTargetSpec { resource_id: owned.name.clone(), min: 0, max: 0 };
            // Deletes the target's policies, their alarms and its scheduled actions too (DeregisterScalableTarget).
            aws.deregister_scalable_target(&spec).await?;
        }
        OwnedKind::Service => {
            // With `force`: without it ECS refuses a service whose desired count is not 0 (DeleteService).
            aws.delete_service(owned.cluster(), &owned.name, true).await?;
            gone(context, owned.cluster(), &owned.name).await?;
        }
        OwnedKind::Rule => aws.delete_rule(arn).await?,
        OwnedKind::Listener => aws.delete_listener(arn).await?,
        OwnedKind::LoadBalancer => aws.delete_load_balancer(arn).await?,
        OwnedKind::TargetGroup => aws.delete_target_group(arn).await?,
        OwnedKind::Cluster => aws.delete_cluster(&owned.name).await?,
        OwnedKind::Namespace => aws.delete_namespace(aws::arn_name(arn)).await?,
        // Images, logs and the record of releases are never planned to be deleted.
        OwnedKind::Repository | OwnedKind::LogGroup | OwnedKind::Family => {}
    }
    Ok(())
}

/// Waits until a deleted service is INACTIVE: until then it uses its target group and its cluster.
pub(super) async fn gone(context: &StepContext<'_>, cluster: &str, name: &str) -> Result<(), StepError> {
    let deadline = context.host.clock.mark().after(GONE_DEADLINE);
    loop {
        let found = context.aws.describe_services(cluster, &[name]).await?;
        if found.iter().all(|service| matches!(service.status.as_str(), "INACTIVE" | "MISSING")) {
            return Ok(());
        }
        if deadline.remaining().is_zero() {
            return Err(StepError::Draining(name.to_owned()));
        }
        context.host.clock.sleep(LOOK_EVERY).await;
    }
}
