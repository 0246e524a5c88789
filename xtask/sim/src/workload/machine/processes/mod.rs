//! Tasks as processes of this machine.
//!
//! Each container's entry point runs out of its unpacked image with loopback ports of its own, which it gets by `PORT` and
//! `HOST` (see [`listens`]); with Service Connect it gets the proxy as `HTTP_PROXY`, with its task id as the user, so that
//! the proxy knows who asks. `PORT_8080` is where the task's port 8080 is, whichever container has it. There is no isolation: the processes see this machine's file system and network, run as
//! the image's user only where the daemon is root, and have no limit on memory.

mod leftovers;
mod listens;
mod program;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Result;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Signal, geteuid, kill_process_group};
use tokio::process::Child;
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(super) use leftovers::{Leftovers, group, reap};
pub(super) use program::Program;

use self::listens::Listens;
use super::Place;
use super::image::Image;
use super::marked;
use super::output;
use super::ports::Ports;
use super::task::{Attending, Inside, Order, Starter, Stopped, Task, stop_asked};
use super::terminal;
use super::watchdog::Watchdog;
use crate::workload::reason::cannot_start;
use crate::workload::terminal::Terminal;
use crate::workload::{ContainerStart, Exec, Report, TaskStart};

/// Kills the process groups that are noted in the folder `$1`, and removes the folder `$2` that they ran from. The daemon forgets
/// a note when its process ends, so that in an orderly stop nothing is left to kill.
const KILL_NOTED: &str = r#"
for note in "$1"/*; do
    [ -f "$note" ] || continue
    kill -s KILL -- "-${note##*/}" && rm -f "$note"
done
rm -rf -- "$2"
"#;

/// What a session in a container without a shell begins with.
const BORROWED_SHELL: &str =
    "(the image has no shell: this is the one of this machine, beside the task's process)\r\n";

/// What an ended container's pipes may still hold; a grandchild that keeps them open is not waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What processes learn about where they run.
#[derive(Debug)]
struct Surroundings {
    region: String,
    /// The Service Connect proxy's loopback port.
    proxy_port: u16,
}

#[derive(Debug)]
pub(super) struct Processes {
    surroundings: Surroundings,
    ports: Ports,
    leftovers: Arc<Leftovers>,
    watchdog: Mutex<Option<Watchdog>>,
}

/// Starts a task's containers as processes.
struct Launcher<'a>(&'a Processes);

impl Processes {
    /// Keeps notes in the state folder.
    ///
    /// # Errors
    /// The state folder cannot be written, or the machine has no shell.
    pub(super) fn new(place: &Place) -> Result<Self> {
        let Place { state_dir, scratch, region, proxy_port, ports, .. } = place;
        let surroundings = Surroundings { region: region.clone(), proxy_port: *proxy_port };
        let leftovers = Arc::new(Leftovers::open(state_dir)?);
        let watchdog = Watchdog::start(KILL_NOTED, [leftovers.folder(), scratch])?;
        Ok(Self { surroundings, ports: ports.clone(), leftovers, watchdog: Mutex::new(Some(watchdog)) })
    }

