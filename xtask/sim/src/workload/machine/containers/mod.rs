//! Tasks as containers of an engine, Docker's or Podman's.
//!
//! A task is what it is on Fargate: containers that share one network namespace with an address of its own, with the
//! definition's environment, user, read-only root and limit on memory. The first container that starts and that no other
//! waits to end holds the namespace; unlike on AWS, the task's ports go when it ends. As on AWS a sidecar comes before
//! them, to which Service Connect's names lead. Every container port is published on a loopback port, where the load
//! balancer and other tasks reach it.
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
mod router;
mod sidecar;

use std::io::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio::sync::mpsc::UnboundedReceiver;

pub use forward::sidecar;
pub use note::Note;
pub(super) use removal::reap;
pub(crate) use sidecar::Connect;
pub use sidecar::Sidecar;

use self::cloud::Cloud;
use self::container::Network;
use super::Place;
use super::ports::Ports;
use super::task::{Attending, Order, Starter, Stopped, Task};
use crate::workload::Report;

pub(super) struct Containers {
    state_dir: PathBuf,
    scratch: PathBuf,
    region: String,
    ports: Ports,
    connect: Arc<dyn Connect>,
    sidecar: Option<Sidecar>,
    /// The engine, with this cloud's network on it: found when the first task needs it.
    cloud: OnceCell<Arc<Cloud>>,
}

impl Containers {
    /// Nothing happens before the first task.
    pub(super) fn new(place: Place) -> Self {
        let Place { state_dir, scratch, region, ports, connect, sidecar, .. } = place;
        Self { state_dir, scratch, region, ports, connect, sidecar, cloud: OnceCell::new() }
    }

    /// Runs a task until it is let go.
    pub(super) async fn run(&self, task: &Arc<Task>, orders: UnboundedReceiver<Order>) {
        let open = async || {
            let program = self.sidecar.clone().ok_or("this cloud has no sidecar")?;
            Ok::<_, String>(Arc::new(Cloud::open(&self.state_dir, program).await?))
        };
        let cloud = match self.cloud.get_or_try_init(open).await {
            Ok(cloud) => cloud,
            Err(why) => return task.never_started(format!("CannotStartContainerError: {why}")),
        };
        match self.prepare(cloud, task).await {
            Err(reason) => task.never_started(reason),
            Ok(launcher) => task.obey(orders, launcher).await,
        }
        cloud.remove_task(&task.start.task).await;
    }

    /// Brings the images to the engine and starts the sidecar; the error is the task's `stoppedReason`.
    async fn prepare<'a>(
        &'a self,
        cloud: &'a Arc<Cloud>,
        task: &Arc<Task>,
    ) -> std::result::Result<Launcher<'a>, String> {
        for (definition, image) in task.containers() {
            let there = match image {
                Some(image) => cloud.load(image, definition.repository.as_deref().unwrap_or_default()).await,
                None => cloud.pull(&definition.image).await,
            };
            there.map_err(|why| super::cannot_pull_because(&definition.image, &why))?;
        }
        let fails = |why: String| format!("CannotStartContainerError: {why}");
        let (scratch, connect) = (self.scratch.join("connect"), Arc::clone(&self.connect));
        let beside = sidecar::start(cloud, &scratch, &connect, &task.start);
        let beside = beside.await.map_err(fails)?;
        cloud.make_volumes(&task.start).await.map_err(fails)?;
        let routes = router::open(cloud.engine, &self.scratch.join("router"), &task.start);
        let routes = routes.map_err(|error| fails(format!("no folder for the log router: {error}")))?;
        let mut published = Vec::new();
        for container_port in task.start.containers.iter().flat_map(|container| &container.ports) {
            let port = self.ports.reserve(&task.start.task, *container_port, false);
            published.push((port.map_err(|error| fails(error.to_string()))?, *container_port));
        }
        Ok(Launcher { cloud, region: &self.region, beside, routes, published, holder: None })
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

/// Starts a task's containers on an engine.
struct Launcher<'a> {
    cloud: &'a Arc<Cloud>,
    region: &'a str,
    beside: sidecar::Beside,
    routes: Option<router::Routes>,
    published: Vec<(u16, u16)>,
    /// The name of the container whose network namespace the others share.
    holder: Option<String>,
}

impl Starter for Launcher<'_> {
    async fn start(
        &mut self,
        task: &Arc<Task>,
        index: usize,
        stopped: Stopped,
    ) -> std::result::Result<Attending, String> {
        let definition = &task.start.containers[index];
        let hosts = self.beside.hosts.clone();
        let network = match &self.holder {
            Some(holder) => Network::Of(holder.clone()),
            // It ends before the others start: they would lose a namespace of its own.
            None if definition.comes_first => Network::Own { hosts, published: Vec::new() },
            None => Network::Own { hosts, published: self.published.clone() },
        };
        let routes = self.routes.as_ref();
        let started = container::start(self.cloud, self.region, task, index, &network, routes).await;
        started.map_err(|why| super::cannot_start(&definition.name, &why))?;
        if let (None, Some((group, stream))) = (routes, definition.logs.clone())
            && let Some(line) = task.start.unrouted(definition)
        {
            (task.reports)(Report::Log { group, stream, line });
        }
        if self.holder.is_none() && !definition.comes_first {
            self.holder = Some(definition.name.clone());
        }
        Ok(Box::pin(container::attend(Arc::clone(task), index, self.cloud.engine, stopped)))
    }
}
