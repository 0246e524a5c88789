//! A task as those that run it get it, and what they give back while it runs.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::image::Image;
use crate::workload::{ContainerStart, Report, TaskStart};

/// Where reports go.
pub(crate) type Tell = Arc<dyn Fn(Report) + Send + Sync>;

/// Runs a command in a container: whether it exited with 0 in time.
type Entrance =
    Arc<dyn Fn(Vec<String>, Duration) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// The ways into a task's containers, by name; none as long as they do not run.
#[derive(Clone, Default)]
pub(super) struct Entrances(Arc<Mutex<BTreeMap<String, Entrance>>>);

impl Entrances {
    /// Lets health checks into a container.
    pub(super) fn open<F>(
        &self,
        container: &str,
        enter: impl Fn(Vec<String>, Duration) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = bool> + Send + 'static,
    {
        let entrance: Entrance = Arc::new(move |words, within| Box::pin(enter(words, within)));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(container.to_owned(), entrance);
    }

    /// The way into a container.
    pub(super) fn of(&self, container: &str) -> Option<Entrance> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(container).cloned()
    }
}

/// A task that is to run.
pub(super) struct Task {
    /// What it is.
    pub(super) start: TaskStart,
    /// The images of its containers, in their order.
    pub(super) images: Vec<Arc<Image>>,
    /// Carries `stopTimeout` once the task is to stop.
    pub(super) stopped: watch::Receiver<Option<Duration>>,
    /// Where health checks get in.
    pub(super) entrances: Entrances,
    /// Where reports go.
    pub(super) tell: Tell,
}

impl Task {
    /// Its containers with their images.
    pub(super) fn containers(&self) -> impl Iterator<Item = (&ContainerStart, &Arc<Image>)> {
        self.start.containers.iter().zip(&self.images)
    }

    /// Reports that every container runs.
    pub(super) fn runs(&self) {
        (self.tell)(Report::Running { task: self.start.task.clone() });
    }

    /// Reports that the task never started, and why.
    pub(super) fn never_started(&self, reason: String) {
        (self.tell)(Report::FailedToStart { task: self.start.task.clone(), reason });
    }

    /// Reports the end of a container.
    pub(super) fn exited(&self, container: &str, exit_code: i32, reason: Option<String>) {
        let (task, container) = (self.start.task.clone(), container.to_owned());
        (self.tell)(Report::Exited { task, container, exit_code, reason });
    }

    /// Whether the task is to stop.
    pub(super) fn is_to_stop(&self) -> bool {
        self.stopped.borrow().is_some()
    }

    /// Resolves with `stopTimeout` once the task is to stop.
    pub(super) async fn stop_asked(&self) -> Duration {
        stop_asked(self.stopped.clone()).await
    }
}

/// Resolves with `stopTimeout` once a task is to stop.
pub(super) async fn stop_asked(mut stopped: watch::Receiver<Option<Duration>>) -> Duration {
    match stopped.wait_for(Option::is_some).await.map(|timeout| *timeout) {
        Ok(Some(timeout)) => timeout,
        // The sender goes only with the task.
        _ => std::future::pending().await,
    }
}
