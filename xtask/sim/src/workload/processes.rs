//! The workload of the daemon: tasks are real processes on this machine, on wall-clock time.
//!
//! A task's images come out of the account's own registry, are verified and unpacked, and each container's entry point
//! runs with loopback ports of its own. It is told them by `PORT` and `HOST`; with Service Connect it is told the
//! proxy by `HTTP_PROXY`, with its task id as the user, so that the proxy knows who asks. What it prints goes to its
//! log stream. There is no isolation: the processes see this machine's file system and network, run as the image's
//! user only where the daemon is root, and have no limit on memory.

mod check;
mod image;
mod leftovers;
mod output;
mod ports;
mod program;
#[cfg(test)]
mod tests;
mod unpack;
mod watchdog;
mod within;

use std::collections::BTreeMap;
use std::io::Result;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Signal, geteuid, kill_process_group};
use tokio::process::Child;
use tokio::select;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

pub(crate) use image::Registry;
pub(crate) use leftovers::reap;
pub(crate) use ports::Ports;

use self::image::Images;
use self::leftovers::Leftovers;
use self::program::Program;
use self::watchdog::Watchdog;
use super::reason::{cannot_pull, cannot_pull_because, cannot_start};
use super::{Answer, ContainerStart, Effect, Report, TaskId, TaskStart};

/// What an ended container's pipes may still hold; a grandchild that keeps them open is not waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Where processes run and what they are told.
#[derive(Debug)]
pub(crate) struct Place {
    /// Keeps the notes about running processes.
    pub(crate) state_dir: PathBuf,
    /// Images are unpacked here; every user of this machine can get at it.
    pub(crate) images: PathBuf,
    /// `AWS_REGION` of the tasks.
    pub(crate) region: String,
    /// The Service Connect proxy's loopback port.
    pub(crate) proxy_port: u16,
}

/// Where reports go.
pub(crate) type Tell = Arc<dyn Fn(Report) + Send + Sync>;

/// Runs tasks as processes; a cheap handle.
#[derive(Clone)]
pub(crate) struct Processes(Arc<Inner>);

struct Inner {
    tell: Tell,
    place: Place,
    images: Images,
    ports: Ports,
    leftovers: Leftovers,
    tasks: Mutex<BTreeMap<TaskId, Running>>,
    /// Told whenever a task has gone from `tasks`.
    gone: Notify,
    watchdog: Mutex<Option<Watchdog>>,
}

/// A task that was asked for and has not ended.
#[derive(Debug)]
struct Running {
    /// Carries `stopTimeout` once the task is to stop.
    stop: watch::Sender<Option<Duration>>,
    /// By container name; empty while the images are pulled.
    programs: BTreeMap<String, Program>,
}

/// A container's process.
struct Container {
    name: String,
    pid: Option<u32>,
    child: Child,
    output: Vec<JoinHandle<()>>,
}

impl Processes {
    /// A workload that pulls from `registry` and reports to `tell`.
    ///
    /// # Errors
    /// The state folder cannot be written, or the machine has no shell.
    pub(crate) fn new(registry: Arc<dyn Registry>, tell: Tell, place: Place) -> Result<Self> {
        let leftovers = Leftovers::open(&place.state_dir)?;
        let watchdog = Mutex::new(Some(Watchdog::start(leftovers.folder())?));
        let images = Images::new(registry, place.images.clone());
        let (ports, tasks) = (Ports::default(), Mutex::default());
        Ok(Self(Arc::new(Inner {
            tell,
            place,
            images,
            ports,
            leftovers,
            tasks,
            gone: Notify::new(),
            watchdog,
        })))
    }

