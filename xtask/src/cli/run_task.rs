//! `run`: a command as a task of its own. Its output is this tool's output, and its exit code this tool's exit code.

use deploy::event::ExitCode;
use deploy::history::history;
use deploy::model::{Environment, Service, ServiceState, short_id};
use serde_json::json;

use super::args::{self, Global};
use super::session::{Session, Settings, quiet};
use super::{Failure, consent, meant, observed};
use crate::host::{Actor, Halt, Host, Signals};
use crate::one_off::{self, Done, OneOff};
use crate::report::{Format, pass_on, print_error, print_result};
use crate::{aws, observe};

/// Revisions of each service among which a release is looked for.
const MOST: usize = 50;

pub(super) async fn run(host: &Host, global: &Global, asked: &args::Run) -> Result<u8, Failure> {
    let events = quiet(host, global);
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let service = meant::service(&environment, &asked.service)?;
    let session = Session::running(host, &events, settings).await?;
    let aws = &session.aws;
    let found = observe::account(aws, &environment).await.map_err(|error| observed::failure(&error))?;
    let state = found
        .services
        .get(&service.key)
        .filter(|state| state.is_active())
        .ok_or_else(|| observed::failure(&observe::Error::NotDeployed(vec![service.name.clone()])))?;
    let revision = revision(&session, &environment, service, state, asked.release.as_deref()).await?;
    let name = aws::arn_name(&revision).to_owned();
    let run = OneOff {
        service,
        spec: &state.spec,
        revision,
        command: &asked.command,
        memory_mib: asked.memory,
        started_by: started_by(host),
        token: format!("run-{:016x}{:016x}", host.rng.next_u64(), host.rng.next_u64()),
    };
    consent::asked(host, global, &events, &environment, "a task").await?;
    let mut signals = Signals::listen().map_err(|error| Failure::from_error(&error))?;
    let task = one_off::start(aws, run).await.map_err(|error| failure(&error))?;
    let short = short_id(&task);
    // On standard error: standard output is the command's.
    print_error(&format!("task {short} of {name} starts; Ctrl-C stops it"));
    let (switch, halt) = Halt::new();
    halt.heed(true);
    let mut print = |lines: &[String]| {
        for line in lines {
            match global.output {
                // The command's own words, whatever this terminal can show. A reader that has gone away is no error.
                Format::Text | Format::Markdown => drop(pass_on(format!("{line}\n").as_bytes())),
                Format::Json => {
                    print_result(&json!({ "event": "line", "task": task, "message": line }).to_string());
                }
            }
        }
    };
    let place = (&environment, service, task.as_str());
    let mut follow = std::pin::pin!(one_off::follow(aws, &host.clock, &halt, place, &mut print));
    let done = loop {
        tokio::select! {
            biased;
            done = follow.as_mut() => break done.map_err(|error| failure(&error))?,
            _ = signals.next() => {
                if !switch.ask() {
                    print_error(&format!("warning: task {short} is left as it is"));
                    return Ok(ExitCode::Interrupted.code());
                }
                print_error(&format!("stopping task {short}; press Ctrl-C again to leave it"));
            }
        }
    };
    if global.output == Format::Json {
        let object =
            json!({ "event": "ended", "task": task, "exit_code": done.exit_code, "stopped": done.stopped });
        print_result(&object.to_string());
    }
    Ok(ended(service, short, &done))
}

fn ended(service: &Service, task: &str, done: &Done) -> u8 {
    match done {
        Done { stopped: true, .. } => {
            print_error(&format!("task {task} was stopped"));
            ExitCode::Interrupted.code()
        }
        Done { exit_code: Some(code), .. } => u8::try_from(*code).unwrap_or(u8::MAX),
        Done { exit_code: None, diagnosis, .. } => {
            print_error(&deploy::view::failure(&service.key, diagnosis));
            print_error(&format!("error: task {task} did not run"));
            ExitCode::Failed.code()
        }
    }
}

/// The revision that the service runs, or ran with a release.
async fn revision(
    session: &Session,
    environment: &Environment,
    service: &Service,
    state: &ServiceState,
    release: Option<&str>,
) -> Result<String, Failure> {
    let Some(name) = release else { return Ok(state.task_definition.arn.clone()) };
    let read = observe::history(&session.aws, environment, MOST).await;
    let read = read.map_err(|error| observed::failure(&error))?;
    let past = history(&read.facts).into_iter().find(|past| past.release == name);
    let run = past.and_then(|mut past| past.runs.remove(&service.key));
    run.map(|run| run.revision).ok_or_else(|| {
        Failure::usage(format!("what {} ran with release {name} is not known", service.key))
            .hint("`cargo xtask history` lists the releases")
    })
}

/// Who started it, in what ECS takes (RunTask, `startedBy`).
fn started_by(host: &Host) -> String {
    let Actor { name, .. } = Actor::system(&host.env, &host.shell);
    let fits = |c: char| if c.is_ascii_alphanumeric() || "-_/".contains(c) { c } else { '-' };
    format!("run/{}", name.chars().map(fits).take(100).collect::<String>())
}

fn failure(error: &aws::Error) -> Failure {
    Failure::hinted(error, error.hint()).exit(ExitCode::Failed)
}