    /// Lets the watchdog go; to be called when no process is left.
    pub(super) async fn close(&self) {
        let watchdog = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watchdog) = watchdog {
            // It has nothing to do any more, so there is nothing to learn from how it ends.
            let _ = watchdog.dismiss().await;
        }
    }

    /// Runs a task until it is let go.
    pub(super) async fn run(&self, task: &Arc<Task>, orders: UnboundedReceiver<Order>) {
        // All of them before any container starts: each gets the ports of the others in its task.
        for (container, image) in task.containers() {
            let listens = listens_of(container, image.as_deref());
            // A port that is none of the container's is the task's all the same: others of the task may use it.
            let other = listens.port.filter(|port| !container.ports.contains(port));
            for port in container.ports.iter().copied().chain(other) {
                let reserved = self.ports.reserve(&task.start.task, port, listens.inside_only);
                if let Err(error) = reserved {
                    return task.never_started(cannot_start(&task.start.task, &error.to_string()));
                }
            }
        }
        task.obey(orders, Launcher(self)).await;
    }

    /// What a container gets whatever its definition says.
    fn imposed(&self, start: &TaskStart, listens: &Listens) -> BTreeMap<String, String> {
        let Surroundings { region, proxy_port } = &self.surroundings;
        let mut environment = BTreeMap::from([
            ("AWS_REGION".to_owned(), region.clone()),
            ("AWS_DEFAULT_REGION".to_owned(), region.clone()),
            ("AWS_EXECUTION_ENV".to_owned(), "AWS_ECS_FARGATE".to_owned()),
        ]);
        let port = |container_port: &u16| self.ports.of(&start.task, *container_port).unwrap_or_default();
        environment.extend(listens.host.map(|host| ("HOST".to_owned(), host.to_owned())));
        environment.extend(listens.port.map(|own| ("PORT".to_owned(), port(&own).to_string())));
        for container_port in start.containers.iter().flat_map(|container| &container.ports) {
            environment.insert(format!("PORT_{container_port}"), port(container_port).to_string());
        }
        if start.connect {
            let proxy = format!("http://{}:x@127.0.0.1:{proxy_port}", start.task);
            for (name, value) in [("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1,localhost")] {
                environment.insert(name.to_owned(), value.to_owned());
                environment.insert(name.to_lowercase(), value.to_owned());
            }
        }
        environment
    }
}

/// Where the application of a container listens: its definition's variables come before its image's.
fn listens_of(container: &ContainerStart, image: Option<&Image>) -> Listens {
    let own = |name: &str| {
        let given =
            container.variables().filter(|(own, _)| *own == name).last().map(|(_, value)| value.to_owned());
        given.or_else(|| {
            let mut pairs = image?.config.env.iter().flatten().filter_map(|pair| pair.split_once('='));
            pairs.rfind(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
        })
    };
    listens::listens(own("HOST").as_deref(), own("PORT").as_deref(), &container.ports)
}

impl Starter for Launcher<'_> {
    async fn start(
        &mut self,
        task: &Arc<Task>,
        index: usize,
        stopped: Stopped,
    ) -> std::result::Result<Attending, String> {
        let definition = &task.start.containers[index];
        let fails = |why: &str| cannot_start(&definition.name, why);
        let image = task.images[index].as_ref().ok_or_else(|| fails("no image"))?;
        let root = image.root().await.map_err(|why| fails(&why))?;
        let listens = listens_of(definition, Some(image));
        let imposed = self.0.imposed(&task.start, &listens);
        let program = Program::of(root, &image.config, definition, &imposed, geteuid().is_root());
        let program = program.map_err(|why| fails(&why))?;
        if let Some(why) = program.format_error() {
            return Ok(Box::pin(run_nonsense(Arc::clone(task), index, why)));
        }
        let child = program.spawn(Stdio::piped).await;
        let mut child = child.map_err(|error| fails(&error.to_string()))?;
        if let Some(pid) = child.id() {
            self.0.leftovers.note(pid).map_err(|error| fails(&error.to_string()))?;
            task.meter.watch(pid);
        }
        let (log, reports) = (&definition.logs, &task.reports);
        if let Some((group, stream)) = log {
            for line in listens.remark.into_iter().chain(task.start.unrouted(definition)) {
                reports(Report::Log { group: group.clone(), stream: stream.clone(), line });
            }
        }
        let stdout = child.stdout.take().map(|out| output::follow(out, log.clone(), Arc::clone(reports)));
        let stderr = child.stderr.take().map(|err| output::follow(err, log.clone(), Arc::clone(reports)));
        let output = stdout.into_iter().chain(stderr).collect();
        let (runs, ended) = watch::channel(());
        let leftovers = Arc::clone(&self.0.leftovers);
        task.entrances.open(&definition.name, Beside { program, leftovers: Arc::clone(&leftovers), ended });
        let attending = attend(Arc::clone(task), index, child, output, stopped, leftovers);
        Ok(Box::pin(async move {
            attending.await;
            drop(runs);
        }))
    }
}

