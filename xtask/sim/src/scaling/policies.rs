//! Scaling policies: put, describe, delete. Target tracking policies own a pair of alarms.

use serde::Deserialize;
use serde_json::{Value, json};

use super::dimension::{DESIRED_COUNT, named, selected};
use super::region::Region;
use super::state::INVALID;
use super::state::State;
use super::step;
use super::tracking::{self, Past};
use crate::base::{Base, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params, text};
use crate::{cloudwatch, elb};

#[derive(Debug)]
pub(super) struct Policy {
    name: String,
    arn: String,
    resource_id: String,
    kind: &'static str,
    /// `TargetTrackingScalingPolicyConfiguration` or `StepScalingPolicyConfiguration`, as it was given.
    configuration: Value,
    alarms: Vec<String>,
    created: Millis,
    pub(super) past: Past,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    policy_name: String,
    policy_type: Option<String>,
    target_tracking_scaling_policy_configuration: Option<Value>,
    step_scaling_policy_configuration: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tracking {
    target_value: f64,
    predefined_metric_specification: Option<Predefined>,
    customized_metric_specification: Option<Value>,
    #[serde(default)]
    disable_scale_in: bool,
    scale_out_cooldown: Option<i64>,
    scale_in_cooldown: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Predefined {
    predefined_metric_type: String,
    resource_label: Option<String>,
}

const TRACKING: &str = "TargetTrackingScaling";
const STEP: &str = "StepScaling";

/// Creates a policy, or replaces the one of the same name.
pub(super) fn put(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let resource = named(request)?;
    let asked: Put = params(request)?;
    if asked.policy_name.is_empty()
        || asked.policy_name.len() > 256
        || asked.policy_name.contains(char::is_control)
    {
        return Err(ApiError::new(INVALID, format!("Policy name '{}' is not valid", asked.policy_name)));
    }
    if !region.scaling.targets.contains_key(&resource.id) {
        return Err(resource.not_registered());
    }
    let key = (resource.id.clone(), asked.policy_name.clone());
    let existing = region.scaling.policies.get(&key);
    let kind = match (asked.policy_type.as_deref(), existing) {
        (Some("TargetTrackingScaling"), _) => TRACKING,
        (Some("StepScaling"), _) => STEP,
        // AWS's default for a new policy (PutScalingPolicy, `PolicyType`).
        (None, existing) => existing.map_or(STEP, |policy| policy.kind),
        (Some(other), _) => {
            return Err(ApiError::new(INVALID, format!("Policies of type '{other}' are not served")));
        }
    };
    if existing.is_some_and(|policy| policy.kind != kind) {
        return Err(ApiError::new(INVALID, "The policy type of an existing policy cannot be changed"));
    }
    let configuration = match kind {
        TRACKING => asked.target_tracking_scaling_policy_configuration,
        _ => asked.step_scaling_policy_configuration,
    };
    let Some(configuration) = configuration else {
        let text = format!("A {kind}PolicyConfiguration must be specified for a policy of type {kind}");
        return Err(ApiError::new(INVALID, text));
    };
    let scales_in = match kind {
        TRACKING => Some(check_tracking(region.elb, &configuration)?),
        _ => step::check(&configuration).map(|()| None)?,
    };
    check_alone(region.scaling, &key, &configuration)?;
    // A policy that is changed keeps its cooldown: it scaled when it did.
    let past = region.scaling.policies.get_mut(&key).map(|policy| std::mem::take(&mut policy.past));
    let (arn, created, old_alarms) = match region.scaling.policies.get(&key) {
        Some(policy) => (policy.arn.clone(), policy.created, policy.alarms.clone()),
        None => {
            let path = format!(
                "{}:resource/ecs/{}:policyName/{}",
                region.base.ids.uuid(),
                resource.id,
                asked.policy_name
            );
            (region.base.arn("autoscaling", &format!("scalingPolicy:{path}")), now, Vec::new())
        }
    };
    let alarms = match scales_in {
        None => Vec::new(),
        Some(scales_in) => alarms(region.base, &resource.id, scales_in, &old_alarms),
    };
    let policy = Policy {
        name: asked.policy_name,
        arn,
        resource_id: resource.id,
        kind,
        configuration,
        alarms,
        created,
        past: past.unwrap_or_default(),
    };
    let arn = policy.arn.clone();
    region.scaling.policies.insert(key.clone(), policy);
    tracking::arrange(region.scaling, region.cloudwatch, now, &key, &old_alarms);
    Ok(json!({ "PolicyARN": arn, "Alarms": describe_alarms(region.base, region.cloudwatch, &arn) }))
}

/// A target has one target tracking policy for a predefined metric.
fn check_alone(scaling: &State, key: &(String, String), configuration: &Value) -> Result<(), ApiError> {
    let metric = |configuration: &Value| configuration["PredefinedMetricSpecification"].clone();
    let others = scaling.policies.iter().filter(|((id, name), _)| *id == key.0 && *name != key.1);
    let (own, mut others) = (metric(configuration), others.map(|(_, policy)| metric(&policy.configuration)));
    if !own.is_null() && others.any(|other| other == own) {
        let text = "Only one TargetTrackingScaling policy for a given metric specification is allowed.";
        return Err(ApiError::new(INVALID, text));
    }
    Ok(())
}

/// Checks a target tracking configuration; gives whether it scales in.
fn check_tracking(elb: &elb::State, configuration: &Value) -> Result<bool, ApiError> {
    let invalid = |text: String| ApiError::new(INVALID, text);
    let tracking = Tracking::deserialize(configuration)
        .map_err(|error| invalid(format!("1 validation error detected: {error}")))?;
    if tracking.target_value <= 0.0 {
        return Err(invalid("Target value must be greater than 0".to_owned()));
    }
    let cooldowns = [tracking.scale_in_cooldown, tracking.scale_out_cooldown];
    if cooldowns.into_iter().flatten().any(|secs| !(0..=i64::from(i32::MAX)).contains(&secs)) {
        return Err(invalid(format!("Cooldown must be between 0 and {}", i32::MAX)));
    }
    match (tracking.predefined_metric_specification, tracking.customized_metric_specification) {
        (Some(predefined), None) => {
            match (predefined.predefined_metric_type.as_str(), predefined.resource_label) {
                ("ECSServiceAverageCPUUtilization" | "ECSServiceAverageMemoryUtilization", None) => {}
                ("ALBRequestCountPerTarget", Some(label)) => {
                    if !elb::is_request_count_label(elb, &label) {
                        return Err(invalid(format!(
                            "Invalid ResourceLabel: {label}. It names a load balancer and one of its target groups, as \
                             app/<load balancer>/<id>/targetgroup/<target group>/<id>"
                        )));
                    }
                }
                ("ALBRequestCountPerTarget", None) => {
                    return Err(invalid(
                        "ResourceLabel must be specified for ALBRequestCountPerTarget".to_owned(),
                    ));
                }
                ("ECSServiceAverageCPUUtilization" | "ECSServiceAverageMemoryUtilization", Some(_)) => {
                    return Err(invalid(
                        "ResourceLabel must not be specified for this metric type".to_owned(),
                    ));
                }
                (other, _) => {
                    return Err(invalid(format!(
                        "Predefined metric type {other} is not valid for {DESIRED_COUNT}"
                    )));
                }
            }
        }
        (None, Some(custom)) => check_custom(&custom)?,
        _ => {
            let text = "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified";
            return Err(invalid(text.to_owned()));
        }
    }
    Ok(!tracking.disable_scale_in)
}

/// A metric of one's own: one metric with its statistic, or several with expressions.
fn check_custom(custom: &Value) -> Result<(), ApiError> {
    let given = |name: &str| custom.get(name).is_some_and(|value| !value.is_null());
    let single = ["MetricName", "Namespace", "Statistic"];
    let statistic = custom["Statistic"].as_str().unwrap_or("Average");
    let fits = if given("Metrics") {
        custom["Metrics"].as_array().is_some_and(|metrics| !metrics.is_empty())
            && !single.into_iter().any(given)
    } else {
        single.into_iter().all(given)
            && ["Average", "Minimum", "Maximum", "SampleCount", "Sum"].contains(&statistic)
    };
    if fits {
        return Ok(());
    }
    let text =
        "CustomizedMetricSpecification must have either Metrics or MetricName, Namespace and Statistic";
    Err(ApiError::new(INVALID, text))
}

/// The names of a policy's alarms, those that it has and those that are missing.
fn alarms(base: &mut Base, resource_id: &str, scales_in: bool, old: &[String]) -> Vec<String> {
    let wanted: &[&str] = if scales_in { &["AlarmHigh", "AlarmLow"] } else { &["AlarmHigh"] };
    wanted
        .iter()
        .map(|which| {
            let prefix = format!("TargetTracking-{resource_id}-{which}-");
            match old.iter().find(|name| name.starts_with(&prefix)) {
                Some(name) => name.clone(),
                None => format!("{prefix}{}", base.ids.uuid()),
            }
        })
        .collect()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    #[serde(default)]
    policy_names: Vec<String>,
}

pub(super) fn describe(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let resource_id = selected(request)?;
    let asked: Describe = params(request)?;
    let found: Vec<&Policy> = region
        .scaling
        .policies
        .values()
        .filter(|policy| resource_id.as_ref().is_none_or(|id| *id == policy.resource_id))
        .filter(|policy| asked.policy_names.is_empty() || asked.policy_names.contains(&policy.name))
        .collect();
    listing(request, "ScalingPolicies", (10, 10), found, |policy| policy.describe(region))
}

pub(super) fn delete(
    scaling: &mut State,
    cloudwatch: &mut cloudwatch::State,
    request: &ApiRequest,
) -> Outcome {
    let resource = named(request)?;
    let policy_name = text(request, "PolicyName")?;
    match scaling.policies.remove(&(resource.id.clone(), policy_name.clone())) {
        Some(policy) => {
            // Alarms of target tracking belong to their policy; those of a step policy are somebody's own and stay.
            cloudwatch::take_down(cloudwatch, &policy.alarms);
            Ok(Value::Null)
        }
        None => Err(resource.without("scaling policy found", &format!(", policy name: {policy_name}"))),
    }
}

/// The alarms that call a policy: its own, and those that somebody else has put.
fn describe_alarms(base: &Base, cloudwatch: &cloudwatch::State, policy: &str) -> Value {
    let alarm = |name: &String| json!({ "AlarmName": name, "AlarmARN": base.arn("cloudwatch", &format!("alarm:{name}")) });
    cloudwatch.alarms_of(policy).map(alarm).collect()
}

impl Policy {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    pub(super) fn resource_id(&self) -> &str {
        &self.resource_id
    }

    pub(super) fn configuration(&self) -> &Value {
        &self.configuration
    }

    pub(super) fn alarms(&self) -> impl Iterator<Item = &String> {
        self.alarms.iter()
    }

    pub(super) fn is_step(&self) -> bool {
        self.kind == STEP
    }

    fn describe(&self, region: &Region<'_>) -> Value {
        json!({
            "PolicyARN": self.arn,
            "PolicyName": self.name,
            "ServiceNamespace": "ecs",
            "ResourceId": self.resource_id,
            "ScalableDimension": DESIRED_COUNT,
            "PolicyType": self.kind,
            format!("{}PolicyConfiguration", self.kind): self.configuration,
            "Alarms": describe_alarms(region.base, region.cloudwatch, &self.arn),
            "CreationTime": self.created.epoch_secs(),
        })
    }
}
