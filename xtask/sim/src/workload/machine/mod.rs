//! The workload of the daemon: tasks run on this machine, on wall-clock time.
//!
//! A task's images come out of the account's own registry and are verified; only an engine has others. Then the task runs as [`processes`], or as
//! [`containers`] of an engine: as it is asked for, or as its images need it. Either way every container port has a
//! loopback port of its own, what a container prints goes to its log stream, and what the account asks of the task is
//! done from here.

mod check;
mod containers;
mod image;
mod kind;
mod marked;
mod meter;
mod output;
mod ports;
mod processes;
mod task;
mod terminal;
mod unpack;
mod watchdog;
mod within;

use std::collections::BTreeMap;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::select;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) use containers::Connect;
pub use containers::{Note, Sidecar, sidecar};
pub(crate) use image::Registry;
pub use kind::Kind;
pub(crate) use ports::Ports;
pub(crate) use task::ReportSink;

use self::containers::Containers;
use self::image::{Image, Images};
use self::meter::Meter;
use self::processes::Processes;
use self::task::{Entrances, Order, Task};
use super::reason::{cannot_pull, cannot_pull_because, cannot_start};
use super::terminal::Terminal;
use super::{Answer, Effect, Exec, Report, TaskId, TaskStart};

/// Where tasks run, and what they get.
pub(crate) struct Place {
    /// Keeps the notes about what runs.
    pub(crate) state_dir: PathBuf,
    /// Images are unpacked here, and sidecars find their sockets; every user of this machine can get at it.
    pub(crate) scratch: PathBuf,
    /// `AWS_REGION` of the tasks.
    pub(crate) region: String,
    /// The Service Connect proxy's loopback port.
    pub(crate) proxy_port: u16,
    /// Which loopback ports the tasks get.
    pub(crate) ports: Ports,
    /// Who answers what containers ask at Service Connect names.
    pub(crate) connect: Arc<dyn Connect>,
    /// The sidecar of a task's containers; without it a container reaches no Service Connect name.
    pub(crate) sidecar: Option<Sidecar>,
}

/// Runs tasks; a cheap handle.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Inner>);

struct Inner {
    reports: ReportSink,
    kind: Mutex<Kind>,
    images: Images,
    ports: Ports,
    processes: Processes,
    containers: Containers,
    tasks: Mutex<BTreeMap<TaskId, Running>>,
    /// Notified whenever a task was removed from `tasks`.
    gone: Notify,
}

/// A task that was asked for and has not been let go.
struct Running {
    orders: UnboundedSender<Order>,
    entrances: Entrances,
    meter: Meter,
}

impl Machine {
    /// A workload that pulls from `registry` and reports to `reports`.
    ///
    /// # Errors
    /// The state folder cannot be written, or the machine has no shell.
    pub(crate) fn new(registry: Arc<dyn Registry>, reports: ReportSink, place: Place) -> Result<Self> {
        let processes = Processes::new(&place)?;
        let images = Images::new(registry, place.scratch.join("images"));
        let ports = place.ports.clone();
        Ok(Self(Arc::new(Inner {
            reports,
            kind: Mutex::default(),
            images,
            ports,
            processes,
            containers: Containers::new(place),
            tasks: Mutex::default(),
            gone: Notify::new(),
        })))
    }

    /// What tasks run as that start from now on.
    pub(crate) fn set_kind(&self, kind: Kind) {
        *self.0.kind.lock().unwrap_or_else(PoisonError::into_inner) = kind;
    }

