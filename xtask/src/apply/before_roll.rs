//! A task that runs once as the new revision, before anything rolls. Its exit code decides whether the release continues.

use std::time::{Duration, UNIX_EPOCH};

use deploy::event::Kind;
use deploy::history::BEFORE_ROLL;
use deploy::model::spec::ServiceSpec;
use deploy::model::{BeforeRoll, Service, arn_name};
use deploy::plan::task_token;
use deploy::rollout::{ContainerSnapshot, Evidence, TaskLog, TaskSnapshot, diagnose};
use deploy::view::duration;

use super::StepContext;
use super::step::StepError;
use crate::aws::{RunTask, Tags};
use crate::logs::TaskPrints;

/// How long a stopped task may take: the longest `stopTimeout` that Fargate takes is 120 s, and the rest is ECS's.
const STOPS_WITHIN: Duration = Duration::from_secs(240);
/// Lines that a diagnosis keeps.
const LAST_LINES: usize = 200;

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
    // The revision and not the release: a rerun after a kill has another name, and the same revision.
    let started_by = format!("before-roll/{}", arn_name(revision).replace(':', "/"));
    // By family and not by `startedBy`, which ListTasks takes as its only filter: tasks of other revisions matter, too.
    let earlier: Vec<TaskSnapshot> = [
        aws.family_tasks(&spec.cluster, &service.family, false).await?,
        aws.family_tasks(&spec.cluster, &service.family, true).await?,
    ]
    .concat();
    let by_another = |task: &&TaskSnapshot| {
        let before_roll = format!("before-roll/{}/", service.family);
        task.last_status != "STOPPED"
            && task.started_by.starts_with(&before_roll)
            && task.started_by != started_by
    };
    for task in earlier.iter().filter(by_another) {
        outlast(context, service, spec, task, asked).await?;
    }
    let earlier: Vec<_> = earlier.into_iter().filter(|task| task.started_by == started_by).collect();
    let usable =
        earlier.iter().find(|task| exit_code(task, service) == Some(0) || task.last_status != "STOPPED");
    let id = match usable {
        Some(task) => task.id.clone(),
        None => {
            // The same token for the same attempt: a RunTask whose reply was lost is repeated without a second task (kept 24 h).
            let token = task_token(revision, earlier.len());
            let (revision, command) = (revision.to_owned(), &asked.command);
            let container = &service.container.name;
            let memory_mib = None;
            aws.run_task(&RunTask { spec, revision, container, command, memory_mib, started_by, token })
                .await?
        }
    };
    let mut log = TaskPrints::of(service, &id);
    let deadline = events.clock().mark().after(Duration::from_secs(asked.timeout_secs));
    let task = loop {
        let found = aws.describe_tasks(&spec.cluster, std::slice::from_ref(&id)).await?.pop();
        print(context, service, &mut log).await;
        // DescribeTasks may answer MISSING for seconds after RunTask (ECS API reference, RunTask, "eventual consistency").
        if let Some(task) = found.clone().filter(|task| task.last_status == "STOPPED") {
            break task;
        }
        if deadline.remaining().is_zero() {
            aws.stop_task(&spec.cluster, &id, "its time before the roll is over").await?;
            let (task, secs) = (short(&id), asked.timeout_secs);
            let containers = found.map(|task| task.containers).unwrap_or_default();
            let state = |it: &ContainerSnapshot| format!("{} {}", it.name, it.last_status);
            let containers: Vec<_> = containers.iter().map(state).collect();
            return Err(StepError::BeforeRoll(format!(
                "task {task} was stopped: still running after {secs} s ({})",
                containers.join(", ")
            )));
        }
        let every = Duration::from_secs(context.environment.timeouts.poll_secs);
        events.clock().sleep(every.min(deadline.remaining())).await;
    };
    // Once more: CloudWatch shows the last lines some seconds after the container has exited.
    print(context, service, &mut log).await;
    match exit_code(&task, service) {
        Some(0) => {
            context.ids.learn_ran(&service.key);
            mark_as_run(context, revision).await;
            let took =
                task.started_ms.zip(task.stopped_ms).map(|(from, to)| duration(to.saturating_sub(from)));
            Ok(format!("exit code 0 after {}", took.unwrap_or_else(|| duration(mark.elapsed_ms()))))
        }
        code => Err(failed(context, service, task, log, code)),
    }
}

/// Waits for the end of another revision's task, which a killed run left: two migrations at once may break a database. It
/// gets as long as the own task, and is stopped then.
async fn outlast(
    context: &StepContext<'_>,
    service: &Service,
    spec: &ServiceSpec,
    task: &TaskSnapshot,
    asked: &BeforeRoll,
) -> Result<(), StepError> {
    let StepContext { aws, events, .. } = context;
    let (key, id, secs) = (&service.key, short(&task.id), asked.timeout_secs);
    let of = task.started_by.trim_start_matches("before-roll/").replace('/', ":");
    let text = format!(
        "{key}: task {id} before the roll of {of} still runs: waiting until it stops; it is stopped after {secs} s"
    );
    events.emit(Kind::Warned { text });
    let mut deadline = events.clock().mark().after(Duration::from_secs(secs));
    let mut stopping = false;
    loop {
        let found = aws.describe_tasks(&spec.cluster, std::slice::from_ref(&task.id)).await?.pop();
        if found.is_none_or(|task| task.last_status == "STOPPED") {
            return Ok(());
        }
        if deadline.remaining().is_zero() {
            if stopping {
                return Err(StepError::BeforeRoll(format!(
                    "task {id} before the roll of {of} does not stop"
                )));
            }
            aws.stop_task(&spec.cluster, &task.id, "another revision's task is to run before its roll")
                .await?;
            (deadline, stopping) = (events.clock().mark().after(STOPS_WITHIN), true);
        }
        let every = Duration::from_secs(context.environment.timeouts.poll_secs);
        events.clock().sleep(every.min(deadline.remaining())).await;
    }
}

/// Emits the diagnosis of the failure, as for a task of a service.
fn failed(
    context: &StepContext<'_>,
    service: &Service,
    task: TaskSnapshot,
    log: TaskPrints,
    code: Option<i32>,
) -> StepError {
    let id = short(&task.id).to_owned();
    let how = match code {
        Some(code) => format!("task {id} exited with code {code}"),
        None => {
            format!("task {id} did not run: {}", task.stopped_reason.as_deref().unwrap_or("no reason given"))
        }
    };
    let from = log.lines.len().saturating_sub(LAST_LINES);
    let lines = log.lines[from..].to_vec();
    let container = service.container.name.clone();
    let evidence = Evidence {
        log_tail: lines.clone(),
        logs: vec![TaskLog { task: task.id.clone(), container, lines, last_ms: None }],
        port: service.container.port,
        stopped: vec![task],
        ..Evidence::default()
    };
    let (service, diagnosis) = (service.key.clone(), Box::new(diagnose(&evidence)));
    context.events.emit(Kind::Diagnosed { service, diagnosis });
    StepError::BeforeRoll(how)
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
    own.exit_code.filter(|_| task.last_status == "STOPPED")
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
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
