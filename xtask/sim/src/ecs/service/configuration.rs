//! `deploymentConfiguration`: its members, how an update merges them, and the arithmetic of its percentages.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ecs::errors::{invalid, unsupported};
use crate::wire::ApiError;

/// As it is given: members that are left out are `None`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct DeploymentConfiguration {
    pub(in crate::ecs) deployment_circuit_breaker: Option<CircuitBreaker>,
    pub(in crate::ecs) maximum_percent: Option<u32>,
    pub(in crate::ecs) minimum_healthy_percent: Option<u32>,
    pub(in crate::ecs) alarms: Option<Alarms>,
    pub(in crate::ecs) strategy: Option<String>,
    pub(in crate::ecs) bake_time_in_minutes: Option<u32>,
    pub(in crate::ecs) lifecycle_hooks: Option<Vec<Value>>,
    pub(in crate::ecs) early_success_criteria: Option<EarlySuccess>,
}

/// `deploymentCircuitBreaker`: `enable` and `rollback` are required together.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct CircuitBreaker {
    pub(in crate::ecs) enable: bool,
    pub(in crate::ecs) rollback: bool,
    /// Whether a healthy task sets the count of failures back to 0; AWS's default is that it does.
    pub(in crate::ecs) reset_on_healthy_task: Option<bool>,
    pub(in crate::ecs) threshold_configuration: Option<Threshold>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct Alarms {
    pub(in crate::ecs) alarm_names: Vec<String>,
    pub(in crate::ecs) enable: bool,
    pub(in crate::ecs) rollback: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::ecs) struct Threshold {
    /// `BOUNDED_PERCENT`, `UNBOUNDED_PERCENT` or `COUNT`.
    #[serde(rename = "type")]
    pub(in crate::ecs) kind: String,
    pub(in crate::ecs) value: u32,
}

/// `earlySuccessCriteria`: switched on, both other members are required.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct EarlySuccess {
    pub(in crate::ecs) enable: bool,
    pub(in crate::ecs) healthy_percent: Option<u32>,
    pub(in crate::ecs) source_service_revision_cleanup: Option<String>,
}

impl CircuitBreaker {
    /// How many failures trip it at this desired count: half of it, rounded up, within 3 to 200,
    /// unless a `thresholdConfiguration` says otherwise.
    pub(in crate::ecs) fn threshold(&self, desired: u32) -> u32 {
        let share = |percent: u32| (u64::from(desired) * u64::from(percent)).div_ceil(100) as u32;
        match &self.threshold_configuration {
            None => share(50).clamp(3, 200),
            Some(Threshold { kind, value }) => match kind.as_str() {
                "COUNT" => (*value).max(1),
                "UNBOUNDED_PERCENT" => share(*value).max(1),
                _ => share(*value).clamp(3, 200),
            },
        }
    }

    pub(in crate::ecs) fn resets(&self) -> bool {
        self.reset_on_healthy_task.unwrap_or(true)
    }
}

impl DeploymentConfiguration {
    /// What a new service starts from: 100 and 200 percent, rolling, no circuit breaker.
    pub(in crate::ecs) fn for_new_service(given: Self) -> Self {
        let mut merged = Self {
            maximum_percent: Some(200),
            minimum_healthy_percent: Some(100),
            deployment_circuit_breaker: Some(CircuitBreaker {
                enable: false,
                rollback: false,
                reset_on_healthy_task: None,
                threshold_configuration: None,
            }),
            strategy: Some("ROLLING".to_owned()),
            bake_time_in_minutes: Some(0),
            ..Self::default()
        };
        merged.merge(given);
        merged
    }

    /// Takes the members that an update gives and keeps the others, as AWS does.
    pub(in crate::ecs) fn merge(&mut self, given: Self) {
        fn take<T>(slot: &mut Option<T>, given: Option<T>) {
            if given.is_some() {
                *slot = given;
            }
        }
        if let Some(breaker) = given.deployment_circuit_breaker {
            // The circuit breaker's newer options survive an update that knows only the two old ones.
            let kept = self.deployment_circuit_breaker.take();
            let reset = kept.as_ref().and_then(|kept| kept.reset_on_healthy_task);
            let threshold = kept.and_then(|kept| kept.threshold_configuration);
            self.deployment_circuit_breaker = Some(CircuitBreaker {
                reset_on_healthy_task: breaker.reset_on_healthy_task.or(reset),
                threshold_configuration: breaker.threshold_configuration.or(threshold),
                ..breaker
            });
        }
        take(&mut self.maximum_percent, given.maximum_percent);
        take(&mut self.minimum_healthy_percent, given.minimum_healthy_percent);
        take(&mut self.alarms, given.alarms);
        take(&mut self.strategy, given.strategy);
        take(&mut self.bake_time_in_minutes, given.bake_time_in_minutes);
        take(&mut self.lifecycle_hooks, given.lifecycle_hooks);
        take(&mut self.early_success_criteria, given.early_success_criteria);
    }