/// What runs apart from a container's own process.
struct Beside {
    program: Program,
    leftovers: Arc<Leftovers>,
    /// Closed when the container has ended.
    ended: watch::Receiver<()>,
}

impl Inside for Beside {
    fn check(&self, words: Vec<String>, within: Duration) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        let program = self.program.clone();
        Box::pin(async move { check(&program, &words, within).await })
    }

    fn open(&self, Exec { session, words, .. }: &Exec) -> std::result::Result<Terminal, String> {
        if self.ended.has_changed().is_err() {
            return Err("the container has ended".to_owned());
        }
        let (program, said) = match (self.program.running(words), self.program.machine_shell(words)) {
            (Ok(program), _) => (program, None),
            (Err(_), Some(shell)) => (shell, Some(BORROWED_SHELL.to_owned())),
            (Err(why), None) => return Err(why),
        };
        if let Some(why) = program.format_error() {
            return Err(why);
        }
        let mut ended = self.ended.clone();
        // Nothing is ever sent: the end of the sender is what is waited for.
        let ended = async move { while ended.changed().await.is_ok() {} };
        let command = program.on_terminal().env(marked::VARIABLE, session);
        let left = marked::kill(session.clone());
        let started = terminal::start(command, said, Some(Arc::clone(&self.leftovers)), ended, left);
        started.map_err(|error| error.to_string())
    }
}

/// On AWS a container whose executable the kernel cannot run counts as started: the reason is in its log only.
async fn run_nonsense(task: Arc<Task>, index: usize, why: String) {
    let container = &task.start.containers[index];
    if let Some((group, stream)) = container.logs.clone() {
        (task.reports)(Report::Log { group, stream, line: why });
    }
    task.exited(&container.name, 255, None);
}

/// Waits for a container's end, or brings it about, and reports it after its last line.
async fn attend(
    task: Arc<Task>,
    index: usize,
    mut child: Child,
    output: Vec<JoinHandle<()>>,
    stopped: Stopped,
    leftovers: Arc<Leftovers>,
) {
    let pid = child.id();
    let ended = select! {
        biased;
        ended = child.wait() => ended,
        stop_timeout = stop_asked(stopped) => {
            signal(pid, Signal::TERM);
            match timeout(stop_timeout, child.wait()).await {
                Ok(ended) => ended,
                Err(_) => {
                    signal(pid, Signal::KILL);
                    child.wait().await
                }
            }
        }
    };
    // What the container's first process left behind goes with it, as in a container.
    signal(pid, Signal::KILL);
    for follower in output {
        // Late words are lost, the end of the container is not.
        let _ = timeout(LAST_WORDS, follower).await;
    }
    let trouble = pid.and_then(|pid| leftovers.forget(pid).err());
    let (exit_code, reason) = match ended {
        Ok(status) => (exit_code(status), trouble.map(|error| format!("the process note stays: {error}"))),
        Err(error) => (255, Some(format!("CannotInspectContainerError: {error}"))),
    };
    task.exited(&task.start.containers[index].name, exit_code, reason);
}

/// Runs a container's health check; healthy is an exit code of 0 in time.
async fn check(program: &Program, words: &[String], within: Duration) -> bool {
    let Ok(check) = program.running(words) else { return false };
    if check.format_error().is_some() {
        return false;
    }
    let Ok(mut child) = check.spawn(Stdio::null).await else {
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

/// Signals a container's whole process group; one that has ended needs none.
fn signal(pid: Option<u32>, signal: Signal) {
    if let Some(group) = pid.and_then(group) {
        let _ = kill_process_group(group, signal);
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255)
}
