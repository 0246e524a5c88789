//! An ECS service, without its task definition and its desired count: the revision is compared by content,
//! and the count belongs to autoscaling once the service exists.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Members;

/// The settings of an ECS service that the tool keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ServiceSpec {
    pub name: String,
    pub cluster: String,
    /// `FARGATE`. Not a member of UpdateService.
    pub launch_type: String,
    /// `platformVersion`, `LATEST` by default.
    pub platform_version: String,
    /// Ids, sorted: AWS returns them in no fixed order.
    pub subnets: Vec<String>,
    /// Ids, sorted: AWS returns them in no fixed order.
    pub security_groups: Vec<String>,
    /// Whether tasks get a public address.
    pub assign_public_ip: bool,
    pub load_balancers: Vec<LoadBalancerBinding>,
    pub connect: Option<ConnectSpec>,
    pub minimum_healthy_percent: u32,
    pub maximum_percent: u32,
    pub circuit_breaker: bool,
    pub circuit_breaker_rollback: bool,
    pub circuit_breaker_threshold: ThresholdSpec,
    pub circuit_breaker_reset: bool,
    /// `earlySuccessCriteria`; `None` when it is off.
    pub early_success: Option<EarlySuccessSpec>,
    pub health_check_grace_secs: u32,
    pub enable_execute_command: bool,
    /// `propagateTags`: `TASK_DEFINITION`, so that a task carries its release's tags.
    pub propagate_tags: String,
    pub managed_tags: bool,
    /// What no field covers, in AWS's words: further members of the service, `networkConfiguration` and
    /// `deploymentConfiguration`.
    #[serde(flatten)]
    pub extra: Members,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Member {
    TaskDefinition,
    PlatformVersion,
    NetworkConfiguration,
    LoadBalancers,
    ServiceConnectConfiguration,
    DeploymentConfiguration,
    HealthCheckGracePeriodSeconds,
    EnableExecuteCommand,
    /// `propagateTags` and `enableECSManagedTags`.
    Tags,
    #[serde(untagged)]
    Extra(String),
}

impl Member {
    /// `capacityProviderStrategy`. A service of the launch type has none.
    pub const STRATEGY: &str = "capacityProviderStrategy";

    /// Whether a change of this member makes ECS start a new deployment (UpdateService, API reference).
    pub fn starts_deployment(&self) -> bool {
        match self {
            Self::TaskDefinition
            | Self::PlatformVersion
            | Self::NetworkConfiguration
            | Self::LoadBalancers
            | Self::ServiceConnectConfiguration => true,
            Self::DeploymentConfiguration
            | Self::HealthCheckGracePeriodSeconds
            | Self::EnableExecuteCommand
            | Self::Tags => false,
            Self::Extra(name) => ["serviceRegistries", "volumeConfigurations", "vpcLatticeConfigurations"]
                .contains(&name.as_str()),
        }
    }
}

impl ServiceSpec {
    /// The members of UpdateService in which two differ. The name, the cluster and the launch type are none.
    pub fn differing(&self, other: &Self) -> BTreeSet<Member> {
        // Without `..`: a field that is forgotten here does not compile.
        let Self {
            name: _,
            cluster: _,
            launch_type: _,
            platform_version,
            subnets,
            security_groups,
            assign_public_ip,
            load_balancers,
            connect,
            minimum_healthy_percent,
            maximum_percent,
            circuit_breaker,
            circuit_breaker_rollback,
            circuit_breaker_threshold,
            circuit_breaker_reset,
            early_success,
            health_check_grace_secs,
            enable_execute_command,
            propagate_tags,
            managed_tags,
            extra,
        } = self;
        let network = *subnets != other.subnets
            || *security_groups != other.security_groups
            || *assign_public_ip != other.assign_public_ip;
        let deployment = *minimum_healthy_percent != other.minimum_healthy_percent
            || *maximum_percent != other.maximum_percent
            || *circuit_breaker != other.circuit_breaker
            || *circuit_breaker_rollback != other.circuit_breaker_rollback
            || *circuit_breaker_threshold != other.circuit_breaker_threshold
            || *circuit_breaker_reset != other.circuit_breaker_reset
            || *early_success != other.early_success;
        let tags = *propagate_tags != other.propagate_tags || *managed_tags != other.managed_tags;
        let grace = *health_check_grace_secs != other.health_check_grace_secs;
        let typed = [
            (*platform_version != other.platform_version, Member::PlatformVersion),
            (network, Member::NetworkConfiguration),
            (*load_balancers != other.load_balancers, Member::LoadBalancers),
            (*connect != other.connect, Member::ServiceConnectConfiguration),
            // One member of the request for all of its settings: they are sent together.
            (deployment, Member::DeploymentConfiguration),
            (grace, Member::HealthCheckGracePeriodSeconds),
            (*enable_execute_command != other.enable_execute_command, Member::EnableExecuteCommand),
            (tags, Member::Tags),
        ];
        let typed = typed.into_iter().filter_map(|(differs, member)| differs.then_some(member));
        let names = extra.iter().chain(other.extra.iter()).map(|(name, _)| name.as_str());
        let names = names.filter(|name| extra.get(&[name]) != other.extra.get(&[name]));
        typed
            .chain(names.map(|name| match name {
                "networkConfiguration" => Member::NetworkConfiguration,
                "deploymentConfiguration" => Member::DeploymentConfiguration,
                name => Member::Extra(name.to_owned()),
            }))
            .collect()
    }

