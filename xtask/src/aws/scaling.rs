//! Application Auto Scaling of ECS services.

use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalableTarget, ScalingPolicy,
    ServiceNamespace, TargetTrackingScalingPolicyConfiguration,
};
use deploy::model::spec::{PolicySpec, ScalableTargetSpec};
use futures_util::future::try_join_all;

use super::call::Op;
use super::error::gone;
use super::names::{count, wire};
use super::{Aws, Error, Kind, Tags};

const SERVICE: &str = "application-autoscaling";
const TARGETS: Op = Op::read(SERVICE, "DescribeScalableTargets");
const POLICIES: Op = Op::read(SERVICE, "DescribeScalingPolicies");
const REGISTER: Op = Op::write(SERVICE, "RegisterScalableTarget");
/// Patient about a target that was registered a moment ago, and about its service-linked role.
const PUT: Op = Op::write(SERVICE, "PutScalingPolicy")
    .patient(&["ObjectNotFoundException", "FailedResourceAccessException"]);
const DELETE: Op = Op::write(SERVICE, "DeleteScalingPolicy");
const DEREGISTER: Op = Op::write(SERVICE, "DeregisterScalableTarget");

/// How many resources one DescribeScalableTargets takes.
const BATCH: usize = 50;

/// A scalable target as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundTarget {
    /// Its ARN, which older targets and some emulators do not have.
    pub arn: Option<String>,
    /// Its settings.
    pub spec: ScalableTargetSpec,
}

impl Aws {
    /// The scalable targets of these resources, `service/<cluster>/<service>`, that are registered.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn describe_scalable_targets(&self, resources: &[String]) -> Result<Vec<FoundTarget>, Error> {
        let some = resources.chunks(BATCH).map(|some| self.scalable_targets(Some(some.to_vec())));
        Ok(try_join_all(some).await?.concat())
    }

    /// All scalable targets of ECS services in the region.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn list_scalable_targets(&self) -> Result<Vec<FoundTarget>, Error> {
        self.scalable_targets(None).await
    }

    async fn scalable_targets(&self, resources: Option<Vec<String>>) -> Result<Vec<FoundTarget>, Error> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let call = || {
                self.scaling
                    .describe_scalable_targets()
                    .service_namespace(ServiceNamespace::Ecs)
                    .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                    .set_resource_ids(resources.clone())
                    .set_next_token(next.clone())
                    .send()
            };
            let reply = self.call(TARGETS, call).await?;
            found.extend(reply.scalable_targets.unwrap_or_default().into_iter().map(target));
            next = reply.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// The policies of one resource, by name. One that does not track a predefined metric has its type as metric.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn describe_scaling_policies(&self, resource: &str) -> Result<Vec<PolicySpec>, Error> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let call = || {
                self.scaling
                    .describe_scaling_policies()
                    .service_namespace(ServiceNamespace::Ecs)
                    .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                    .resource_id(resource)
                    .set_next_token(next.clone())
                    .send()
            };
            let reply = self.call(POLICIES, call).await?;
            found.extend(reply.scaling_policies.unwrap_or_default().into_iter().map(policy));
            next = reply.next_token;
            if next.is_none() {
                found.sort_by(|one: &PolicySpec, other| one.name.cmp(&other.name));
                return Ok(found);
            }
        }
    }

    /// Registers a scalable target, with these tags when it is new, or changes its range. A desired count outside of the range is moved inside at
    /// once.
    ///
    /// # Errors
    /// When AWS refuses.
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
                .min_capacity(wire(spec.min))
                .max_capacity(wire(spec.max))
                .set_tags(tags.map(|tags| tags.clone().into_iter().collect()))
                .send()
        };
        self.call(REGISTER, call).await.map(drop)
    }

    /// Makes a target-tracking policy or changes it.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put_scaling_policy(&self, spec: &PolicySpec) -> Result<(), Error> {
        let metric = PredefinedMetricSpecification::builder()
            .predefined_metric_type(MetricType::from(spec.metric.as_str()))
            .build()
            .map_err(|error| Error::unsendable(PUT, &error))?;
        let tracking = TargetTrackingScalingPolicyConfiguration::builder()
            .target_value(spec.target)
            .predefined_metric_specification(metric)
            .set_scale_out_cooldown(spec.scale_out_cooldown_secs.map(wire))
            .set_scale_in_cooldown(spec.scale_in_cooldown_secs.map(wire))
            .build()
            .map_err(|error| Error::unsendable(PUT, &error))?;
        let call = || {
            self.scaling
                .put_scaling_policy()
                .service_namespace(ServiceNamespace::Ecs)
                .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                .resource_id(&spec.resource_id)
                .policy_name(&spec.name)
                .policy_type(PolicyType::TargetTrackingScaling)
                .target_tracking_scaling_policy_configuration(tracking.clone())
                .send()
        };
        self.call(PUT, call).await.map(drop)
    }

    /// Deletes a policy with its alarms; none is as good.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_scaling_policy(&self, spec: &PolicySpec) -> Result<(), Error> {
        let call = || {
            self.scaling
                .delete_scaling_policy()
                .service_namespace(ServiceNamespace::Ecs)
                .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                .resource_id(&spec.resource_id)
                .policy_name(&spec.name)
                .send()
        };
        self.call(DELETE, call).await.map(drop).or_else(gone)
    }

    /// Deregisters a scalable target with its policies and alarms; none is as good.
    ///
    /// # Errors
    /// When AWS refuses.
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
    FoundTarget { arn: found.scalable_target_arn, spec }
}

fn policy(found: ScalingPolicy) -> PolicySpec {
    let tracking = found.target_tracking_scaling_policy_configuration;
    let metric = tracking
        .as_ref()
        .and_then(|it| it.predefined_metric_specification())
        .map(|it| it.predefined_metric_type().as_str());
    PolicySpec {
        name: found.policy_name,
        resource_id: found.resource_id,
        metric: metric.unwrap_or_else(|| found.policy_type.as_str()).to_owned(),
        target: tracking.as_ref().map_or(0.0, |tracking| tracking.target_value()),
        scale_out_cooldown_secs: tracking
            .as_ref()
            .and_then(|tracking| tracking.scale_out_cooldown())
            .map(count),
        scale_in_cooldown_secs: tracking
            .as_ref()
            .and_then(|tracking| tracking.scale_in_cooldown())
            .map(count),
    }
}
