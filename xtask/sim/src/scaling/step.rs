//! Step scaling: how many tasks a policy makes of so many, by how far its alarm's metric is beyond the threshold.
//!
//! Source: Application Auto Scaling user guide, "How step scaling works".

use serde::Deserialize;
use serde_json::Value;

use super::state::INVALID;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Steps {
    adjustment_type: String,
    step_adjustments: Vec<Step>,
    min_adjustment_magnitude: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    /// Relative to the threshold.
    metric_interval_lower_bound: Option<f64>,
    metric_interval_upper_bound: Option<f64>,
    scaling_adjustment: i64,
}

impl Step {
    fn lower(&self) -> f64 {
        self.metric_interval_lower_bound.unwrap_or(f64::NEG_INFINITY)
    }

    fn upper(&self) -> f64 {
        self.metric_interval_upper_bound.unwrap_or(f64::INFINITY)
    }

    /// The bound that is nearer to the threshold belongs to the step, the farther one to the next.
    fn holds(&self, beyond: f64) -> bool {
        if beyond < 0.0 {
            self.lower() < beyond && beyond <= self.upper()
        } else {
            self.lower() <= beyond && beyond < self.upper()
        }
    }
}

/// What PutScalingPolicy refuses of a configuration. The texts are not AWS's.
pub(super) fn check(configuration: &Value) -> Result<(), ApiError> {
    let invalid = |text: &str| ApiError::new(INVALID, text);
    let mut steps = Steps::deserialize(configuration)
        .map_err(|error| invalid(&format!("1 validation error detected: {error}")))?;
    let kinds = ["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"];
    if !kinds.contains(&steps.adjustment_type.as_str()) {
        return Err(invalid(&format!("AdjustmentType must be one of {}", kinds.join(", "))));
    }
    if steps.step_adjustments.is_empty() {
        return Err(invalid("At least one StepAdjustment must be specified"));
    }
    if steps.step_adjustments.iter().any(|step| step.lower() >= step.upper()) {
        return Err(invalid("MetricIntervalLowerBound must be less than MetricIntervalUpperBound"));
    }
    steps.step_adjustments.sort_by(|one, other| one.lower().total_cmp(&other.lower()));
    if steps.step_adjustments.windows(2).any(|pair| pair[0].upper() != pair[1].lower()) {
        return Err(invalid("The intervals of StepAdjustments must neither overlap nor leave a gap"));
    }
    let negative = steps.step_adjustments.iter().any(|step| step.scaling_adjustment < 0);
    if steps.adjustment_type == "ExactCapacity" && negative {
        return Err(invalid("ScalingAdjustment must not be negative for ExactCapacity"));
    }
    Ok(())
}

/// What the step for a metric so far `beyond` the threshold makes of `desired` tasks; `None` where there is no such step.
pub(super) fn wanted(configuration: &Value, desired: u32, beyond: f64) -> Option<u32> {
    let steps = Steps::deserialize(configuration).ok()?;
    let adjustment = steps.step_adjustments.iter().find(|step| step.holds(beyond))?.scaling_adjustment;
    let desired = i64::from(desired);
    let wanted = match steps.adjustment_type.as_str() {
        "ExactCapacity" => adjustment,
        "PercentChangeInCapacity" => {
            let exact = desired as f64 * adjustment as f64 / 100.0;
            // Towards zero, and never to it.
            let change = if exact.abs() < 1.0 { exact.signum() } else { exact.trunc() } as i64;
            let least = steps.min_adjustment_magnitude.unwrap_or(0);
            desired + change.signum() * change.abs().max(least)
        }
        _ => desired.saturating_add(adjustment),
    };
    u32::try_from(wanted.max(0)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(kind: &str, more: Value) -> Value {
        let mut configuration = json!({ "AdjustmentType": kind, "StepAdjustments": [
            { "MetricIntervalUpperBound": -10.0, "ScalingAdjustment": -50 },
            { "MetricIntervalLowerBound": -10.0, "MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -10 },
            { "MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 10 },
            { "MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 30 },
        ] });
        configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        configuration
    }

    #[test]
    fn the_step_is_chosen_by_the_distance_from_the_threshold_and_shares_are_rounded_to_zero_but_never_to_nothing()
     {
        let percent = steps("PercentChangeInCapacity", json!({}));
        let table = [(0.0, 11), (9.9, 11), (10.0, 13), (99.0, 13), (-1.0, 9), (-10.0, 5), (-10.1, 5)];
        for (beyond, expected) in table {
            assert_eq!(wanted(&percent, 10, beyond), Some(expected), "{beyond}");
        }
        assert_eq!((wanted(&percent, 3, 5.0), wanted(&percent, 3, -5.0)), (Some(4), Some(2)));
        assert_eq!(wanted(&percent, 19, 5.0), Some(20));
        let least = steps("PercentChangeInCapacity", json!({ "MinAdjustmentMagnitude": 4 }));
        assert_eq!((wanted(&least, 10, 5.0), wanted(&least, 10, -5.0)), (Some(14), Some(6)));
        assert_eq!(wanted(&steps("ChangeInCapacity", json!({})), 10, -20.0), Some(0));
        let upwards = json!({ "AdjustmentType": "ExactCapacity", "StepAdjustments": [
            { "MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 7 }] });
        assert_eq!((wanted(&upwards, 10, 1.0), wanted(&upwards, 10, -1.0)), (Some(7), None));
    }

    #[test]
    fn steps_without_an_order_are_refused() {
        check(&steps("ChangeInCapacity", json!({}))).unwrap();
        let one = |step: Value| json!({ "StepAdjustments": [step] });
        let gap = json!({ "StepAdjustments": [
            { "MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 1.0, "ScalingAdjustment": 1 },
            { "MetricIntervalLowerBound": 2.0, "ScalingAdjustment": 1 },
        ] });
        for (kind, more) in [
            ("Often", json!({})),
            ("ExactCapacity", json!({})),
            ("ChangeInCapacity", json!({ "StepAdjustments": [] })),
            ("ChangeInCapacity", gap),
            (
                "ChangeInCapacity",
                one(
                    json!({ "MetricIntervalLowerBound": 2.0, "MetricIntervalUpperBound": 1.0, "ScalingAdjustment": 1 }),
                ),
            ),
        ] {
            assert_eq!(
                check(&steps(kind, more.clone())).unwrap_err().code,
                "ValidationException",
                "{kind} {more}"
            );
        }
    }
}
