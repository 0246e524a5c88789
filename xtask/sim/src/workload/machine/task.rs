//! A task as those that run it get it, and what they give back while it runs.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::image::Image;
use super::meter::Meter;
use crate::workload::terminal::Terminal;
use crate::workload::{ContainerStart, Exec, Report, TaskStart};

/// Where a task's reports go: the account, by way of the daemon's queue.
pub(crate) type ReportSink = Arc<dyn Fn(Report) + Send + Sync>;

/// A running container, for commands next to its own.
pub(super) trait Inside: Send + Sync {
    /// Whether a command exits with 0 in time.
    fn check(&self, words: Vec<String>, within: Duration) -> Pin<Box<dyn Future<Output = bool> + Send>>;

    /// Starts a command on a terminal; the error says why not.
    fn open(&self, exec: &Exec) -> Result<Terminal, String>;
}

/// The ways into a task's containers, by name; none as long as they do not run.
#[derive(Clone, Default)]
pub(super) struct Entrances(Arc<Mutex<BTreeMap<String, Arc<dyn Inside>>>>);

impl Entrances {
    /// Lets health checks and sessions into a container.
    pub(super) fn open(&self, container: &str, inside: impl Inside + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(container.to_owned(), Arc::new(inside));
    }

    /// The way into a container.
    pub(super) fn of(&self, container: &str) -> Option<Arc<dyn Inside>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(container).cloned()
    }
}

/// What a task is asked to do, in the order in which it was asked.
#[derive(Debug)]
pub(super) enum Order {
    Start(String),
    /// Stop this container; kill it after this time.
    Stop(String, Duration),
    /// Stop what runs, kill it after this time, and let the task go.
    End(Duration),
}

/// Carries `stopTimeout` once a container is to stop.
pub(super) type Stopped = watch::Receiver<Option<Duration>>;

/// A container that runs: resolves once its end was reported.
pub(super) type Attending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What starts the containers of one task.
pub(super) trait Starter: Send {
    /// Starts the container at `index`; the error is its `reason`.
    fn start(
        &mut self,
        task: &Arc<Task>,
        index: usize,
        stopped: Stopped,
    ) -> impl Future<Output = Result<Attending, String>> + Send;
}

/// A task that is to run.
pub(super) struct Task {
    pub(super) start: TaskStart,
    /// The images of its containers, in their order; none of an image that only an engine can pull.
    pub(super) images: Vec<Option<Arc<Image>>>,
    /// Where health checks and sessions get in.
    pub(super) entrances: Entrances,
    pub(super) meter: Meter,
    pub(super) reports: ReportSink,
}

impl Task {
    /// Its containers with their images.
    pub(super) fn containers(&self) -> impl Iterator<Item = (&ContainerStart, &Option<Arc<Image>>)> {
        self.start.containers.iter().zip(&self.images)
    }

    /// Carries out what is asked of the task until it is let go.
    pub(super) async fn obey(
        self: &Arc<Self>,
        mut orders: UnboundedReceiver<Order>,
        mut starter: impl Starter,
    ) {
        (self.reports)(Report::Pulled { task: self.start.task.clone() });
        let mut stops = BTreeMap::<String, watch::Sender<Option<Duration>>>::new();
        let mut ends = JoinSet::new();
        loop {
            let order = select! {
                order = orders.recv() => order,
                Some(_) = ends.join_next() => continue,
            };
            match order {
                Some(Order::Start(name)) => {
                    let Some(index) = self.start.containers.iter().position(|it| it.name == name) else {
                        continue;
                    };
                    let (stop, stopped) = watch::channel(None);
                    let (task, container) = (self.start.task.clone(), name.clone());
                    match starter.start(self, index, stopped).await {
                        Ok(attending) => {
                            (self.reports)(Report::Started { task, container });
                            stops.insert(name, stop);
                            ends.spawn(attending);
                        }
                        Err(reason) => (self.reports)(Report::CannotStart { task, container, reason }),
                    }
                }
                Some(Order::Stop(name, timeout)) => {
                    if let Some(stop) = stops.get(&name) {
                        stop.send_replace(Some(timeout));
                    }
                }
                Some(Order::End(grace)) => {
                    for stop in stops.values() {
                        stop.send_replace(Some(grace));
                    }
                    break;
                }
                None => break,
            }
        }
        ends.join_all().await;
    }

    /// Reports that the task never started, and why.
    pub(super) fn never_started(&self, reason: String) {
        (self.reports)(Report::FailedToStart { task: self.start.task.clone(), reason });
    }

    /// Reports the end of a container.
    pub(super) fn exited(&self, container: &str, exit_code: i32, reason: Option<String>) {
        let (task, container) = (self.start.task.clone(), container.to_owned());
        (self.reports)(Report::Exited { task, container, exit_code, reason });
    }
}

/// Resolves with `stopTimeout` once a container is to stop.
pub(super) async fn stop_asked(mut stopped: Stopped) -> Duration {
    match stopped.wait_for(Option::is_some).await.map(|timeout| *timeout) {
        Ok(Some(timeout)) => timeout,
        // The sender goes only with the task.
        _ => std::future::pending().await,
    }
}
