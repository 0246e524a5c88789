//! Scalable targets, their policies and scheduled actions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The scalable target of a service: `ecs:service:DesiredCount` of `service/<cluster>/<service>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ScalableTargetSpec {
    /// `service/<cluster>/<service>`.
    pub resource_id: String,
    pub min: u32,
    pub max: u32,
}

/// A scaling policy. Its configuration has AWS's own members, so that one that no code here knows is restored, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolicySpec {
    /// Its name, unique for the target.
    pub name: String,
    /// `service/<cluster>/<service>`.
    pub resource_id: String,
    /// `TargetTrackingScaling`, `StepScaling` or `PredictiveScaling`.
    pub kind: String,
    /// `<kind>PolicyConfiguration`, in normal form.
    pub configuration: Value,
}

/// A scheduled action: other bounds from a moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ScheduledActionSpec {
    /// Its name, unique for the target.
    pub name: String,
    /// `service/<cluster>/<service>`.
    pub resource_id: String,
    /// `Schedule`, `Timezone`, `StartTime`, `EndTime` and `ScalableTargetAction`, in normal form.
    pub action: Value,
}

impl PolicySpec {
    pub const TRACKING: &str = "TargetTrackingScaling";

    /// What the requests for each target of a target group are counted by: parts of the ARNs of the load balancer and
    /// of the group (API reference, PredefinedMetricSpecification).
    pub fn resource_label(load_balancer: &str, target_group: &str) -> Option<String> {
        let balancer = load_balancer.split_once(":loadbalancer/")?.1;
        let group = target_group.split_once(":targetgroup/")?.1;
        Some(format!("{balancer}/targetgroup/{group}"))
    }

    /// Whether both follow one metric, which AWS allows one policy of a service (`Only one TargetTrackingScaling policy for a
    /// given metric specification is allowed`).
    pub fn rivals(&self, other: &Self) -> bool {
        let metric = |policy: &Self| {
            [METRIC, "CustomizedMetricSpecification"].map(|name| policy.configuration[name].clone())
        };
        self.kind == Self::TRACKING && other.kind == Self::TRACKING && metric(self) == metric(other)
    }

    /// The target group whose requests it counts, while its ARN is not known: a label of the group's name alone.
    pub fn unlabelled(&self) -> Option<&str> {
        self.configuration[METRIC][LABEL].as_str()?.strip_prefix("targetgroup/")
    }

    /// The same with the label of its target group.
    pub fn labelled(mut self, label: &str) -> Self {
        self.configuration[METRIC][LABEL] = label.into();
        self
    }
}

const METRIC: &str = "PredefinedMetricSpecification";
const LABEL: &str = "ResourceLabel";

impl ScheduledActionSpec {
    /// The fewest (`MinCapacity`) or most (`MaxCapacity`) tasks that it sets.
    pub fn capacity(&self, bound: &str) -> Option<u32> {
        self.action["ScalableTargetAction"][bound].as_u64()?.try_into().ok()
    }
}

/// AWS's members in normal form: without what is absent or off, numbers that are whole without
/// a fraction, and dimensions sorted.
pub fn normal_members(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, normal_members(value)))
            .filter(|(_, value)| {
                !value.is_null() && *value != Value::Bool(false) && *value != Value::Array(vec![])
            })
            .collect(),
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(normal_members).collect();
            // Dimensions have no order: two lists of the same ones are one metric.
            list.sort_by_key(|entry| entry["Name"].as_str().map(str::to_owned));
            Value::Array(list)
        }
        Value::Number(number) => match number.as_f64() {
            // AWS answers 60.0 for a target value that was sent as 60. Below 1e15 every whole number is exact in a float.
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => Value::from(float as i64),
            _ => Value::Number(number),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_compare_by_what_they_mean() {
        let given = json!({"TargetValue": 70.0, "DisableScaleIn": false, "ScaleInCooldown": null, "Custom": {
            "Dimensions": [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}], "Metrics": []}});
        let normal = json!({"TargetValue": 70, "Custom": {
            "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]}});
        assert_eq!(normal_members(given), normal);
        assert_eq!(normal_members(json!({"TargetValue": 0.5})), json!({"TargetValue": 0.5}));
        let steps = json!({"StepAdjustments": [{"ScalingAdjustment": 2}, {"ScalingAdjustment": 1}]});
        assert_eq!(normal_members(steps.clone()), steps);
    }

    #[test]
    fn a_label_names_the_load_balancer_and_the_target_group_by_their_arns() {
        let arn = |rest: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:1:{rest}");
        let label = PolicySpec::resource_label(&arn("loadbalancer/app/alb/1a"), &arn("targetgroup/web/2b"));
        assert_eq!(label.as_deref(), Some("app/alb/1a/targetgroup/web/2b"));
    }
}
