//! The workload of rehearsals: tasks that live on virtual time by a script, without a process or a socket.
//!
//! What a container does is decided when its task is pulled, by the [`Scripts`] in force then; a later change concerns
//! later tasks. Nothing here is random: the same scripts give the same reports at the same moments.

mod script;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use script::{Crash, Script, Scripts};

use super::{Answer, Effect, Exec, Play, Report, TaskId, TaskStart, Version, VirtualWorkload, cannot_pull};
use crate::clock::{Millis, Sequence, Timers};

/// How long a target takes to answer, in milliseconds.
const ANSWER_MS: u64 = 5;

/// Runs tasks by their scripts.
#[derive(Debug)]
pub struct Scripted {
    scripts: Scripts,
    tasks: BTreeMap<TaskId, Task>,
    queue: Timers<Entry>,
    sequence: Sequence,
}

#[derive(Debug)]
struct Task {
    start: TaskStart,
    lives: BTreeMap<String, Life>,
}

/// A container's life; it is gone once the container has ended.
#[derive(Debug)]
struct Life {
    script: Script,
    started: Option<Millis>,
    /// Set once SIGTERM was sent.
    stopping: bool,
}

#[derive(Debug)]
enum Entry {
    /// What is reported as long as the task is wanted.
    OfTask(TaskId, Report),
    /// What a container reports while it runs.
    OfContainer(TaskId, String, Report),
    /// What is reported whatever became of the task.
    Report(Report),
}

impl Scripted {
    /// Tasks that follow `scripts`; keep a clone of the handle to change them later.
    pub fn new(scripts: Scripts) -> Self {
        Self { scripts, tasks: BTreeMap::new(), queue: Timers::default(), sequence: Sequence::default() }
    }

    fn start(&mut self, now: Millis, start: TaskStart) {
        let script_of = |name: &String| self.scripts.of(&start, name);
        let names = start.containers.iter().map(|container| container.name.clone());
        let lives: BTreeMap<String, Life> = names
            .map(|name| (script_of(&name), name))
            .map(|(script, name)| (name, Life { script, started: None, stopping: false }))
            .collect();
        let pull_ms = start.main().map_or(0, |main| lives[&main.name].script.pull_ms);
        let missing = start
            .containers
            .iter()
            .find(|container| container.repository.is_some() && container.digest.is_none());
        let failed = missing
            .map(|container| cannot_pull(&container.image))
            .or_else(|| lives.values().find_map(|life| life.script.fails_to_start.clone()));
        let task = start.task.clone();
        let report = match failed {
            Some(reason) => Report::FailedToStart { task: task.clone(), reason },
            None => Report::Pulled { task: task.clone() },
        };
        self.queue.push(self.sequence.next(now.plus_millis(pull_ms)), Entry::OfTask(task.clone(), report));
        self.tasks.insert(task, Task { start, lives });
    }

    fn start_container(&mut self, now: Millis, id: TaskId, name: String) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let Some(life) = task.lives.get_mut(&name) else { return };
        life.started = Some(now);
        let of = |report| Entry::OfContainer(id.clone(), name.clone(), report);
        self.queue
            .push(self.sequence.next(now), of(Report::Started { task: id.clone(), container: name.clone() }));
        if let Some((group, stream)) =
            task.start.container(&name).and_then(|container| container.logs.as_ref())
        {
            for (after, line) in &life.script.log {
                let line = Report::Log { group: group.clone(), stream: stream.clone(), line: line.clone() };
                self.queue.push(self.sequence.next(now.plus_millis(*after)), of(line));
            }
        }
        if let Some(Crash { after_ms, exit_code, reason }) = life.script.crash.clone() {
            let (task, container) = (id.clone(), name.clone());
            let exited = Report::Exited { task, container, exit_code, reason };
            self.queue.push(self.sequence.next(now.plus_millis(after_ms)), of(exited));
        }
    }

    fn stop_container(&mut self, now: Millis, id: TaskId, name: String, timeout_secs: u64) {
        let life = self.tasks.get_mut(&id).and_then(|task| task.lives.get_mut(&name));
        let Some(life) = life.filter(|life| !life.stopping) else { return };
        life.stopping = true;
        let killed = timeout_secs * 1000;
        let deaf = life.script.ignores_sigterm || life.script.stop_ms >= killed;
        let (after, exit_code) =
            if deaf { (killed, 137) } else { (life.script.stop_ms, life.script.stop_exit_code) };
        let exited = Report::Exited { task: id.clone(), container: name.clone(), exit_code, reason: None };
        self.queue.push(self.sequence.next(now.plus_millis(after)), Entry::OfContainer(id, name, exited));
    }

    /// The life of a container that runs, and for how long it has run.
    fn life(&self, now: Millis, id: &TaskId, container: &str) -> Option<(&Script, u64)> {
        let life = self.tasks.get(id)?.lives.get(container)?;
        Some((&life.script, now.since(life.started?)))
    }

    /// What a task uses: its share of what its service has to do, which its other running tasks take part in.
    fn usage(&self, id: &TaskId) -> Option<(f64, f64)> {
        let own = &self.tasks.get(id)?.start;
        let works = |task: &&Task| {
            let started = |life: &Life| life.started.is_some() && !life.stopping;
            task.start.service == own.service
                && task.start.cluster == own.cluster
                && task.lives.values().any(started)
        };
        let tasks = self.tasks.values().filter(works).count().max(1);
        let (cpu, memory_mib) = self.scripts.load(&own.service);
        Some((cpu / tasks as f64, memory_mib / tasks as f64))
    }

    /// What the task answers at `path` of `port`.
    fn answer(&self, now: Millis, id: &TaskId, port: u16, path: &str, version: Version) -> Answer {
        let listening = self.tasks.get(id).and_then(|task| {
            let containers = &task.start.containers;
            containers.iter().find(|container| container.ports.contains(&port)).or_else(|| task.start.main())
        });
        let life = listening.and_then(|container| self.life(now, id, &container.name));
        life.map_or(Answer::Refused, |(script, age)| script.answer(age, path, version))
    }
}

