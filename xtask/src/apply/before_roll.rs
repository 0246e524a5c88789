//! A task that runs once as the new revision, before anything rolls. Its exit code decides whether the release continues.

use std::time::{Duration, UNIX_EPOCH};

use deploy::event::Kind;
use deploy::history::BEFORE_ROLL;
use deploy::model::spec::ServiceSpec;
use deploy::model::{BeforeRoll, Kind as EnvironmentKind, Service, arn_name, short_id};
use deploy::plan::task_token;
use deploy::rollout::{Diagnosis, Evidence, TaskLog, TaskSnapshot, diagnose, overdue};
use deploy::view::duration;

use super::StepContext;
use super::step::StepError;
use crate::aws::{RunTask, Tags};
use crate::host::Mark;
use crate::logs::TaskPrints;

/// How long a stopped task may take: the longest `stopTimeout` that Fargate takes is 120 s, and the rest is ECS's.
const STOPS_WITHIN: Duration = Duration::from_secs(240);
/// Lines that a diagnosis keeps.
const LAST_LINES: usize = 500;

/// Runs the task, or follows the one that an earlier run of the tool started for this very revision.
pub(super) async fn run(
    context: &StepContext<'_>,
    service: &Service,
    spec: &ServiceSpec,
    revision: &str,
    asked: &BeforeRoll,
) -> Result<String, StepError> {
    let StepContext { aws, events, .. } = context;
    let mark = events.clock().mark();
    let (cluster, family) = (&spec.cluster, &service.family);
    // Two lists, because ListTasks filters by `desiredStatus`: a task that failed is listed under STOPPED only.
    let mut earlier: Vec<TaskSnapshot> =
        [aws.family_tasks(cluster, family, false).await?, aws.family_tasks(cluster, family, true).await?]
            .concat();
    earlier.retain(|task| task.started_by == BEFORE_ROLL);
    // Also what is stopping, which the plan does not see.
    let of_another = |task: &&TaskSnapshot| task.task_definition != revision && !task.is_stopped();
    for task in earlier.iter().filter(of_another) {
        end(context, cluster, &task.id, arn_name(&task.task_definition), asked.timeout_secs).await?;
    }
    // The revision and not the release: a rerun after a kill has another name, and the same revision.
    earlier.retain(|task| task.task_definition == revision);
    let usable = earlier.iter().find(|task| exit_code(task, service) == Some(0) || !task.is_stopped());
    let id = match usable {
        Some(task) => task.id.clone(),
        None => {
            // The same token for the same attempt: a RunTask whose reply was lost is repeated without a second task (kept 24 h).
            let token = task_token(revision, earlier.len());
            let (revision, command) = (revision.to_owned(), &asked.command);
            let (container, started_by) = (&service.container.name, BEFORE_ROLL.to_owned());
            let memory_mib = None;
            aws.run_task(&RunTask { spec, revision, container, command, memory_mib, started_by, token })
                .await?
        }
    };
    let mut log = TaskPrints::of(service, &id);
    let deadline = events.clock().mark().after(Duration::from_secs(asked.timeout_secs));
    let mut wait = Wait::new(context, &id, deadline);
    let task = loop {
        let found = aws.describe_tasks(cluster, std::slice::from_ref(&id)).await?.pop();
        print(context, service, &mut log).await;
        // DescribeTasks may answer MISSING for seconds after RunTask (ECS API reference, RunTask, "eventual consistency").
        if let Some(task) = found.clone().filter(|task| task.is_stopped()) {
            break task;
        }
        if deadline.remaining().is_zero() {
            let late = TaskSnapshot { id, ..found.unwrap_or_default() };
            return Err(stopped(context, service, asked, cluster, late, log).await?);
        }
        wait.pause().await;
    };
    // Once more: CloudWatch shows the last lines some seconds after the container has exited.
    print(context, service, &mut log).await;
    match exit_code(&task, service) {
        Some(0) => {
            context.ids.learn(|ids| {
                ids.ran.insert(service.key.clone());
            });
            mark_as_run(context, revision).await;
            let took =
                task.started_ms.zip(task.stopped_ms).map(|(from, to)| duration(to.saturating_sub(from)));
            Ok(format!("exit code 0 after {}", took.unwrap_or_else(|| duration(mark.elapsed_ms()))))
        }
        code => Err(failed(context, service, task, log, code)),
    }
}

/// Waits for the end of a task that a killed run left, and stops it when that takes longer than `limit_secs`.
pub(super) async fn end(
    context: &StepContext<'_>,
    cluster: &str,
    task: &str,
    of: &str,
    limit_secs: u64,
) -> Result<String, StepError> {
    let clock = context.events.clock();
    let limit = clock.mark().after(Duration::from_secs(limit_secs));
    if is_over(context, cluster, task, limit).await? {
        return Ok("is over".to_owned());
    }
    context.aws.stop_task(cluster, task, "left by an earlier run of this tool").await?;
    if is_over(context, cluster, task, clock.mark().after(STOPS_WITHIN)).await? {
        return Ok("was stopped".to_owned());
    }
    Err(StepError::BeforeRoll(format!("task {} before the roll of {of} does not stop", short_id(task))))
}

async fn is_over(
    context: &StepContext<'_>,
    cluster: &str,
    task: &str,
    deadline: Mark,
) -> Result<bool, StepError> {
    let mut wait = Wait::new(context, task, deadline);
    loop {
        let found = context.aws.describe_tasks(cluster, &[task.to_owned()]).await?.pop();
        // ECS forgets a stopped task after about an hour: one of an earlier run that is not found has ended long ago.
        if found.is_none_or(|task| task.is_stopped()) {
            return Ok(true);
        }
        if deadline.remaining().is_zero() {
            return Ok(false);
        }
        wait.pause().await;
    }
}

