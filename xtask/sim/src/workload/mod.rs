//! The workload port: effects from the account to whatever runs its tasks, and reports back.
//!
//! The account is sans-I/O. It emits [`Effect`]s; a workload carries them out in its own time and answers
//! with [`Report`]s. `scripted` does so on virtual time, `machine` with real processes and containers.

pub mod machine;
mod reason;
pub mod scripted;
pub(crate) mod terminal;

pub(crate) use reason::cannot_pull;
pub use terminal::Typed;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::Millis;
use crate::secret::Secret;

/// A task's identity inside the account: its ARN's last part, 32 hexadecimal digits.
pub(crate) type TaskId = String;

/// What ECS Exec's agent writes to.
pub(crate) const EXEC_PATHS: [&str; 3] = ["/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"];

/// What the account asks of the workload.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Pull the images, then report `Pulled`. No container starts before [`Effect::StartContainer`]:
    /// the account keeps their order.
    Start(Box<TaskStart>),
    /// Start a container of a task whose images are pulled, then report `Started`.
    StartContainer { task: TaskId, container: String },
    /// Send SIGTERM to a container, SIGKILL after `timeout_secs` (`stopTimeout`), then report `Exited`.
    StopContainer {
        task: TaskId,
        container: String,
        /// `stopTimeout` in seconds, 2 to 120.
        timeout_secs: u64,
    },
    /// Give up what the task holds; a container that still runs is killed.
    Remove { task: TaskId },
    /// Say what the task uses; answer with [`Report::Usage`], where that can be measured.
    Measure { task: TaskId },
    /// Ask the container's own health check once; answer with [`Report::ContainerHealth`].
    CheckContainer {
        task: TaskId,
        container: String,
        /// `healthCheck.command`: `["CMD", …]` or `["CMD-SHELL", "…"]`.
        command: Vec<String>,
        /// `healthCheck.timeout` in seconds; a command that takes longer has failed.
        timeout_secs: u64,
    },
    /// GET `path` at the task's container port, as the load balancer's health
    /// check does; answer with [`Report::TargetHealth`].
    CheckTarget {
        /// The target group's ARN, handed back in the report.
        target_group: String,
        /// The task whose address the target is.
        task: TaskId,
        port: u16,
        path: String,
        version: Version,
        /// The health check timeout in seconds.
        timeout_secs: u64,
    },
}

/// All that a workload needs in order to start a task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskStart {
    pub task: TaskId,
    pub task_arn: String,
    pub cluster: String,
    /// The service's name; empty for a task of RunTask.
    pub service: String,
    /// The task definition as `family:revision`.
    pub task_definition: String,
    /// The address that the task has in its subnet.
    pub private_ip: String,
    /// CPU units of the task.
    pub cpu: u32,
    /// Memory of the task in MiB.
    pub(crate) memory_mib: u32,
    /// The containers, essential ones and others.
    pub containers: Vec<ContainerStart>,
    /// Whether the task may use Service Connect (it then gets the proxy).
    pub connect: bool,
    /// The names and ports of Service Connect that the task's deployment knows.
    pub endpoints: Vec<(String, u16)>,
}

/// One container of a task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerStart {
    pub name: String,
    /// Whether the task ends with the container.
    pub essential: bool,
    /// Whether another container waits for its end (`COMPLETE`, `SUCCESS`).
    pub(crate) comes_first: bool,
    /// The image as the task definition names it.
    pub image: String,
    /// The repository of this account's registry that holds the image; `None` for a foreign image.
    pub repository: Option<String>,
    /// The manifest digest that the image reference resolved to; `None` when it could not be resolved.
    pub digest: Option<String>,
    /// `entryPoint` of the container definition, when set.
    pub entry_point: Vec<String>,
    /// `command` of the container definition, when set.
    pub command: Vec<String>,
    /// `environment`, in definition order.
    pub environment: Vec<(String, String)>,
    /// `secrets` with what they were resolved to. They reach the container's environment and nothing else: no argument
    /// list, no file, no log.
    pub(crate) secrets: Vec<(String, Secret)>,
    /// `memory` in MiB, the container's hard limit, when set; the task's own limit holds for all together.
    pub(crate) memory_mib: Option<u32>,
    pub user: Option<String>,
    pub(crate) working_directory: Option<String>,
    pub readonly_root: bool,
    pub mounts: Vec<Mount>,
    pub ports: Vec<u16>,
    /// `awslogs-group` and the stream (`<prefix>/<container>/<task id>`), when the container logs.
    pub logs: Option<(String, String)>,
    /// The options of `awsfirelens`: the lines are for the task's log router.
    pub(crate) routed: Option<BTreeMap<String, String>>,
    pub(crate) router: Option<LogRouter>,
}