impl VirtualWorkload for Scripted {
    fn exec(&mut self, exec: &Exec) -> Result<Play, String> {
        let lives = self.tasks.get(&exec.task).map(|task| &task.lives);
        if !lives.is_some_and(|lives| lives.contains_key(&exec.container)) {
            return Err(format!("container {} does not run", exec.container));
        }
        let name = exec.words.first().map_or("", String::as_str);
        let missing = || format!("exec: \"{name}\": executable file not found in $PATH");
        self.scripts.play(exec).ok_or_else(missing)
    }

    fn effect(&mut self, now: Millis, effect: Effect) {
        match effect {
            Effect::Start(start) => self.start(now, *start),
            Effect::StartContainer { task, container } => self.start_container(now, task, container),
            Effect::StopContainer { task, container, timeout_secs } => {
                self.stop_container(now, task, container, timeout_secs);
            }
            Effect::Remove { task } => drop(self.tasks.remove(&task)),
            Effect::Measure { task } => {
                if let Some((cpu, memory_mib)) = self.usage(&task) {
                    self.queue.push(
                        self.sequence.next(now),
                        Entry::OfTask(task.clone(), Report::Usage { task, cpu, memory_mib }),
                    );
                }
            }
            Effect::CheckContainer { task, container, .. } => {
                let life = self.life(now, &task, &container);
                let healthy = life.is_some_and(|(script, age)| script.container_healthy(age));
                let report = Report::ContainerHealth { task, container, healthy };
                self.queue.push(self.sequence.next(now.plus_millis(ANSWER_MS)), Entry::Report(report));
            }
            Effect::CheckTarget { target_group, task, port, path, version, timeout_secs } => {
                let answer = self.answer(now, &task, port, &path, version);
                let after = if answer == Answer::TimedOut { timeout_secs * 1000 } else { ANSWER_MS };
                let report = Report::TargetHealth { target_group, task, answer };
                self.queue.push(self.sequence.next(now.plus_millis(after)), Entry::Report(report));
            }
        }
    }

    fn next(&self) -> Option<Millis> {
        self.queue.next().map(|moment| moment.at)
    }

    fn pop_due(&mut self, now: Millis) -> Option<(Millis, Report)> {
        loop {
            let moment = self.queue.next().filter(|moment| moment.at <= now)?;
            let at = moment.at;
            match self.queue.take(moment)? {
                Entry::Report(report) => return Some((at, report)),
                Entry::OfTask(id, report) if self.tasks.contains_key(&id) => return Some((at, report)),
                Entry::OfContainer(id, name, report) => {
                    let Some(task) = self.tasks.get_mut(&id) else { continue };
                    let alive = if matches!(report, Report::Exited { .. }) {
                        task.lives.remove(&name).is_some()
                    } else {
                        task.lives.contains_key(&name)
                    };
                    if alive {
                        return Some((at, report));
                    }
                }
                // The task was removed meanwhile, and what it would have reported with it.
                Entry::OfTask(..) => {}
            }
        }
    }
}