/// The pauses between two looks at a task.
struct Wait<'a> {
    context: &'a StepContext<'a>,
    task: &'a str,
    deadline: Mark,
    /// Whether a stop was asked for, and what goes on was said.
    said: bool,
}

impl<'a> Wait<'a> {
    fn new(context: &'a StepContext<'a>, task: &'a str, deadline: Mark) -> Self {
        Self { context, task, deadline, said: false }
    }

    /// A stop that is asked for does not reach the task: a migration that is cut off is worse than a late one.
    async fn pause(&mut self) {
        let Self { context, task, deadline, said } = self;
        let left = deadline.remaining();
        let every = Duration::from_secs(context.environment.timeouts.poll_secs).min(left);
        tokio::select! {
            biased;
            () = context.halt.wait(), if !*said => {
                *said = true;
                let text = format!(
                    "task {} before the roll continues, because cut off it may leave its work half done: waiting for its \
                     end, at most {}; nothing rolls after it",
                    short_id(task),
                    duration(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
                );
                context.events.emit(Kind::Warned { text });
            }
            () = context.events.clock().sleep(every) => {}
        }
    }
}

/// Stops the task whose time is over, and says what it was at.
async fn stopped(
    context: &StepContext<'_>,
    service: &Service,
    asked: &BeforeRoll,
    cluster: &str,
    late: TaskSnapshot,
    mut log: TaskPrints,
) -> Result<StepError, StepError> {
    let StepContext { aws, events, .. } = context;
    let (id, secs) = (late.id.clone(), asked.timeout_secs);
    aws.stop_task(cluster, &id, "its time before the roll is over").await?;
    // Its last lines may come with its end.
    is_over(context, cluster, &id, events.clock().mark().after(STOPS_WITHIN)).await?;
    print(context, service, &mut log).await;
    let ended = aws.describe_tasks(cluster, std::slice::from_ref(&id)).await?.pop();
    let cause = overdue(&late, service, secs, log.lines.last().map(String::as_str));
    let diagnosis = diagnose(&evidence(context, service, ended.unwrap_or_else(|| late.clone()), log));
    diagnosed(context, service, Diagnosis { cause: Some(cause), ..diagnosis });
    let containers: Vec<_> =
        late.containers.iter().map(|it| format!("{} {}", it.name, it.last_status)).collect();
    let containers = containers.join(", ");
    Ok(StepError::BeforeRoll(format!(
        "task {} was stopped: still running after {secs} s ({containers})",
        short_id(&id)
    )))
}

/// Emits the diagnosis of the failure, as for a task of a service.
fn failed(
    context: &StepContext<'_>,
    service: &Service,
    task: TaskSnapshot,
    log: TaskPrints,
    code: Option<i32>,
) -> StepError {
    let id = short_id(&task.id).to_owned();
    let how = match code {
        Some(code) => format!("task {id} exited with code {code}"),
        None => {
            format!("task {id} did not run: {}", task.stopped_reason.as_deref().unwrap_or("no reason given"))
        }
    };
    diagnosed(context, service, diagnose(&evidence(context, service, task, log)));
    StepError::BeforeRoll(how)
}

fn diagnosed(context: &StepContext<'_>, service: &Service, diagnosis: Diagnosis) {
    let (service, diagnosis) = (service.key.clone(), Box::new(diagnosis));
    context.events.emit(Kind::Diagnosed { service, diagnosis });
}

fn evidence(context: &StepContext<'_>, service: &Service, task: TaskSnapshot, log: TaskPrints) -> Evidence {
    let from = log.lines.len().saturating_sub(LAST_LINES);
    let lines = log.lines[from..].to_vec();
    let container = service.container.name.clone();
    Evidence {
        log_tail: lines.clone(),
        logs: vec![TaskLog { task: task.id.clone(), container, lines, last_ms: None }],
        port: service.container.port,
        stopped: vec![task],
        embedded: context.environment.kind == EnvironmentKind::Local,
        ..Evidence::default()
    }
}

/// Tags the revision: the tag outlives the task, which ECS forgets after an hour.
async fn mark_as_run(context: &StepContext<'_>, revision: &str) {
    let now = UNIX_EPOCH + Duration::from_millis(context.aws.now_ms());
    let tags = Tags::from([(BEFORE_ROLL.to_owned(), humantime::format_rfc3339_seconds(now).to_string())]);
    if let Err(error) = context.aws.tag_ecs_resource(revision, &tags).await {
        let text = format!(
            "{} could not be tagged: a rerun may run its task once more: {error}",
            arn_name(revision)
        );
        context.events.emit(Kind::Warned { text });
    }
}

/// How the service's own container ended; `None` while it runs, and when it never ran.
fn exit_code(task: &TaskSnapshot, service: &Service) -> Option<i32> {
    let own = task.containers.iter().find(|container| container.name == service.container.name)?;
    own.exit_code.filter(|_| task.is_stopped())
}

/// Emits what the task printed since then. A log that cannot be read changes nothing of how the task ends.
async fn print(context: &StepContext<'_>, service: &Service, log: &mut TaskPrints) {
    let kind = match log.read(context.aws).await {
        Ok(lines) if lines.is_empty() => return,
        Ok(lines) => Kind::Printed { service: service.key.clone(), lines },
        Err(error) => Kind::Warned {
            text: format!("{}: cannot read the log of its task before the roll: {error}", service.key),
        },
    };
    context.events.emit(kind);
}