/// `firelensConfiguration` of a container that gets the lines of others.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct LogRouter {
    /// `fluentbit` or `fluentd`.
    #[serde(rename = "type")]
    pub(crate) program: String,
    pub(crate) options: BTreeMap<String, String>,
}

/// A volume where a container has it: empty at the task's start, and gone at its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mount {
    /// `sourceVolume`: containers with the same one share it.
    pub volume: String,
    pub path: String,
    pub read_only: bool,
}

impl TaskStart {
    /// Whether several containers have a volume.
    pub fn shares(&self, volume: &str) -> bool {
        let has = |it: &&ContainerStart| it.mounts.iter().any(|mount| mount.volume == volume);
        self.containers.iter().filter(has).count() > 1
    }

    /// What a log router's own log says where the lines of the others do not get to it.
    fn unrouted(&self, router: &ContainerStart) -> Option<String> {
        router.router.as_ref()?;
        let routed = self.containers.iter().filter(|container| container.routed.is_some());
        let names: Vec<&str> = routed.map(|container| container.name.as_str()).collect();
        Some(format!(
            "embedded cloud: the lines of {} do not get here: that takes Fluent Bit in containers of Docker on Linux",
            names.join(", ")
        ))
    }

    /// The application's container: the first essential one that listens, or the first essential one.
    pub fn main(&self) -> Option<&ContainerStart> {
        let essential = || self.containers.iter().filter(|container| container.essential);
        essential().find(|container| !container.ports.is_empty()).or_else(|| essential().next())
    }

    /// The container with this name.
    pub(crate) fn container(&self, name: &str) -> Option<&ContainerStart> {
        self.containers.iter().find(|container| container.name == name)
    }
}

impl ContainerStart {
    /// All variables that the definition gives the container, plain and secret.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let plain = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        plain.chain(self.secrets.iter().map(|(name, value)| (name.as_str(), value.reveal())))
    }
}

/// A command to run in a container, as ECS Exec does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    pub session: String,
    pub task: TaskId,
    pub container: String,
    pub words: Vec<String>,
}

/// What the workload reports to the account.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The task's images are there.
    Pulled {
        task: TaskId,
    },
    Started {
        task: TaskId,
        container: String,
    },
    /// A container could not be started.
    CannotStart {
        task: TaskId,
        container: String,
        reason: String,
    },
    /// The task never started: `stopCode` is `TaskFailedToStart` and `reason` its `stoppedReason`.
    FailedToStart {
        task: TaskId,
        reason: String,
    },
    Exited {
        task: TaskId,
        container: String,
        /// The exit code: 128 + signal when a signal ended it.
        exit_code: i32,
        /// `containers[].reason`, such as `OutOfMemoryError: Container killed due to memory usage`.
        reason: Option<String>,
    },
    /// The container health check's answer.
    ContainerHealth {
        task: TaskId,
        container: String,
        /// Whether the command exited with 0 in time.
        healthy: bool,
    },
    /// The load balancer's health check's answer.
    TargetHealth {
        target_group: String,
        task: TaskId,
        answer: Answer,
    },
    /// What a task used since it was last measured, on average.
    Usage {
        task: TaskId,
        /// CPU units: 1024 are a whole core.
        cpu: f64,
        memory_mib: f64,
    },
    /// A line that a container printed.
    Log {
        group: String,
        stream: String,
        /// The line, without its newline.
        line: String,
    },
}

/// `ProtocolVersion` of a target group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
    Grpc,
}

/// What a target answered to a health check.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// An HTTP status, or a gRPC one.
    Status(u16),
    /// It accepted the connection; what it would answer was not asked. This counts as passed.
    Connected,
    /// No answer in time (`Target.Timeout`, "Request timed out").
    TimedOut,
    /// The connection was refused or broken (`Target.FailedHealthChecks`, "Health checks failed").
    Refused,
}

/// A command that is played: given what is typed, and nothing at its start, it prints and may end.
pub type Play = Box<dyn FnMut(Option<Typed>) -> Printed + Send>;

/// One turn of a [`Play`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    pub after_ms: u64,
    pub text: String,
    pub ends: bool,
}

/// A workload on virtual time, driven by whoever advances the account.
pub trait VirtualWorkload: Send {
    /// Takes an effect that the account emitted at `now`.
    fn effect(&mut self, now: Millis, effect: Effect);
    /// When the next report is due.
    fn next(&self) -> Option<Millis>;
    /// What a command in a container does; the error says why there is none.
    fn exec(&mut self, exec: &Exec) -> Result<Play, String>;
    /// Takes the next report that is due at `now`, with the moment it happened.
    fn pop_due(&mut self, now: Millis) -> Option<(Millis, Report)>;
}
