//! A new word in ECS's vocabulary must be met here, and not as an unknown verdict in somebody's release.

use std::collections::BTreeSet;

use aws_sdk_ecs::types::{DeploymentRolloutState, ServiceDeploymentStatus};
use deploy::rollout::{ROLLOUT_STATES, SERVICE_DEPLOYMENT_STATUSES};

fn set(words: &[&'static str]) -> BTreeSet<&'static str> {
    words.iter().copied().collect()
}

#[test]
fn every_rollout_state_of_the_sdk_is_known_to_the_fold() {
    assert_eq!(set(DeploymentRolloutState::values()), set(&ROLLOUT_STATES));
}

#[test]
fn every_service_deployment_status_of_the_sdk_is_known_to_the_fold() {
    assert_eq!(set(ServiceDeploymentStatus::values()), set(&SERVICE_DEPLOYMENT_STATUSES));
}
