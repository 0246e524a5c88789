//! Lines as they come, and the tasks that begin and end meanwhile.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use deploy::logs::{LogEntry, LogEvent};
use deploy::model::{Environment, Service, ServiceKey, arn_name};
use deploy::rollout::{TaskSnapshot, never_started};
use futures_util::future::join_all;

use super::source::{self, merge};
use super::{Error, Wanted};
use crate::aws::{self, Aws, Kind};
use crate::host::{Clock, Mark};
use crate::observe;

/// FilterLogEvents takes 5 calls a second of an account in the smallest regions: one who looks leaves most of them to others.
const EVERY_CALL: Duration = Duration::from_millis(500);
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);
/// How often tasks are read.
const TASKS_EVERY: Duration = Duration::from_secs(5);

/// Passes on what was printed since then, and goes on until the future is dropped.
///
/// # Errors
/// [`Error`] when nothing that is meant logs to CloudWatch, or the caller may not read it. Throttling, failures inside AWS
/// and lost connections are waited out.
pub async fn follow(
    aws: &Aws,
    environment: &Environment,
    clock: &Clock,
    wanted: Wanted<'_>,
    show: &mut dyn FnMut(LogEntry),
) -> Result<Infallible, Error> {
    observe::guard(aws, environment).await?;
    let mut sources = source::all(wanted)?;
    let mut gaps = Gaps::default();
    let mut tasks = Tasks::default();
    let mut read: Option<Mark> = None;
    let every =
        EVERY_CALL.saturating_mul(u32::try_from(sources.len()).unwrap_or(u32::MAX)).max(AT_LEAST_EVERY);
    loop {
        // Read before the lines, so that a task's last words stand before its end.
        let mut moved = Vec::new();
        if read.is_none_or(|read| read.elapsed() >= TASKS_EVERY) {
            read = Some(clock.mark());
            moved = tasks.moved(aws, environment, wanted, clock.now_ms(), &mut gaps, show).await?;
        }
        let mut failed = Vec::new();
        merge(aws, &mut sources, show, &mut failed).await;
        let broken: BTreeSet<_> = failed.iter().map(|(service, _)| service.clone()).collect();
        gaps.lines.retain(|service| broken.contains(service));
        for (service, error) in failed {
            let first = gaps.lines.insert(service.clone());
            gap(service, error, first, clock.now_ms(), show)?;
        }
        moved.into_iter().for_each(&mut *show);
        clock.sleep(every).await;
    }
}

/// The services whose lines or tasks cannot be read at the moment, which is said once.
#[derive(Default)]
struct Gaps {
    lines: BTreeSet<ServiceKey>,
    tasks: BTreeSet<ServiceKey>,
}

/// Says that something cannot be read, unless waiting does not mend it.
fn gap(
    service: ServiceKey,
    error: aws::Error,
    first: bool,
    at_ms: u64,
    show: &mut dyn FnMut(LogEntry),
) -> Result<(), Error> {
    let passes = matches!(
        error.kind,
        Kind::Throttled
            | Kind::ServerFault
            | Kind::TimedOut
            | Kind::Incomplete
            | Kind::Unreachable { permanent: false }
    );
    if !passes {
        return Err(Error::of(&service, error));
    }
    if first {
        let what = LogEvent::Interrupted { error: error.to_string() };
        show(LogEntry { at_ms, service, task: None, what });
    }
    Ok(())
}

/// The tasks that were seen so far: running ones, and those that have ended.
#[derive(Default)]
struct Tasks {
    running: BTreeSet<String>,
    stopped: BTreeSet<String>,
    began: bool,
}

impl Tasks {
    /// What became of tasks since they were read last. The first time that is nothing: they are where they are.
    async fn moved(
        &mut self,
        aws: &Aws,
        environment: &Environment,
        wanted: Wanted<'_>,
        now_ms: u64,
        gaps: &mut Gaps,
        show: &mut dyn FnMut(LogEntry),
    ) -> Result<Vec<LogEntry>, Error> {
        let mut moved = Vec::new();
        let reads = wanted.services.iter().map(|service| both(aws, environment, service));
        let mut complete = true;
        for (service, read) in wanted.services.iter().zip(join_all(reads).await) {
            match read {
                Ok(tasks) => {
                    gaps.tasks.remove(&service.key);
                    let meant = |task: &TaskSnapshot| wanted.task.is_none_or(|id| task.id.starts_with(id));
                    let news = tasks
                        .iter()
                        .filter(|task| meant(task))
                        .filter_map(|task| self.news(service, task, now_ms));
                    moved.extend(news);
                }
                // A service that is gone, or not there yet, has no tasks.
                Err(error) if error.kind == Kind::NotFound => {}
                Err(error) => {
                    complete = false;
                    let first = gaps.tasks.insert(service.key.clone());
                    gap(service.key.clone(), error, first, now_ms, show)?;
                }
            }
        }
        if !self.began {
            moved.clear();
        }
        self.began |= complete;
        moved.sort_by_key(|entry| entry.at_ms);
        Ok(moved)
    }

    fn news(&mut self, service: &Service, task: &TaskSnapshot, now_ms: u64) -> Option<LogEntry> {
        let entry = |at_ms, what| {
            Some(LogEntry { at_ms, service: service.key.clone(), task: Some(task.id.clone()), what })
        };
        match task.last_status.as_str() {
            "STOPPED" if self.stopped.insert(task.id.clone()) => {
                entry(task.stopped_ms.unwrap_or(now_ms), end(task))
            }
            "RUNNING" if self.running.insert(task.id.clone()) => {
                let revision = arn_name(&task.task_definition).to_owned();
                entry(task.started_ms.unwrap_or(now_ms), LogEvent::Started { revision })
            }
            _ => None,
        }
    }
}

pub(super) async fn both(
    aws: &Aws,
    environment: &Environment,
    service: &Service,
) -> Result<Vec<TaskSnapshot>, aws::Error> {
    let running = aws.service_tasks(&environment.cluster, &service.name, false).await?;
    Ok([running, aws.service_tasks(&environment.cluster, &service.name, true).await?].concat())
}

pub(super) fn end(task: &TaskSnapshot) -> LogEvent {
    let words = [task.stop_code.as_deref(), task.stopped_reason.as_deref()];
    let ended = |it: &deploy::rollout::ContainerSnapshot| {
        let (code, reason) = (it.exit_code?, it.reason.as_deref().unwrap_or_default());
        let how = if never_started(code, reason) {
            "never started".to_owned()
        } else {
            format!("exit code {code}")
        };
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        Some(format!("{} {how}{reason}", it.name))
    };
    LogEvent::Stopped {
        reason: words.into_iter().flatten().collect::<Vec<_>>().join(": "),
        containers: task.containers.iter().filter_map(ended).collect(),
    }
}
