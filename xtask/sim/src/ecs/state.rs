//! All of ECS's state in the account.

use std::collections::BTreeMap;

use super::account_settings::AccountSettings;
use super::changed::{Services, Tasks};
use super::cluster::Cluster;
use super::errors::{cluster_inactive, cluster_not_found, service_not_found};
use super::params::{cluster_name, short_name};
use super::task::{Ran, Session, Task};
use super::task_definition::Families;
use crate::account::Account;
use crate::clock::Timers;
use crate::wire::ApiError;
use crate::workload::TaskId;

/// Clusters, task definitions, services and tasks.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) account_settings: AccountSettings,
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

/// A service's place: its name is unique in its cluster only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServiceKey {
    pub(super) cluster: String,
    pub(super) service: String,
}

impl ServiceKey {
    pub(super) fn new(cluster: &str, service: &str) -> Self {
        Self { cluster: cluster.to_owned(), service: service.to_owned() }
    }
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
}

/// The ACTIVE cluster that a request names.
pub(super) fn active_cluster(account: &Account, reference: Option<&str>) -> Result<String, ApiError> {
    let name = cluster_name(reference);
    match account.ecs.clusters.get(&name) {
        None => Err(cluster_not_found()),
        Some(cluster) if !cluster.active => Err(cluster_inactive()),
        Some(_) => Ok(name),
    }
}

/// The service that a request names, in whatever status; a service's ARN names its cluster as well.
pub(super) fn service_key(
    account: &Account,
    cluster: Option<&str>,
    service: &str,
) -> Result<ServiceKey, ApiError> {
    let cluster = active_cluster(account, cluster)?;
    let key = ServiceKey { cluster, service: short_name(service).to_owned() };
    if account.ecs.services.contains_key(&key) { Ok(key) } else { Err(service_not_found()) }
}