    /// Which loopback ports the tasks have.
    pub(crate) fn ports(&self) -> &Ports {
        &self.0.ports
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<TaskId, Running>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out an effect in its own time.
    pub(crate) fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Start(start) => {
                let (stop, stopped) = watch::channel(None);
                self.tasks().insert(start.task.clone(), Running { stop, programs: BTreeMap::new() });
                let this = self.clone();
                tokio::spawn(async move { this.run(*start, stopped).await });
            }
            Effect::Stop { task, timeout_secs } => {
                if let Some(running) = self.tasks().get(&task) {
                    running.stop.send_replace(Some(Duration::from_secs(timeout_secs)));
                }
            }
            Effect::CheckContainer { task, container, command, timeout_secs } => {
                let program =
                    self.tasks().get(&task).and_then(|running| running.programs.get(&container).cloned());
                let tell = Arc::clone(&self.0.tell);
                tokio::spawn(async move {
                    let within = Duration::from_secs(timeout_secs);
                    let healthy = match program {
                        Some(program) => check::container(&program, &command, within).await,
                        None => false,
                    };
                    tell(Report::ContainerHealth { task, container, healthy });
                });
            }
            Effect::CheckTarget { target_group, task, port, path, timeout_secs } => {
                let port = self.0.ports.of(&task, port);
                let tell = Arc::clone(&self.0.tell);
                tokio::spawn(async move {
                    let answer = match port {
                        Some(port) => check::target(port, &path, Duration::from_secs(timeout_secs)).await,
                        None => Answer::Refused,
                    };
                    tell(Report::TargetHealth { target_group, task, answer });
                });
            }
        }
    }

    /// Stops every task, with SIGKILL after `grace`, and resolves when no process is left.
    pub(crate) async fn shut_down(&self, grace: Duration) {
        for running in self.tasks().values() {
            running.stop.send_replace(Some(grace));
        }
        loop {
            let gone = self.0.gone.notified();
            if self.tasks().is_empty() {
                break;
            }
            gone.await;
        }
        let watchdog = self.0.watchdog.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watchdog) = watchdog {
            // It has nothing to do any more, so there is nothing to learn from how it ends.
            let _ = watchdog.dismiss().await;
        }
    }

    async fn run(&self, start: TaskStart, mut stopped: watch::Receiver<Option<Duration>>) {
        let prepared = select! {
            biased;
            _ = stop_asked(&mut stopped) => None,
            prepared = self.prepare(&start) => Some(prepared),
        };
        match prepared {
            // What has not started cannot end: there is nothing to report.
            None => {}
            Some(Err(reason)) => (self.0.tell)(Report::FailedToStart { task: start.task.clone(), reason }),
            Some(Ok(programs)) => match programs.iter().find_map(Program::format_error) {
                Some(why) => self.run_nonsense(&start, &why),
                None => self.run_programs(&start, programs, stopped).await,
            },
        }
        self.0.ports.release(&start.task);
        self.tasks().remove(&start.task);
        self.0.gone.notify_waiters();
    }

    async fn run_programs(
        &self,
        start: &TaskStart,
        programs: Vec<Program>,
        stopped: watch::Receiver<Option<Duration>>,
    ) {
        match self.launch(start, programs) {
            Err(reason) => (self.0.tell)(Report::FailedToStart { task: start.task.clone(), reason }),
            Ok(containers) => {
                (self.0.tell)(Report::Running { task: start.task.clone() });
                let mut ends = JoinSet::new();
                for container in containers {
                    ends.spawn(self.clone().attend(start.task.clone(), container, stopped.clone()));
                }
                ends.join_all().await;
            }
        }
    }

    /// On AWS a container whose executable the kernel cannot run counts as started: the reason is in its log only.
    fn run_nonsense(&self, start: &TaskStart, why: &str) {
        (self.0.tell)(Report::Running { task: start.task.clone() });
        for (group, stream) in start.containers.iter().filter_map(|container| container.logs.clone()) {
            (self.0.tell)(Report::Log { group, stream, line: why.to_owned() });
        }
        for container in &start.containers {
            let (task, container) = (start.task.clone(), container.name.clone());
            (self.0.tell)(Report::Exited { task, container, exit_code: 255, reason: None });
        }
    }

    /// Pulls the images and gives every container its ports; the error is the task's `stoppedReason`.
    async fn prepare(&self, start: &TaskStart) -> std::result::Result<Vec<Program>, String> {
        let mut programs = Vec::new();
        for container in &start.containers {
            let image = match (&container.repository, &container.digest) {
                (Some(repository), Some(digest)) => self.0.images.get(repository, digest).await,
                (Some(_), None) => return Err(cannot_pull(&container.image)),
                (None, _) => Err("the embedded cloud runs images of its own registry only".to_owned()),
            };
            let image = image.map_err(|why| cannot_pull_because(&container.image, &why))?;
            let imposed = self
                .imposed(start, container)
                .map_err(|error| cannot_start(&container.name, &error.to_string()))?;
            let program = Program::of(&image, container, &imposed, geteuid().is_root());
            programs.push(program.map_err(|why| cannot_start(&container.name, &why))?);
        }
        Ok(programs)
    }

    /// What a container is told whatever its definition says.
    fn imposed(&self, start: &TaskStart, container: &ContainerStart) -> Result<BTreeMap<String, String>> {
        let place = &self.0.place;
        let mut environment = BTreeMap::from([
            ("HOST".to_owned(), "127.0.0.1".to_owned()),
            ("AWS_REGION".to_owned(), place.region.clone()),
            ("AWS_DEFAULT_REGION".to_owned(), place.region.clone()),
            ("AWS_EXECUTION_ENV".to_owned(), "AWS_ECS_FARGATE".to_owned()),
        ]);
        for container_port in &container.ports {
            let port = self.0.ports.reserve(&start.task, *container_port)?.to_string();
            environment.entry("PORT".to_owned()).or_insert_with(|| port.clone());
            environment.insert(format!("PORT_{container_port}"), port);
        }
        if start.connect {
            let proxy = format!("http://{}:x@127.0.0.1:{}", start.task, place.proxy_port);
            for (name, value) in [("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1,localhost")] {
                environment.insert(name.to_owned(), value.to_owned());
                environment.insert(name.to_lowercase(), value.to_owned());
            }
        }
        Ok(environment)
    }

    /// Starts every container, or none.
    fn launch(
        &self,
        start: &TaskStart,
        programs: Vec<Program>,
    ) -> std::result::Result<Vec<Container>, String> {
        let mut containers = Vec::new();
        for (definition, program) in start.containers.iter().zip(&programs) {
            // Dropped on the way out, the ones that were started already are killed.
            let container = self
                .spawn(definition, program)
                .map_err(|error| cannot_start(&definition.name, &error.to_string()))?;
            containers.push(container);
        }
        if let Some(running) = self.tasks().get_mut(&start.task) {
            let names = start.containers.iter().map(|container| container.name.clone());
            running.programs = names.zip(programs).collect();
        }
        Ok(containers)
    }

    fn spawn(&self, definition: &ContainerStart, program: &Program) -> Result<Container> {
        let mut child = program.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let pid = child.id();
        if let Some(pid) = pid {
            self.0.leftovers.note(pid)?;
        }
        let (log, tell) = (&definition.logs, &self.0.tell);
        let stdout = child.stdout.take().map(|out| output::follow(out, log.clone(), Arc::clone(tell)));
        let stderr = child.stderr.take().map(|err| output::follow(err, log.clone(), Arc::clone(tell)));
        let output = stdout.into_iter().chain(stderr).collect();
        Ok(Container { name: definition.name.clone(), pid, child, output })
    }

    /// Waits for a container's end, or brings it about, and reports it after its last line.
    async fn attend(
        self,
        task: TaskId,
        mut container: Container,
        mut stopped: watch::Receiver<Option<Duration>>,
    ) {
        let ended = select! {
            biased;
            ended = container.child.wait() => ended,
            stop_timeout = stop_asked(&mut stopped) => {
                signal(container.pid, Signal::TERM);
                match timeout(stop_timeout, container.child.wait()).await {
                    Ok(ended) => ended,
                    Err(_) => {
                        signal(container.pid, Signal::KILL);
                        container.child.wait().await
                    }
                }
            }
        };
        // What the container's first process left behind goes with it, as in a container.
        signal(container.pid, Signal::KILL);
        for follower in container.output {
            // Late words are lost, the end of the container is not.
            let _ = timeout(LAST_WORDS, follower).await;
        }
        let trouble = container.pid.and_then(|pid| self.0.leftovers.forget(pid).err());
        let (exit_code, reason) = match ended {
            Ok(status) => {
                (exit_code(status), trouble.map(|error| format!("the process note stays: {error}")))
            }
            Err(error) => (255, Some(format!("CannotInspectContainerError: {error}"))),
        };
        (self.0.tell)(Report::Exited { task, container: container.name, exit_code, reason });
    }
}

/// Resolves with `stopTimeout` once the task is to stop.
async fn stop_asked(stopped: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match stopped.wait_for(Option::is_some).await.map(|timeout| *timeout) {
        Ok(Some(timeout)) => timeout,
        // The sender goes only with the task.
        _ => std::future::pending().await,
    }
}

/// Signals a container's whole process group; one that is gone needs none.
fn signal(pid: Option<u32>, signal: Signal) {
    if let Some(group) = pid.and_then(leftovers::group) {
        let _ = kill_process_group(group, signal);
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255)
}
