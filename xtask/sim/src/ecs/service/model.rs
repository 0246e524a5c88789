//! A service: its knobs, what its deployments roll out, and its history.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::configuration::DeploymentConfiguration;
use crate::clock::Millis;
use crate::ecs::capacity::Share;
use crate::ecs::connect::configuration::ConnectConfiguration;
use crate::ecs::deployment::model::Deployment;
use crate::ecs::deployment::revision::Revision;
use crate::ecs::deployment::service_deployment::ServiceDeployment;
use crate::ecs::event::Events;
use crate::ecs::key::ServiceKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::ecs) enum ServiceStatus {
    Active,
    /// Deleted, with tasks that still run.
    Draining,
    /// Deleted, remembered for a while.
    Inactive,
}

/// What a service revision snapshots: a difference here is what starts a new deployment.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::ecs) struct Spec {
    pub(in crate::ecs) task_definition: String,
    pub(in crate::ecs) platform_version: String,
    pub(in crate::ecs) network: AwsVpc,
    pub(in crate::ecs) load_balancers: Vec<LoadBalancer>,
    pub(in crate::ecs) service_registries: Vec<Value>,
    pub(in crate::ecs) connect: Option<ConnectConfiguration>,
    pub(in crate::ecs) volumes: Vec<Value>,
    pub(in crate::ecs) vpc_lattice: Vec<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct AwsVpc {
    pub(in crate::ecs) subnets: Vec<String>,
    pub(in crate::ecs) security_groups: Vec<String>,
    pub(in crate::ecs) assign_public_ip: Option<String>,
    /// Members that nothing here reads.
    #[serde(flatten)]
    pub(in crate::ecs) rest: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct LoadBalancer {
    pub(in crate::ecs) target_group_arn: Option<String>,
    pub(in crate::ecs) load_balancer_name: Option<String>,
    pub(in crate::ecs) container_name: Option<String>,
    pub(in crate::ecs) container_port: Option<u16>,
    /// Members that nothing here reads.
    #[serde(flatten)]
    pub(in crate::ecs) rest: Map<String, Value>,
}

/// What can be changed without a deployment.
#[derive(Clone, Debug)]
pub(in crate::ecs) struct Knobs {
    pub(in crate::ecs) launch_type: Option<String>,
    pub(in crate::ecs) capacity_provider_strategy: Vec<Share>,
    pub(in crate::ecs) deployment: DeploymentConfiguration,
    /// Seconds from RUNNING on in which the scheduler ignores unhealthy targets and containers.
    pub(in crate::ecs) health_check_grace_period: Option<u32>,
    pub(in crate::ecs) az_rebalancing: bool,
    pub(in crate::ecs) execute_command: bool,
    pub(in crate::ecs) managed_tags: bool,
    pub(in crate::ecs) propagate_tags: String,
}

#[derive(Debug)]
pub(in crate::ecs) struct Service {
    pub(in crate::ecs) key: ServiceKey,
    pub(in crate::ecs) arn: String,
    pub(in crate::ecs) status: ServiceStatus,
    pub(in crate::ecs) desired: u32,
    pub(in crate::ecs) created_at: Millis,
    pub(in crate::ecs) created_by: String,
    pub(in crate::ecs) knobs: Knobs,
    pub(in crate::ecs) primary: Deployment,
    /// Older deployments that still have tasks, newest first: ACTIVE.
    pub(in crate::ecs) older: Vec<Deployment>,
    /// Newest first.
    pub(in crate::ecs) service_deployments: Vec<ServiceDeployment>,
    pub(in crate::ecs) revisions: Vec<Revision>,
    pub(in crate::ecs) events: Events,
    pub(in crate::ecs) current_service_deployment: Option<String>,
    /// The request that made it: CreateService with the same parameters is a retry, with others a name clash.
    pub(super) creation: Value,
    /// When `has reached a steady state` is due, and whether it was said since the last change.
    pub(in crate::ecs) steady: Steady,
    /// The Wake that is already in the queue.
    pub(in crate::ecs) wake_at: Option<Millis>,
}

/// Whether a service has what it wants, and whether it has said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ecs) enum Steady {
    /// Tasks are being started or stopped.
    Moving,
    /// It has had what it wants since then.
    Since(Millis),
    Announced,
}

impl Service {
    pub(in crate::ecs) fn is_active(&self) -> bool {
        self.status == ServiceStatus::Active
    }

    pub(in crate::ecs) fn is_alive(&self) -> bool {
        self.status != ServiceStatus::Inactive
    }

    /// All deployments that have not vanished, PRIMARY first.
    pub(in crate::ecs) fn deployments(&self) -> impl Iterator<Item = &Deployment> {
        std::iter::once(&self.primary).chain(&self.older)
    }

    pub(in crate::ecs) fn deployment_mut(&mut self, id: &str) -> Option<&mut Deployment> {
        std::iter::once(&mut self.primary).chain(&mut self.older).find(|deployment| deployment.id == id)
    }

    pub(in crate::ecs) fn deployment(&self, id: &str) -> Option<&Deployment> {
        self.deployments().find(|deployment| deployment.id == id)
    }

    pub(in crate::ecs) fn service_deployment_mut(&mut self, arn: &str) -> Option<&mut ServiceDeployment> {
        self.service_deployments.iter_mut().find(|deployment| deployment.arn == arn)
    }

    pub(in crate::ecs) fn revision(&self, arn: &str) -> Option<&Revision> {
        self.revisions.iter().find(|revision| revision.arn == arn)
    }
}
