//! Tasks as containers of an engine, Docker's or Podman's.
//!
//! A task is what it is on Fargate: containers that share one network namespace with an address of its own, with the
//! definition's environment, user, read-only root and limit on memory. The first container holds the namespace. As on
//! AWS a sidecar comes before them, to which Service Connect's names lead. Every container port is published on a
//! loopback port, where the load balancer and other tasks reach it.
//!
//! All of it carries labels, as ECS's agent gives them and one of this cloud's own, by which it is found and removed:
//! at the end of a task, at the end of the cloud, and by the next cloud after one that was killed.

mod archive;
mod cloud;
mod container;
mod engine;
mod forward;
mod loader;
mod names;
mod note;
mod removal;
mod sidecar;

use std::io::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio::task::JoinSet;

pub use forward::forward;
pub use note::Note;
pub(super) use removal::reap;
pub(crate) use sidecar::Connect;
pub use sidecar::Sidecar;

use self::cloud::Cloud;
use self::container::Network;
use super::Place;
use super::ports::Ports;
use super::task::Task;

/// Runs tasks as containers.
pub(super) struct Containers {
    state_dir: PathBuf,
    scratch: PathBuf,
    region: String,
    ports: Ports,
    connect: Arc<dyn Connect>,
    sidecar: Option<Sidecar>,
    /// The engine, with this cloud's network on it: found when the first task needs it.
    cloud: OnceCell<Cloud>,
}

impl Containers {
    /// Nothing happens before the first task.
    pub(super) fn new(place: Place) -> Self {
        let Place { state_dir, scratch, region, ports, connect, sidecar, .. } = place;
        Self { state_dir, scratch, region, ports, connect, sidecar, cloud: OnceCell::new() }
    }

    /// Runs a task to its end. A task that is stopped while it starts is removed without a report.
    pub(super) async fn run(&self, task: Task) {
        let task = Arc::new(task);
        let cloud = match self.cloud.get_or_try_init(|| Cloud::open(&self.state_dir)).await {
            Ok(cloud) => cloud,
            Err(why) => return task.never_started(format!("CannotStartContainerError: {why}")),
        };
        match self.start(cloud, &task).await {
            Err(reason) => task.never_started(reason),
            Ok(_beside) if task.is_to_stop() => {}
            Ok(_beside) => {
                task.runs();
                let mut ends = JoinSet::new();
                for index in 0..task.start.containers.len() {
                    ends.spawn(container::attend(Arc::clone(&task), index, cloud.engine));
                }
                ends.join_all().await;
            }
        }
        cloud.remove_task(&task.start.task).await;
    }

    /// Starts the sidecar and every container; the error is the task's `stoppedReason`.
    async fn start(&self, cloud: &Cloud, task: &Arc<Task>) -> std::result::Result<sidecar::Beside, String> {
        for (definition, image) in task.containers() {
            let loaded = cloud.load(image, definition.repository.as_deref().unwrap_or_default()).await;
            loaded.map_err(|why| super::cannot_pull_because(&definition.image, &why))?;
        }
        let fails = |why: String| format!("CannotStartContainerError: {why}");
        let program = self.sidecar.as_ref().ok_or_else(|| fails("this cloud has no sidecar".to_owned()))?;
        let (scratch, connect) = (self.scratch.join("connect"), Arc::clone(&self.connect));
        let beside = sidecar::start(cloud, program, &scratch, &connect, &task.start);
        let beside = beside.await.map_err(fails)?;
        let mut published = Vec::new();
        for container_port in task.start.containers.iter().flat_map(|container| &container.ports) {
            let port = self.ports.reserve(&task.start.task, *container_port);
            published.push((port.map_err(|error| fails(error.to_string()))?, *container_port));
        }
        let mut network = Network::Own { hosts: beside.hosts.clone(), published };
        for (definition, image) in task.containers() {
            let started = container::start(cloud, &self.region, task, definition, image, &network).await;
            started.map_err(|why| super::cannot_start(&definition.name, &why))?;
            network = Network::OfFirst;
        }
        Ok(beside)
    }

    /// Removes all that this cloud has on the engine; to be called when no task is left.
    ///
    /// # Errors
    /// What the engine did not remove.
    pub(super) async fn close(&self) -> Result<()> {
        match self.cloud.get() {
            Some(cloud) => cloud.close(&self.state_dir).await.map_err(Error::other),
            None => Ok(()),
        }
    }
}
