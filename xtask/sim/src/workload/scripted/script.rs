//! What a task does, as a value, and which task does what.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::{Answer, Exec, Play, TaskStart, Version};

/// The life of a container. All times are milliseconds; `after` counts from its start.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// How long the task's images take; the main container's script says it.
    pub pull_ms: u64,
    /// When the application listens; before that, connections are refused.
    pub boot_ms: u64,
    pub never_listens: bool,
    /// The application accepts connections and never answers.
    pub hangs: bool,
    /// What a path answers from when on. A path that is not named answers 200 once the application listens.
    pub answers: BTreeMap<String, Vec<(u64, u16)>>,
    /// What the container's own health check says from when on; without an entry it
    /// passes once the application listens.
    pub container_health: Vec<(u64, bool)>,
    /// Its task never starts, for this reason (its `stoppedReason`).
    pub fails_to_start: Option<String>,
    pub crash: Option<Crash>,
    pub ignores_sigterm: bool,
    /// How long it takes to exit after SIGTERM.
    pub stop_ms: u64,
    /// What it exits with then.
    pub stop_exit_code: i32,
    /// Lines that it prints, and when; without a log configuration nobody sees them.
    pub log: Vec<(u64, String)>,
}

/// An exit that nobody asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash {
    pub after_ms: u64,
    /// The exit code; 137 for a container that the kernel killed.
    pub exit_code: i32,
    /// `containers[].reason`, such as `OutOfMemoryError: Container killed due to memory usage`.
    pub reason: Option<String>,
}

impl Default for Script {
    /// Healthy quickly: pulled in 2 s, listening 1 s later, gone 300 ms after SIGTERM.
    fn default() -> Self {
        Self {
            pull_ms: 2_000,
            boot_ms: 1_000,
            never_listens: false,
            hangs: false,
            answers: BTreeMap::new(),
            container_health: Vec::new(),
            fails_to_start: None,
            crash: None,
            ignores_sigterm: false,
            stop_ms: 300,
            stop_exit_code: 0,
            log: Vec::new(),
        }
    }
}

impl Script {
    /// A healthy task that listens only after `boot_ms`.
    pub fn boots_in(boot_ms: u64) -> Self {
        Self { boot_ms, ..Self::default() }
    }

    /// A container that exits with `exit_code` after `after_ms`, as one does that has a job to finish.
    pub fn exits(after_ms: u64, exit_code: i32) -> Self {
        Self::crashes(after_ms, exit_code)
    }

    /// A container that exits with `exit_code` after `after_ms`.
    pub fn crashes(after_ms: u64, exit_code: i32) -> Self {
        Self { crash: Some(Crash { after_ms, exit_code, reason: None }), ..Self::default() }
    }

    /// A container that the kernel kills for its memory after `after_ms`.
    pub fn runs_out_of_memory(after_ms: u64) -> Self {
        let reason = Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
        Self { crash: Some(Crash { after_ms, exit_code: 137, reason }), ..Self::default() }
    }

    /// A task that never starts, for `reason`.
    pub fn fails_to_start(reason: &str) -> Self {
        Self { fails_to_start: Some(reason.to_owned()), ..Self::default() }
    }

    /// A task that never listens.
    pub fn never_listens() -> Self {
        Self { never_listens: true, ..Self::default() }
    }

    /// The same task, but `path` answers `status` from `from_ms` on.
    pub fn answering(mut self, path: &str, from_ms: u64, status: u16) -> Self {
        let timeline = self.answers.entry(path.to_owned()).or_default();
        timeline.push((from_ms, status));
        timeline.sort_by_key(|(from, _)| *from);
        self
    }

    /// The same task, but it prints `line` after `after_ms`.
    pub fn printing(mut self, after_ms: u64, line: &str) -> Self {
        self.log.push((after_ms, line.to_owned()));
        self
    }