    /// What tasks run as that start now.
    pub(crate) fn kind(&self) -> Kind {
        *self.0.kind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<TaskId, Running>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out an effect in its own time.
    pub(crate) fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Start(start) => {
                let (orders, asked) = unbounded_channel();
                let entrances = Entrances::default();
                let meter = Meter::default();
                let running = Running { orders, entrances: entrances.clone(), meter: meter.clone() };
                self.tasks().insert(start.task.clone(), running);
                let this = self.clone();
                tokio::spawn(async move { this.run(*start, asked, entrances, meter).await });
            }
            Effect::StartContainer { task, container } => self.ask(&task, Order::Start(container)),
            Effect::StopContainer { task, container, timeout_secs } => {
                self.ask(&task, Order::Stop(container, Duration::from_secs(timeout_secs)));
            }
            Effect::Remove { task } => self.ask(&task, Order::End(Duration::ZERO)),
            Effect::Measure { task } => self.measure(task),
            Effect::CheckContainer { task, container, command, timeout_secs } => {
                let entrance = self.tasks().get(&task).and_then(|running| running.entrances.of(&container));
                let reports = Arc::clone(&self.0.reports);
                tokio::spawn(async move {
                    let within = Duration::from_secs(timeout_secs);
                    let healthy = match (entrance, check::words(&command)) {
                        (Some(inside), Some(words)) => inside.check(words, within).await,
                        _ => false,
                    };
                    reports(Report::ContainerHealth { task, container, healthy });
                });
            }
            Effect::CheckTarget { target_group, task, port, path, version, timeout_secs } => {
                let port = self.0.ports.host_port(&task, port);
                let reports = Arc::clone(&self.0.reports);
                tokio::spawn(async move {
                    let answer = match port {
                        Some(port) => {
                            check::target(port, &path, version, Duration::from_secs(timeout_secs)).await
                        }
                        // The task has no such port on this machine: nobody listens there, as on Fargate.
                        None => Answer::Refused,
                    };
                    reports(Report::TargetHealth { target_group, task, answer });
                });
            }
        }
    }

    /// Starts a command in a container; the error says why not.
    pub(crate) fn exec(&self, exec: &Exec) -> std::result::Result<Terminal, String> {
        let entrance = self.tasks().get(&exec.task).and_then(|running| running.entrances.of(&exec.container));
        entrance.ok_or_else(|| format!("container {} does not run", exec.container))?.open(exec)
    }

    /// Reports what a task uses, where this machine shows it.
    fn measure(&self, task: TaskId) {
        let usage = self.tasks().get(&task).and_then(|running| running.meter.read());
        if let Some((cpu, memory_mib)) = usage {
            (self.0.reports)(Report::Usage { task, cpu, memory_mib });
        }
    }

    /// A task that has ended needs no order.
    fn ask(&self, task: &TaskId, order: Order) {
        if let Some(running) = self.tasks().get(task) {
            let _ = running.orders.send(order);
        }
    }

    /// Stops every task, with SIGKILL after `grace`, and resolves when nothing of them is left.
    ///
    /// # Errors
    /// What an engine did not remove.
    pub(crate) async fn shut_down(&self, grace: Duration) -> Result<()> {
        for running in self.tasks().values() {
            let _ = running.orders.send(Order::End(grace));
        }
        self.gone().await;
        self.0.processes.close().await;
        self.0.containers.close().await
    }

    /// Resolves when no task is left.
    async fn gone(&self) {
        loop {
            let gone = self.0.gone.notified();
            if self.tasks().is_empty() {
                return;
            }
            gone.await;
        }
    }

    async fn run(
        &self,
        start: TaskStart,
        mut orders: UnboundedReceiver<Order>,
        entrances: Entrances,
        meter: Meter,
    ) {
        let id = start.task.clone();
        let pulled = select! {
            biased;
            // Before the images are there, a task is asked for nothing but its end.
            _ = orders.recv() => None,
            pulled = self.pull(&start) => Some(pulled),
        };
        match pulled {
            None => {}
            Some(Err(reason)) => (self.0.reports)(Report::FailedToStart { task: id.clone(), reason }),
            Some(Ok((images, kind))) => {
                let task =
                    Arc::new(Task { start, images, entrances, meter, reports: Arc::clone(&self.0.reports) });
                match kind {
                    Kind::Containers => self.0.containers.run(&task, orders).await,
                    Kind::Auto | Kind::Processes => self.0.processes.run(&task, orders).await,
                }
            }
        }
        self.0.ports.release(&id);
        self.tasks().remove(&id);
        self.0.gone.notify_waiters();
    }

    /// The images of a task, and what it runs as; the error is its `stoppedReason`.
    async fn pull(&self, start: &TaskStart) -> std::result::Result<(Vec<Option<Arc<Image>>>, Kind), String> {
        let mut images = Vec::new();
        for container in &start.containers {
            let image = match (&container.repository, &container.digest) {
                (Some(repository), Some(digest)) => {
                    let pulled = self.0.images.get(repository, digest).await;
                    Some(pulled.map_err(|why| cannot_pull_because(&container.image, &why))?)
                }
                (Some(_), None) => return Err(cannot_pull(&container.image)),
                (None, _) => None,
            };
            images.push(image);
        }
        let kind = kind::of(self.kind(), start, &images).await?;
        Ok((images, kind))
    }
}

/// Ends and removes what an earlier daemon with this `state_dir` left running; gives how many tasks' parts that were.
/// To be called only while no daemon holds the folder.
///
/// # Errors
/// The notes cannot be read or removed, or the engine of the noted containers does not answer.
pub(crate) fn reap(state_dir: &Path) -> Result<usize> {
    Ok(processes::reap(state_dir)? + containers::reap(state_dir)?)
}
