//! Tasks as processes of this machine.
//!
//! Each container's entry point runs out of its unpacked image with loopback ports of its own. It is told them by
//! `PORT` and `HOST`; with Service Connect it is told the proxy by `HTTP_PROXY`, with its task id as the user, so that
//! the proxy knows who asks. There is no isolation: the processes see this machine's file system and network, run as
//! the image's user only where the daemon is root, and have no limit on memory.

mod leftovers;
mod program;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Result;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Signal, geteuid, kill_process_group};
use tokio::process::Child;
use tokio::select;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

pub(super) use leftovers::reap;
pub(super) use program::Program;

use self::leftovers::{Leftovers, group};
use super::output;
use super::ports::Ports;
use super::task::Task;
use super::watchdog::Watchdog;
use crate::workload::reason::cannot_start;
use crate::workload::{ContainerStart, TaskStart};

/// Kills the process groups that are noted in the folder `$1`. The daemon forgets a note when its process ends, so that in
/// an orderly stop nothing is left to kill.
const KILL_NOTED: &str = r#"
for note in "$1"/*; do
    [ -f "$note" ] || continue
    kill -s KILL -- "-${note##*/}" && rm -f "$note"
done
"#;

/// What an ended container's pipes may still hold; a grandchild that keeps them open is not waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What processes are told about where they run.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// `AWS_REGION`.
    pub(super) region: String,
    /// The Service Connect proxy's loopback port.
    pub(super) proxy_port: u16,
}

/// Runs tasks as processes.
#[derive(Debug)]
pub(super) struct Processes {
    surroundings: Surroundings,
    ports: Ports,
    leftovers: Arc<Leftovers>,
    watchdog: Mutex<Option<Watchdog>>,
}

/// A container's process.
struct Container {
    name: String,
    pid: Option<u32>,
    child: Child,
    output: Vec<JoinHandle<()>>,
}

impl Processes {
    /// Keeps notes under `state_dir`.
    ///
    /// # Errors
    /// The state folder cannot be written, or the machine has no shell.
    pub(super) fn new(state_dir: &Path, surroundings: Surroundings, ports: Ports) -> Result<Self> {
        let leftovers = Arc::new(Leftovers::open(state_dir)?);
        let watchdog = Mutex::new(Some(Watchdog::start(KILL_NOTED, [leftovers.folder()])?));
        Ok(Self { surroundings, ports, leftovers, watchdog })
    }

