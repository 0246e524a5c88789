//! The wanted side of Application Auto Scaling.

use serde_json::{Value, json};

use crate::model::spec::{PolicySpec, ScalableTargetSpec, ScheduledActionSpec, normal_members};
use crate::model::{CustomMetric, Environment, Metric, Observed, Policy, Scaling, Schedule, Service};

fn resource_id(environment: &Environment, service: &Service) -> String {
    // Names, never ARNs (Application Auto Scaling API, `ResourceId`).
    format!("service/{}/{}", environment.cluster, service.name)
}

pub(in crate::plan) fn scalable_target(
    environment: &Environment,
    service: &Service,
    scaling: &Scaling,
) -> ScalableTargetSpec {
    ScalableTargetSpec { resource_id: resource_id(environment, service), min: scaling.min, max: scaling.max }
}

pub(in crate::plan) fn policies(
    environment: &Environment,
    service: &Service,
    observed: &Observed,
    scaling: &Scaling,
) -> Vec<PolicySpec> {
    let policy = |policy: &Policy| PolicySpec {
        name: policy.name.clone(),
        resource_id: resource_id(environment, service),
        kind: PolicySpec::TRACKING.to_owned(),
        configuration: normal_members(json!({
            "TargetValue": policy.target,
            "PredefinedMetricSpecification": policy.metric.map(|metric| json!({
                "PredefinedMetricType": metric.wire(),
                // ALBRequestCountPerTarget alone has one; with another metric AWS refuses it (PredefinedMetricSpecification).
                "ResourceLabel": (metric == Metric::Requests).then(|| resource_label(service, observed)),
            })),
            "CustomizedMetricSpecification": policy.custom_metric.as_ref().map(custom_metric),
            "ScaleOutCooldown": policy.scale_out_cooldown_secs,
            "ScaleInCooldown": policy.scale_in_cooldown_secs,
            "DisableScaleIn": policy.disable_scale_in,
        })),
    };
    scaling.policies.iter().map(policy).collect()
}

fn custom_metric(metric: &CustomMetric) -> Value {
    let dimension = |(name, value): (&String, &String)| json!({ "Name": name, "Value": value });
    json!({
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": metric.dimensions.iter().map(dimension).collect::<Vec<_>>(),
        "Statistic": metric.statistic,
    })
}

/// Of a load balancer or target group that is still to be made the ARN is not known: then a label of the group's name, which
/// is completed when the policy is put.
fn resource_label(service: &Service, observed: &Observed) -> String {
    let name = &service.target_group.name;
    let arns = observed.load_balancer.as_ref().zip(observed.target_groups.get(name));
    let known = arns.and_then(|(balancer, group)| PolicySpec::resource_label(&balancer.arn, &group.arn));
    known.unwrap_or_else(|| format!("targetgroup/{name}"))
}

pub(in crate::plan) fn schedules(
    environment: &Environment,
    service: &Service,
    scaling: &Scaling,
) -> Vec<ScheduledActionSpec> {
    let schedule = |schedule: &Schedule| ScheduledActionSpec {
        name: schedule.name.clone(),
        resource_id: resource_id(environment, service),
        action: normal_members(json!({
            "Schedule": schedule.schedule,
            // Written out, so that a schedule without a zone equals what AWS answers for it.
            "Timezone": schedule.timezone.as_deref().unwrap_or("UTC"),
            "ScalableTargetAction": { "MinCapacity": schedule.min, "MaxCapacity": schedule.max },
        })),
    };
    scaling.schedules.iter().map(schedule).collect()
}
