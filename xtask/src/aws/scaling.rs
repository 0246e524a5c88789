//! Application Auto Scaling of ECS services: their scalable targets.

mod policy;

use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget, ScalingActivity as FoundActivity, ServiceNamespace, SuspendedState,
};
use deploy::model::spec::ScalableTargetSpec;
use deploy::status::ScalingActivity;
use futures_util::future::try_join_all;

use super::call::Op;
use super::error::gone;
use super::names::{count, millis, wire};
use super::{Aws, Error, Kind, Tags};

const SERVICE: &str = "application-autoscaling";
const TARGETS: Op = Op::read(SERVICE, "DescribeScalableTargets");
const REGISTER: Op = Op::write(SERVICE, "RegisterScalableTarget");
const ACTIVITIES: Op = Op::read(SERVICE, "DescribeScalingActivities");
const DEREGISTER: Op = Op::write(SERVICE, "DeregisterScalableTarget");

/// How many resources one DescribeScalableTargets takes.
const BATCH: usize = 50;

/// A scalable target as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundTarget {
    /// Its ARN, which older targets and some emulators do not have.
    pub arn: Option<String>,
    pub spec: ScalableTargetSpec,
    /// The members of `SuspendedState` that are on.
    pub suspended: Vec<String>,
}

impl Aws {
    /// The scalable targets of these resources, `service/<cluster>/<service>`, that are registered.
    pub async fn describe_scalable_targets(&self, resources: &[String]) -> Result<Vec<FoundTarget>, Error> {
        let some = resources.chunks(BATCH).map(|some| self.scalable_targets(Some(some.to_vec())));
        Ok(try_join_all(some).await?.concat())
    }

    /// All scalable targets of ECS services in the region.
    pub async fn list_scalable_targets(&self) -> Result<Vec<FoundTarget>, Error> {
        self.scalable_targets(None).await
    }

    async fn scalable_targets(&self, resources: Option<Vec<String>>) -> Result<Vec<FoundTarget>, Error> {
        let page = |next| {
            self.scaling
                .describe_scalable_targets()
                .service_namespace(ServiceNamespace::Ecs)
                .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                .set_resource_ids(resources.clone())
                .set_next_token(next)
                .send()
        };
        let found = self.pages(TARGETS, page, |reply| (reply.scalable_targets, reply.next_token)).await?;
        Ok(found.into_iter().map(target).collect())
    }

    /// The newest scaling activities of a resource, newest first.
    pub async fn describe_scaling_activities(
        &self,
        resource: &str,
        most: u32,
    ) -> Result<Vec<ScalingActivity>, Error> {
        let call = || {
            self.scaling
                .describe_scaling_activities()
                .service_namespace(ServiceNamespace::Ecs)
                .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                .resource_id(resource)
                .max_results(wire(most))
                .send()
        };
        let found = self.call(ACTIVITIES, call).await?.scaling_activities.unwrap_or_default();
        let activity = |found: FoundActivity| ScalingActivity {
            at_ms: millis(Some(&found.start_time)),
            description: found.description,
            cause: found.cause,
            status: found.status_code.as_str().to_owned(),
            message: found.status_message,
        };
        Ok(found.into_iter().map(activity).collect())
    }

    /// Registers a scalable target, with these tags when it is new, or changes its range. A desired count outside of
    /// the range is moved inside at once.
    pub async fn register_scalable_target(
        &self,
        spec: &ScalableTargetSpec,
        tags: &Tags,
    ) -> Result<(), Error> {
        match self.register_tagged(spec, Some(tags)).await {
            // Tags can be given to a new target only.
            Err(error) if matches!(error.kind, Kind::AlreadyExists) => self.register_tagged(spec, None).await,
            result => result,
        }
    }

    async fn register_tagged(&self, spec: &ScalableTargetSpec, tags: Option<&Tags>) -> Result<(), Error> {
        let tags = tags.filter(|tags| !tags.is_empty());
        let call = || {
            self.scaling
                .register_scalable_target()
                .service_namespace(ServiceNamespace::Ecs)
                .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                .resource_id(&spec.resource_id)
                // Both bounds are required of a new target (RegisterScalableTarget).
                .min_capacity(wire(spec.min))
                .max_capacity(wire(spec.max))
                .set_tags(tags.map(|tags| tags.clone().into_iter().collect()))
                .send()
        };
        self.call(REGISTER, call).await.map(drop)
    }

    /// Deregisters a scalable target, which deletes its policies and alarms. A missing one is not an error.
    pub async fn deregister_scalable_target(&self, spec: &ScalableTargetSpec) -> Result<(), Error> {
        let call = || {
            self.scaling
                .deregister_scalable_target()
                .service_namespace(ServiceNamespace::Ecs)
                .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                .resource_id(&spec.resource_id)
                .send()
        };
        self.call(DEREGISTER, call).await.map(drop).or_else(gone)
    }
}

fn target(found: ScalableTarget) -> FoundTarget {
    let spec = ScalableTargetSpec {
        resource_id: found.resource_id,
        min: count(found.min_capacity),
        max: count(found.max_capacity),
    };
    let state =
        |on: fn(&SuspendedState) -> Option<bool>| found.suspended_state.as_ref().and_then(on) == Some(true);
    let suspended = [
        ("DynamicScalingInSuspended", state(SuspendedState::dynamic_scaling_in_suspended)),
        ("DynamicScalingOutSuspended", state(SuspendedState::dynamic_scaling_out_suspended)),
        ("ScheduledScalingSuspended", state(SuspendedState::scheduled_scaling_suspended)),
    ];
    let suspended = suspended.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect();
    FoundTarget { arn: found.scalable_target_arn, spec, suspended }
}
