//! A command as a task of its own, beside a service: started, followed to its end, stopped when somebody asks.
//!
//! Such a task has the service's image, variables, secrets, roles and network. It is no client of Service Connect, which ECS
//! gives to tasks of services only.

use std::time::Duration;

use deploy::model::spec::ServiceSpec;
use deploy::model::{Environment, Kind as EnvironmentKind, Service};
use deploy::rollout::{Diagnosis, Evidence, TaskLog, TaskSnapshot, diagnose};

use crate::aws::{Aws, Error, RunTask};
use crate::host::{Clock, Halt};
use crate::logs::TaskPrints;

const EVERY: Duration = Duration::from_secs(1);
/// Readings after the end that bring nothing before all is taken for read: CloudWatch shows a line some seconds after it was
/// written.
const QUIET: u32 = 3;

#[derive(Debug)]
pub struct OneOff<'a> {
    pub service: &'a Service,
    /// Whose network the task has.
    pub spec: &'a ServiceSpec,
    pub revision: String,
    pub command: &'a [String],
    pub memory_mib: Option<u32>,
    /// At most 128 letters, digits and `-_/`.
    pub started_by: String,
    /// A second start with the same token starts nothing.
    pub token: String,
}

#[derive(Debug)]
pub struct Done {
    /// Of the service's own container; `None` when it never ran.
    pub exit_code: Option<i32>,
    /// Somebody asked for its end.
    pub stopped: bool,
    pub diagnosis: Diagnosis,
}

/// # Errors
/// When AWS refuses, or cannot place the task.
pub async fn start(aws: &Aws, run: OneOff<'_>) -> Result<String, Error> {
    let OneOff { service, spec, revision, command, memory_mib, started_by, token } = run;
    let container = &service.container.name;
    aws.run_task(&RunTask { spec, revision, container, command, memory_mib, started_by, token }).await
}

/// Passes on what the task prints until it is over. When a stop is asked for, ECS is asked to stop the task, and its last words
/// are passed on too.
///
/// # Errors
/// When the task cannot be read for good, or ECS refuses to stop it.
pub async fn follow(
    aws: &Aws,
    clock: &Clock,
    halt: &Halt,
    (environment, service, task): (&Environment, &Service, &str),
    print: &mut dyn FnMut(&[String]),
) -> Result<Done, Error> {
    let cluster = environment.cluster.as_str();
    let mut prints = TaskPrints::of(service, task);
    let mut stopped = false;
    let over = loop {
        let found = aws.describe_tasks(cluster, &[task.to_owned()]).await?.pop();
        // What cannot be read now is read next time.
        if let Ok(lines) = prints.read(aws).await {
            print(&lines);
        }
        // What was started a moment ago may not be found yet.
        if let Some(found) = found.filter(|found| found.is_stopped()) {
            break found;
        }
        if halt.asked() && !std::mem::replace(&mut stopped, true) {
            aws.stop_task(cluster, task, "stopped by whoever started it").await?;
        }
        tokio::select! {
            biased;
            () = halt.wait(), if !stopped => {}
            () = clock.sleep(EVERY) => {}
        }
    };
    let mut quiet = 0;
    while quiet < QUIET {
        match prints.read(aws).await {
            Ok(lines) if !lines.is_empty() => {
                print(&lines);
                quiet = 0;
            }
            _ => quiet += 1,
        }
        clock.sleep(EVERY).await;
    }
    let own = over.containers.iter().find(|container| container.name == service.container.name);
    let exit_code = own.and_then(|container| container.exit_code);
    Ok(Done { exit_code, stopped, diagnosis: why(environment, service, over, prints.lines) })
}

fn why(environment: &Environment, service: &Service, task: TaskSnapshot, lines: Vec<String>) -> Diagnosis {
    let container = service.container.name.clone();
    diagnose(&Evidence {
        logs: vec![TaskLog { task: task.id.clone(), container, lines: lines.clone(), last_ms: None }],
        log_tail: lines,
        port: service.container.port,
        stopped: vec![task],
        embedded: environment.kind == EnvironmentKind::Local,
        ..Evidence::default()
    })
}
