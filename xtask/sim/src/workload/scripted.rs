//! The workload of rehearsals: tasks that live on virtual time by a script, without a process or a socket.
//!
//! What a task does is decided when it starts, by the [`Scripts`] in force then; a later change concerns later tasks.
//! Nothing here is random: the same scripts give the same reports at the same moments.

mod script;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use script::{Crash, Script, Scripts};

use super::{Answer, Effect, Report, TaskId, TaskStart, VirtualWorkload, cannot_pull};
use crate::account::{Millis, Timers};

/// How long a target takes to answer, in milliseconds.
const ANSWER_MS: u64 = 5;

/// Runs tasks by their scripts.
#[derive(Debug)]
pub struct Scripted {
    scripts: Scripts,
    tasks: BTreeMap<TaskId, Task>,
    queue: Timers<Entry>,
}

#[derive(Debug)]
struct Task {
    start: TaskStart,
    script: Script,
    /// When the containers started; `None` while the images are pulled.
    started: Option<Millis>,
    /// Set once SIGTERM was sent.
    stopping: bool,
}

#[derive(Debug)]
enum Entry {
    /// The images are there.
    Started(TaskId),
    /// The script's crash.
    Crashed(TaskId),
    /// The end that a stop brought.
    Ended(TaskId, i32),
    /// A line, unless the task has ended by then.
    Printed(TaskId, Report),
    /// What is told whatever became of the task.
    Report(Report),
}

impl Scripted {
    /// Tasks that follow `scripts`; keep a clone of the handle to change them later.
    #[must_use]
    pub fn new(scripts: Scripts) -> Self {
        Self { scripts, tasks: BTreeMap::new(), queue: Timers::default() }
    }

    fn start(&mut self, now: Millis, start: TaskStart) {
        let script = self.scripts.of(&start);
        let pulled = now.plus_millis(script.pull_ms);
        let missing = start
            .containers
            .iter()
            .find(|container| container.repository.is_some() && container.digest.is_none());
        let failed =
            missing.map(|container| cannot_pull(&container.image)).or_else(|| script.fails_to_start.clone());
        if let Some(reason) = failed {
            self.queue.push(pulled, Entry::Report(Report::FailedToStart { task: start.task, reason }));
            return;
        }
        self.queue.push(pulled, Entry::Started(start.task.clone()));
        self.tasks.insert(start.task.clone(), Task { start, script, started: None, stopping: false });
    }

    fn started(&mut self, at: Millis, id: &TaskId) -> Option<Report> {
        let task = self.tasks.get_mut(id)?;
        task.started = Some(at);
        for (after, line) in &task.script.log {
            for (group, stream) in task.start.containers.iter().filter_map(|container| container.logs.clone())
            {
                let line = Report::Log { group, stream, line: line.clone() };
                self.queue.push(at.plus_millis(*after), Entry::Printed(id.clone(), line));
            }
        }
        if let Some(crash) = &task.script.crash {
            self.queue.push(at.plus_millis(crash.after_ms), Entry::Crashed(id.clone()));
        }
        Some(Report::Running { task: id.clone() })
    }

    fn crashed(&mut self, at: Millis, id: &TaskId) -> Option<Report> {
        let crash = self.tasks.get(id)?.script.crash.clone()?;
        self.end(at, id, crash.exit_code, crash.reason)
    }

    /// Every container ends: the first one's report is given, the others' are queued for the same moment.
    fn end(&mut self, at: Millis, id: &TaskId, exit_code: i32, reason: Option<String>) -> Option<Report> {
        let task = self.tasks.remove(id)?;
        let mut reports = task.start.containers.iter().map(|container| Report::Exited {
            task: id.clone(),
            container: container.name.clone(),
            exit_code,
            reason: reason.clone(),
        });
        let first = reports.next();
        for report in reports {
            self.queue.push(at, Entry::Report(report));
        }
        first
    }

    fn stop(&mut self, now: Millis, id: TaskId, timeout_secs: u64) {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| !task.stopping) else { return };
        if task.started.is_none() {
            // What has not started cannot end: there is nothing to report.
            self.tasks.remove(&id);
            return;
        }
        task.stopping = true;
        let killed = timeout_secs * 1000;
        let deaf = task.script.ignores_sigterm || task.script.stop_ms >= killed;
        let (after, exit_code) =
            if deaf { (killed, 137) } else { (task.script.stop_ms, task.script.stop_exit_code) };
        self.queue.push(now.plus_millis(after), Entry::Ended(id, exit_code));
    }

    /// What the task answers to a GET of `path` at `now`.
    fn answer(&self, now: Millis, id: &TaskId, path: &str) -> Answer {
        match self.tasks.get(id).and_then(|task| Some((task, task.started?))) {
            Some((task, started)) => task.script.answer(now.since(started), path),
            None => Answer::Refused,
        }
    }
}

impl VirtualWorkload for Scripted {
    fn effect(&mut self, now: Millis, effect: Effect) {
        match effect {
            Effect::Start(start) => self.start(now, *start),
            Effect::Stop { task, timeout_secs } => self.stop(now, task, timeout_secs),
            Effect::CheckContainer { task, container, .. } => {
                let healthy = self
                    .tasks
                    .get(&task)
                    .and_then(|known| Some(known.script.container_healthy(now.since(known.started?))))
                    .unwrap_or(false);
                let report = Report::ContainerHealth { task, container, healthy };
                self.queue.push(now.plus_millis(ANSWER_MS), Entry::Report(report));
            }
            Effect::CheckTarget { target_group, task, path, timeout_secs, .. } => {
                let answer = self.answer(now, &task, &path);
                let after = if answer == Answer::TimedOut { timeout_secs * 1000 } else { ANSWER_MS };
                let report = Report::TargetHealth { target_group, task, answer };
                self.queue.push(now.plus_millis(after), Entry::Report(report));
            }
        }
    }

    fn next(&self) -> Option<Millis> {
        self.queue.next()
    }

    fn pop_due(&mut self, now: Millis) -> Option<(Millis, Report)> {
        // An entry of a task that has ended since then gives no report.
        loop {
            let (at, entry) = self.queue.pop_due(now)?;
            let report = match entry {
                Entry::Started(id) => self.started(at, &id),
                Entry::Crashed(id) => self.crashed(at, &id),
                Entry::Ended(id, exit_code) => self.end(at, &id, exit_code, None),
                Entry::Printed(id, line) => self.tasks.contains_key(&id).then_some(line),
                Entry::Report(report) => Some(report),
            };
            if let Some(report) = report {
                return Some((at, report));
            }
        }
    }
}
