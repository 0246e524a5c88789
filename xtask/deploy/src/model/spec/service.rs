//! An ECS service, without its task definition and its desired count: the revision is compared by content,
//! and the count belongs to autoscaling once the service exists.

use serde::{Deserialize, Serialize};

/// The settings of an ECS service that the tool keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// The service's name.
    pub name: String,
    /// The cluster's name.
    pub cluster: String,
    /// `FARGATE`. Not a member of UpdateService.
    pub launch_type: String,
    /// `platformVersion`, `LATEST` by default.
    pub platform_version: String,
    /// Subnet ids, sorted.
    pub subnets: Vec<String>,
    /// Security group ids, sorted.
    pub security_groups: Vec<String>,
    /// Whether tasks get a public address.
    pub assign_public_ip: bool,
    /// Target groups, by name.
    pub load_balancers: Vec<LoadBalancerBinding>,
    /// Service Connect.
    pub connect: Option<ConnectSpec>,
    /// `minimumHealthyPercent`.
    pub minimum_healthy_percent: u32,
    /// `maximumPercent`.
    pub maximum_percent: u32,
    /// `deploymentCircuitBreaker.enable`.
    pub circuit_breaker: bool,
    /// `deploymentCircuitBreaker.rollback`.
    pub circuit_breaker_rollback: bool,
    /// `deploymentCircuitBreaker.thresholdConfiguration`.
    pub circuit_breaker_threshold: ThresholdSpec,
    /// `deploymentCircuitBreaker.resetOnHealthyTask`.
    pub circuit_breaker_reset: bool,
    /// `earlySuccessCriteria`; `None` when it is off.
    pub early_success: Option<EarlySuccessSpec>,
    /// `healthCheckGracePeriodSeconds`.
    pub health_check_grace_secs: u32,
    /// `enableExecuteCommand`.
    pub enable_execute_command: bool,
    /// `propagateTags`: `TASK_DEFINITION`, so that a task tells its release.
    pub propagate_tags: String,
    /// `enableECSManagedTags`.
    pub managed_tags: bool,
}

/// `thresholdConfiguration`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdSpec {
    /// `COUNT`, `BOUNDED_PERCENT` or `UNBOUNDED_PERCENT`.
    pub kind: String,
    /// Failed tasks, or percent of the desired count.
    pub value: u32,
}

impl Default for ThresholdSpec {
    /// AWS's default: half of the desired count, within 3 to 200.
    fn default() -> Self {
        Self { kind: "BOUNDED_PERCENT".to_owned(), value: 50 }
    }
}

/// `earlySuccessCriteria`, switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlySuccessSpec {
    /// `healthyPercent`.
    pub healthy_percent: u32,
    /// `sourceServiceRevisionCleanup`: `BLOCKING` or `DEFERRED`.
    pub cleanup: String,
}

/// One entry of `loadBalancers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadBalancerBinding {
    /// The target group's name.
    pub target_group: String,
    /// The container.
    pub container: String,
    /// Its port.
    pub port: u16,
}

/// `serviceConnectConfiguration`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectSpec {
    /// The namespace's name.
    pub namespace: String,
    /// The endpoints that the service offers; empty for a client only.
    pub services: Vec<ConnectServiceSpec>,
}

/// One entry of `serviceConnectConfiguration.services`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectServiceSpec {
    /// `portName`.
    pub name: String,
    /// `discoveryName`.
    pub discovery_name: String,
    /// `clientAliases[0].port`.
    pub alias_port: u16,
    /// `clientAliases[0].dnsName`.
    pub alias_dns: String,
}