    /// Lets the watchdog go; to be called when no process is left.
    pub(super) async fn close(&self) {
        let watchdog = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watchdog) = watchdog {
            // It has nothing to do any more, so there is nothing to learn from how it ends.
            let _ = watchdog.dismiss().await;
        }
    }

    /// Runs a task to its end.
    pub(super) async fn run(&self, task: Task) {
        match self.prepare(&task).await {
            Err(reason) => task.never_started(reason),
            Ok(programs) => match programs.iter().find_map(Program::format_error) {
                Some(why) => run_nonsense(&task, &why),
                None => self.run_programs(Arc::new(task), programs).await,
            },
        }
    }

    async fn run_programs(&self, task: Arc<Task>, programs: Vec<Program>) {
        match self.launch(&task, programs) {
            Err(reason) => task.never_started(reason),
            Ok(containers) => {
                task.runs();
                let mut ends = JoinSet::new();
                for container in containers {
                    ends.spawn(attend(Arc::clone(&task), container, Arc::clone(&self.leftovers)));
                }
                ends.join_all().await;
            }
        }
    }

    /// Gives every container its ports and its environment; the error is the task's `stoppedReason`.
    async fn prepare(&self, task: &Task) -> std::result::Result<Vec<Program>, String> {
        let mut programs = Vec::new();
        for (container, image) in task.containers() {
            let fails = |why: &str| cannot_start(&container.name, why);
            let root = image.root().await.map_err(|why| fails(&why))?;
            let imposed = self.imposed(&task.start, container).map_err(|error| fails(&error.to_string()))?;
            let program = Program::of(root, &image.config, container, &imposed, geteuid().is_root());
            programs.push(program.map_err(|why| fails(&why))?);
        }
        Ok(programs)
    }

    /// What a container is told whatever its definition says.
    fn imposed(&self, start: &TaskStart, container: &ContainerStart) -> Result<BTreeMap<String, String>> {
        let Surroundings { region, proxy_port } = &self.surroundings;
        let mut environment = BTreeMap::from([
            ("HOST".to_owned(), "127.0.0.1".to_owned()),
            ("AWS_REGION".to_owned(), region.clone()),
            ("AWS_DEFAULT_REGION".to_owned(), region.clone()),
            ("AWS_EXECUTION_ENV".to_owned(), "AWS_ECS_FARGATE".to_owned()),
        ]);
        for container_port in &container.ports {
            let port = self.ports.reserve(&start.task, *container_port)?.to_string();
            environment.entry("PORT".to_owned()).or_insert_with(|| port.clone());
            environment.insert(format!("PORT_{container_port}"), port);
        }
        if start.connect {
            let proxy = format!("http://{}:x@127.0.0.1:{proxy_port}", start.task);
            for (name, value) in [("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1,localhost")] {
                environment.insert(name.to_owned(), value.to_owned());
                environment.insert(name.to_lowercase(), value.to_owned());
            }
        }
        Ok(environment)
    }

    /// Starts every container, or none.
    fn launch(&self, task: &Task, programs: Vec<Program>) -> std::result::Result<Vec<Container>, String> {
        let mut containers = Vec::new();
        for (definition, program) in task.start.containers.iter().zip(&programs) {
            // Dropped on the way out, the ones that were started already are killed.
            let container = self
                .spawn(task, definition, program)
                .map_err(|error| cannot_start(&definition.name, &error.to_string()))?;
            containers.push(container);
        }
        for (definition, program) in task.start.containers.iter().zip(programs) {
            task.entrances.open(&definition.name, move |words, within| {
                let program = program.clone();
                async move { check(&program, &words, within).await }
            });
        }
        Ok(containers)
    }

    fn spawn(&self, task: &Task, definition: &ContainerStart, program: &Program) -> Result<Container> {
        let mut child = program.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let pid = child.id();
        if let Some(pid) = pid {
            self.leftovers.note(pid)?;
        }
        let (log, tell) = (&definition.logs, &task.tell);
        let stdout = child.stdout.take().map(|out| output::follow(out, log.clone(), Arc::clone(tell)));
        let stderr = child.stderr.take().map(|err| output::follow(err, log.clone(), Arc::clone(tell)));
        let output = stdout.into_iter().chain(stderr).collect();
        Ok(Container { name: definition.name.clone(), pid, child, output })
    }
}

/// On AWS a container whose executable the kernel cannot run counts as started: the reason is in its log only.
fn run_nonsense(task: &Task, why: &str) {
    task.runs();
    for (group, stream) in task.start.containers.iter().filter_map(|container| container.logs.clone()) {
        (task.tell)(crate::workload::Report::Log { group, stream, line: why.to_owned() });
    }
    for container in &task.start.containers {
        task.exited(&container.name, 255, None);
    }
}

/// Waits for a container's end, or brings it about, and reports it after its last line.
async fn attend(task: Arc<Task>, mut container: Container, leftovers: Arc<Leftovers>) {
    let ended = select! {
        biased;
        ended = container.child.wait() => ended,
        stop_timeout = task.stop_asked() => {
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
    let trouble = container.pid.and_then(|pid| leftovers.forget(pid).err());
    let (exit_code, reason) = match ended {
        Ok(status) => (exit_code(status), trouble.map(|error| format!("the process note stays: {error}"))),
        Err(error) => (255, Some(format!("CannotInspectContainerError: {error}"))),
    };
    task.exited(&container.name, exit_code, reason);
}

/// Runs a container's health check; healthy is an exit code of 0 in time.
async fn check(program: &Program, words: &[String], within: Duration) -> bool {
    let Ok(check) = program.running(words) else { return false };
    if check.format_error().is_some() {
        return false;
    }
    let Ok(mut child) = check.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        return false;
    };
    let started = child.id();
    match timeout(within, child.wait()).await {
        Ok(ended) => ended.is_ok_and(|status| status.success()),
        Err(_) => {
            // The check may have ended in the meantime.
            signal(started, Signal::KILL);
            let _ = child.wait().await;
            false
        }
    }
}

/// Signals a container's whole process group; one that is gone needs none.
fn signal(pid: Option<u32>, signal: Signal) {
    if let Some(group) = pid.and_then(group) {
        let _ = kill_process_group(group, signal);
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255)
}
