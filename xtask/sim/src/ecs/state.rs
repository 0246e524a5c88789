//! All of ECS's state in the account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::capacity::Share;
use super::changed::{Services, Tasks};
use super::errors::{cluster_inactive, cluster_not_found, service_not_found};
use super::key::ServiceKey;
use super::params::{cluster_name, short_name};
use super::task::model::{Ran, Task};
use super::task::session::Session;
use super::task_definition::families::Families;
use crate::clock::Timers;
use crate::wire::ApiError;
use crate::workload::TaskId;

/// Clusters, task definitions, services and tasks.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What was chosen, by principal and name; the account's default has the account's root as its principal.
    pub(super) account_settings: BTreeMap<(String, String), String>,
    pub(super) clusters: BTreeMap<String, Cluster>,
    pub(super) families: Families,
    pub(super) services: Services,
    pub(super) tasks: Tasks,
    /// What ExecuteCommand opened, by session id.
    pub(super) sessions: BTreeMap<String, Session>,
    /// What RunTask answered, by `clientToken`: the same token again gets the same tasks.
    pub(super) ran: BTreeMap<String, Ran>,
    /// Tasks launched so far: task ids are random, this is their order.
    pub(super) launched: u64,
    pub(crate) timers: Timers<Due>,
}

/// A cluster. It is never removed: a deleted one stays describable as INACTIVE.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) active: bool,
    /// `serviceConnectDefaults.namespace` as it was given: a name or an ARN.
    pub(super) namespace: Option<String>,
    pub(super) settings: Vec<Setting>,
    /// As it was given: nothing here reads it.
    pub(super) configuration: Option<Value>,
    pub(super) capacity_providers: Vec<String>,
    pub(super) default_strategy: Vec<Share>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug)]
pub(crate) enum Due {
    /// A task's network interface is there: PENDING.
    Provisioned(TaskId),
    /// A task cannot be started, for this `stoppedReason`.
    FailedToStart { task: TaskId, reason: String },
    /// A task's targets are registered: RUNNING.
    Activated(TaskId),
    /// A task's network interface is gone: STOPPED.
    Deprovisioned(TaskId),
    /// A stopped task is forgotten.
    ForgetTask(TaskId),
    /// A container has had its `startTimeout`.
    StartTimeout { task: TaskId, container: String },
    /// A container's own health check is to be asked.
    CheckContainer { task: TaskId, container: String },
    /// ECS Exec's agent has had its time to start in a container.
    AgentStarted { task: TaskId, container: String },
    /// Something in the service depends on the time: look at it again.
    Wake(ServiceKey),
    /// An INACTIVE service is forgotten.
    ForgetService(ServiceKey),
}

impl State {
    /// The tasks that have a place in the world: started or starting, and not yet STOPPED.
    pub(super) fn live(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values().filter(|task| task.stopped_at.is_none())
    }

    /// The ACTIVE cluster that a request names.
    pub(super) fn active_cluster(&self, reference: Option<&str>) -> Result<String, ApiError> {
        let name = cluster_name(reference);
        match self.clusters.get(&name) {
            None => Err(cluster_not_found()),
            Some(cluster) if !cluster.active => Err(cluster_inactive()),
            Some(_) => Ok(name),
        }
    }

    pub(super) fn default_namespace(&self, cluster: &str) -> Option<String> {
        self.clusters.get(cluster).and_then(|cluster| cluster.namespace.clone())
    }

    /// The service that a request names, in whatever status; a service's ARN names its cluster as well.
    pub(super) fn service_key(&self, cluster: Option<&str>, service: &str) -> Result<ServiceKey, ApiError> {
        let key =
            ServiceKey { cluster: self.active_cluster(cluster)?, service: short_name(service).to_owned() };
        if self.services.contains_key(&key) { Ok(key) } else { Err(service_not_found()) }
    }

    /// Has the scheduler look at a service.
    pub(super) fn look_at(&mut self, key: &ServiceKey) {
        self.services.look_at(key);
    }

    /// What a look itself wrote is no reason for another one.
    pub(super) fn looked_at(&mut self, key: &ServiceKey) {
        self.services.looked_at(key);
        self.tasks.looked_at(key);
    }
}