    /// Refuses what AWS refuses, and the strategies that are not simulated.
    pub(in crate::ecs) fn check(&self) -> Result<(), ApiError> {
        let (lowest, most) = (self.minimum_percent(), self.most_percent());
        if most == 0 || most < lowest {
            return Err(invalid(
                "maximumPercent must be greater than 0 and not less than minimumHealthyPercent.",
            ));
        }
        if let Some(threshold) = self
            .deployment_circuit_breaker
            .as_ref()
            .and_then(|breaker| breaker.threshold_configuration.as_ref())
            && !["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"].contains(&threshold.kind.as_str())
        {
            return Err(invalid(format!("Invalid threshold type: {}", threshold.kind)));
        }
        if let Some(early) = self.early_success() {
            let Some(percent) = early.healthy_percent.filter(|percent| *percent <= 100) else {
                return Err(invalid("healthyPercent must be an integer between 0 and 100."));
            };
            if percent < lowest {
                return Err(invalid(
                    "healthyPercent must be greater than or equal to minimumHealthyPercent.",
                ));
            }
            if !matches!(early.source_service_revision_cleanup.as_deref(), Some("BLOCKING" | "DEFERRED")) {
                return Err(invalid("sourceServiceRevisionCleanup must be BLOCKING or DEFERRED."));
            }
        }
        match self.strategy.as_deref() {
            None | Some("ROLLING") => Ok(()),
            Some(other) => Err(unsupported(&format!("Deployment strategy {other}"))),
        }
    }

    pub(in crate::ecs) fn minimum_percent(&self) -> u32 {
        self.minimum_healthy_percent.unwrap_or(100)
    }

    pub(in crate::ecs) fn most_percent(&self) -> u32 {
        self.maximum_percent.unwrap_or(200)
    }

    /// The circuit breaker, when it is switched on.
    pub(in crate::ecs) fn breaker(&self) -> Option<&CircuitBreaker> {
        self.deployment_circuit_breaker.as_ref().filter(|breaker| breaker.enable)
    }

    /// The names of the alarms and whether they roll back, when they are switched on.
    pub(in crate::ecs) fn watched(&self) -> Option<&Alarms> {
        self.alarms.as_ref().filter(|alarms| alarms.enable)
    }

    /// The early success criteria, when they are switched on.
    pub(in crate::ecs) fn early_success(&self) -> Option<&EarlySuccess> {
        self.early_success_criteria.as_ref().filter(|early| early.enable)
    }

    /// The fewest healthy tasks (rounded up) and the most tasks (rounded down) at this desired count.
    pub(in crate::ecs) fn bounds(&self, desired: u32) -> (u32, u32) {
        let product = |percent: u32| u64::from(desired) * u64::from(percent);
        let lower = product(self.minimum_percent()).div_ceil(100);
        let upper = product(self.most_percent()) / 100;
        (lower as u32, upper as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn configuration(value: Value) -> DeploymentConfiguration {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn percent_arithmetic_rounds_the_minimum_up_and_the_maximum_down() {
        let check = |desired, minimum: u32, maximum: u32, bounds| {
            let configuration =
                configuration(json!({ "minimumHealthyPercent": minimum, "maximumPercent": maximum }));
            assert_eq!(configuration.bounds(desired), bounds, "{desired} {minimum}/{maximum}");
        };
        check(2, 100, 200, (2, 4));
        check(2, 75, 100, (2, 2));
        check(3, 100, 125, (3, 3));
        check(1, 100, 100, (1, 1));
        check(5, 50, 150, (3, 7));
        check(0, 100, 200, (0, 0));
    }

    #[test]
    fn breaker_threshold_is_half_of_desired_between_3_and_200() {
        let breaker: CircuitBreaker =
            serde_json::from_value(json!({ "enable": true, "rollback": true })).unwrap();
        for (desired, threshold) in [(0, 3), (1, 3), (2, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)]
        {
            assert_eq!(breaker.threshold(desired), threshold, "desired {desired}");
        }
        let with = |kind: &str, value: u32| CircuitBreaker {
            threshold_configuration: Some(Threshold { kind: kind.to_owned(), value }),
            ..breaker.clone()
        };
        assert_eq!(with("COUNT", 2).threshold(100), 2);
        assert_eq!(with("UNBOUNDED_PERCENT", 50).threshold(2), 1);
        assert_eq!(with("UNBOUNDED_PERCENT", 100).threshold(500), 500);
        assert_eq!(with("BOUNDED_PERCENT", 100).threshold(500), 200);
    }

    #[test]
    fn an_update_of_one_percentage_keeps_the_circuit_breaker() {
        let given = json!({ "deploymentCircuitBreaker":
            { "enable": true, "rollback": true, "thresholdConfiguration": { "type": "COUNT", "value": 2 } } });
        let mut kept = DeploymentConfiguration::for_new_service(configuration(given));
        kept.merge(configuration(json!({ "maximumPercent": 150 })));
        assert!(kept.breaker().unwrap().rollback);
        assert_eq!((kept.minimum_percent(), kept.most_percent()), (100, 150));
        kept.merge(configuration(
            json!({ "deploymentCircuitBreaker": { "enable": true, "rollback": false } }),
        ));
        assert_eq!(kept.breaker().unwrap().threshold(100), 2);
        assert!(!kept.breaker().unwrap().rollback);
    }

    #[test]
    fn a_circuit_breaker_needs_both_members() {
        let half = json!({ "deploymentCircuitBreaker": { "enable": true } });
        assert!(serde_json::from_value::<DeploymentConfiguration>(half).is_err());
    }
}
