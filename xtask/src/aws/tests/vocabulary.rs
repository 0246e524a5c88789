//! A new word in AWS's vocabulary must be met here, and not as an unknown verdict in somebody's release.

use std::collections::BTreeSet;

use aws_sdk_ecs::types::{
    DeploymentRolloutState, HealthStatus, ServiceDeploymentRollbackMonitorsStatus, ServiceDeploymentStatus,
    TaskStopCode,
};
use aws_sdk_elasticloadbalancingv2::types::TargetHealthStateEnum;
use deploy::rollout::{
    CALM_BREAKER_STATUSES, HEALTH_STATUSES, ROLLOUT_STATES, SERVICE_DEPLOYMENT_STATUSES, STOP_CODES,
    TARGET_STATES, TRIPPED_BREAKER_STATUS,
};

#[test]
fn every_word_of_the_sdk_is_known_to_the_fold_and_to_the_causes() {
    let breaker = [CALM_BREAKER_STATUSES.as_slice(), &[TRIPPED_BREAKER_STATUS]].concat();
    let vocabularies: [(&str, &[&str], &[&str]); 6] = [
        ("rolloutState", DeploymentRolloutState::values(), &ROLLOUT_STATES),
        ("status of a service deployment", ServiceDeploymentStatus::values(), &SERVICE_DEPLOYMENT_STATUSES),
        ("deploymentCircuitBreaker.status", ServiceDeploymentRollbackMonitorsStatus::values(), &breaker),
        ("stopCode", TaskStopCode::values(), &STOP_CODES),
        ("healthStatus", HealthStatus::values(), &HEALTH_STATUSES),
        ("State of a target", TargetHealthStateEnum::values(), &TARGET_STATES),
    ];
    for (what, sdk, known) in vocabularies {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(set(sdk), set(known), "{what}");
    }
}