    /// The settings by AWS's names. A target group is called by its name, an endpoint of Service Connect by its discovery name,
    /// and the one that is `own` by `@`: one that is renamed is then one change, not one endpoint less and one more.
    pub fn members(&self, own: Option<&str>) -> Members {
        let endpoint = |endpoint: &ConnectServiceSpec| {
            let mut members = Members::of(json!({
                "portName": endpoint.name,
                "discoveryName": endpoint.discovery_name,
                "clientAliases": [{ "port": endpoint.alias_port, "dnsName": endpoint.alias_dns }],
            }));
            members.lay(&endpoint.extra);
            let name = Some(endpoint.discovery_name.as_str()).filter(|name| own != Some(name));
            (name.unwrap_or("@").to_owned(), Value::from(&members))
        };
        let connect = self.connect.as_ref().map(|connect| {
            let services: Map<_, _> = connect.services.iter().map(endpoint).collect();
            let mut members = connect.extra.clone();
            members.put(&["namespace"], json!(connect.namespace));
            members.put(&["services"], Value::Object(services));
            Value::from(&members)
        });
        let binding = |binding: &LoadBalancerBinding| {
            let mut members = binding.extra.clone();
            members.put(&["containerName"], json!(binding.container));
            members.put(&["containerPort"], json!(binding.port));
            (binding.target_group.clone(), Value::from(&members))
        };
        let early = self.early_success.as_ref().map(|early| {
            let EarlySuccessSpec { healthy_percent, cleanup } = early;
            json!({ "healthyPercent": healthy_percent, "sourceServiceRevisionCleanup": cleanup })
        });
        let threshold = &self.circuit_breaker_threshold;
        let mut all = self.extra.clone();
        for (name, value) in [
            ("platformVersion", json!(self.platform_version)),
            (
                "networkConfiguration",
                json!({ "awsvpcConfiguration": {
                    "subnets": self.subnets,
                    "securityGroups": self.security_groups,
                    "assignPublicIp": if self.assign_public_ip { "ENABLED" } else { "DISABLED" },
                } }),
            ),
            ("loadBalancers", self.load_balancers.iter().map(binding).collect()),
            ("serviceConnectConfiguration", connect.unwrap_or_default()),
            (
                "deploymentConfiguration",
                json!({
                    "minimumHealthyPercent": self.minimum_healthy_percent,
                    "maximumPercent": self.maximum_percent,
                    "deploymentCircuitBreaker": {
                        "enable": self.circuit_breaker,
                        "rollback": self.circuit_breaker_rollback,
                        "thresholdConfiguration": { "type": threshold.kind, "value": threshold.value },
                        "resetOnHealthyTask": self.circuit_breaker_reset,
                    },
                    "earlySuccessCriteria": early,
                }),
            ),
            ("healthCheckGracePeriodSeconds", json!(self.health_check_grace_secs)),
            ("enableExecuteCommand", json!(self.enable_execute_command)),
            ("propagateTags", json!(self.propagate_tags)),
            ("enableECSManagedTags", json!(self.managed_tags)),
        ] {
            all.put(&[name], value);
        }
        all
    }

    /// Takes over what an earlier state of the service has and no field covers: UpdateService replaces `loadBalancers`,
    /// `serviceConnectConfiguration` and `networkConfiguration` as wholes.
    pub fn with_extra_of(mut self, before: &Self) -> Self {
        self.extra = before.extra.clone();
        for binding in &mut self.load_balancers {
            let same = before.load_balancers.iter().find(|it| it.target_group == binding.target_group);
            binding.extra = same.map(|same| same.extra.clone()).unwrap_or_default();
        }
        if let (Some(connect), Some(before)) = (&mut self.connect, &before.connect) {
            connect.extra = before.extra.clone();
            for service in &mut connect.services {
                let of_port: Vec<_> = before.services.iter().filter(|it| it.name == service.name).collect();
                let same = of_port.iter().find(|it| it.discovery_name == service.discovery_name);
                // One that is renamed is the same where no other leads to its port.
                let same = same.or(of_port.first().filter(|_| of_port.len() == 1));
                service.extra = same.map(|same| same.extra.clone()).unwrap_or_default();
            }
        }
        self
    }
}

/// `deploymentCircuitBreaker.thresholdConfiguration` of a service's `deploymentConfiguration`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct ThresholdSpec {
    /// `COUNT`, `BOUNDED_PERCENT` or `UNBOUNDED_PERCENT`.
    #[serde(alias = "type")]
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

/// `deploymentConfiguration.earlySuccessCriteria`, of a service that has it switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EarlySuccessSpec {
    pub healthy_percent: u32,
    /// `sourceServiceRevisionCleanup`: `BLOCKING` or `DEFERRED`.
    pub cleanup: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LoadBalancerBinding {
    pub target_group: String,
    pub container: String,
    pub port: u16,
    /// What no field covers, such as `advancedConfiguration`.
    #[serde(flatten)]
    pub extra: Members,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConnectSpec {
    pub namespace: String,
    /// The endpoints that the service offers, by discovery name; empty for a client only.
    pub services: Vec<ConnectServiceSpec>,
    /// What no field covers, such as `logConfiguration`.
    #[serde(flatten)]
    pub extra: Members,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConnectServiceSpec {
    /// The name of the port that it leads to.
    pub name: String,
    pub discovery_name: String,
    /// `clientAliases[0].port`: AWS takes one alias for an entry ("clientAliases must have 1 element").
    pub alias_port: u16,
    pub alias_dns: String,
    /// What no field covers, such as `tls`, `timeout` and `ingressPortOverride`.
    #[serde(flatten)]
    pub extra: Members,
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