    /// What a check of `path` meets `age` milliseconds after the start. A path that is not named is served over HTTP,
    /// and is UNIMPLEMENTED over gRPC.
    pub(super) fn answer(&self, age: u64, path: &str, version: Version) -> Answer {
        if self.never_listens || age < self.boot_ms {
            return Answer::Refused;
        }
        if self.hangs {
            return Answer::TimedOut;
        }
        let timeline = self.answers.get(path).map_or(&[][..], Vec::as_slice);
        Answer::Status(in_force(timeline, age).unwrap_or(if version == Version::Grpc { 12 } else { 200 }))
    }

    pub(super) fn container_healthy(&self, age: u64) -> bool {
        let listens = !self.never_listens && !self.hangs && age >= self.boot_ms;
        in_force(&self.container_health, age).unwrap_or(listens)
    }
}

/// The last entry of a timeline that has begun.
fn in_force<T: Copy>(timeline: &[(u64, T)], age: u64) -> Option<T> {
    timeline.iter().take_while(|(from, _)| *from <= age).last().map(|(_, value)| *value)
}

/// Which task follows which script: a handle that a story keeps and changes while it runs.
#[derive(Clone, Debug, Default)]
pub struct Scripts(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    by_key: BTreeMap<String, Script>,
    otherwise: Script,
    /// CPU units and MiB that a service needs in all, by its name.
    loads: BTreeMap<String, (f64, f64)>,
    commands: Option<Box<Commands>>,
}

type Commands = dyn FnMut(&Exec) -> Option<Play> + Send;

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("by_key", &self.by_key).finish_non_exhaustive()
    }
}

impl Scripts {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, what `key` names follows `script`; the most specific key that is set wins, in this order.
    ///
    /// - A service's main container: its image digest, `family:revision`, the family, the service's name.
    /// - A sidecar: `family:revision/container`, `family/container`, its image digest.
    /// - The main container of a task of RunTask: `run:family:revision`, `run:family`.
    pub fn set(&self, key: &str, script: Script) {
        self.table().by_key.insert(key.to_owned(), script);
    }

    /// From now on, tasks of `key` follow what else applies to them.
    pub fn unset(&self, key: &str) {
        self.table().by_key.remove(key);
    }

    /// What services' main containers follow that no key names. A sidecar that no key names runs, and one whose end others
    /// wait for, or a task of RunTask, exits with 0 after a second.
    pub fn set_otherwise(&self, script: Script) {
        self.table().otherwise = script;
    }

    /// From now on, what ECS Exec's commands do: without it, and where it gives nothing, a container has no such executable.
    pub fn on_command(&self, commands: impl FnMut(&Exec) -> Option<Play> + Send + 'static) {
        self.table().commands = Some(Box::new(commands));
    }

    pub(super) fn play(&self, exec: &Exec) -> Option<Play> {
        self.table().commands.as_mut()?(exec)
    }

    /// From now on, the tasks of a service need so many CPU units and MiB in all, and share them.
    pub fn set_load(&self, service: &str, cpu: f64, memory_mib: f64) {
        self.table().loads.insert(service.to_owned(), (cpu, memory_mib));
    }

    pub(super) fn load(&self, service: &str) -> (f64, f64) {
        self.table().loads.get(service).copied().unwrap_or_default()
    }

    pub(super) fn of(&self, start: &TaskStart, container: &str) -> Script {
        let table = self.table();
        let (definition, family) =
            (&start.task_definition, start.task_definition.split(':').next().unwrap_or_default());
        let started = start.container(container);
        let digest = started.and_then(|container| container.digest.clone());
        let main = start.main().is_some_and(|main| main.name == container);
        let (keys, otherwise) = if main && start.service.is_empty() {
            (vec![format!("run:{definition}"), format!("run:{family}")], Script::exits(1_000, 0))
        } else if main {
            let names = [definition.clone(), family.to_owned(), start.service.clone()];
            (digest.into_iter().chain(names).collect(), table.otherwise.clone())
        } else {
            let names = [format!("{definition}/{container}"), format!("{family}/{container}")];
            let ends = started.is_some_and(|container| container.comes_first);
            let otherwise = if ends { Script::exits(1_000, 0) } else { Script::default() };
            (names.into_iter().chain(digest).collect(), otherwise)
        };
        keys.iter().find_map(|key| table.by_key.get(key)).cloned().unwrap_or(otherwise)
    }
}
