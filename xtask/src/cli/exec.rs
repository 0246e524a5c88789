//! `exec`: a command in a running task, on this terminal.

use std::path::Path;

use deploy::event::ExitCode;
use deploy::model::{Kind as Place, arn_name};
use sim::workload::machine::Note;

use super::args::{self, Global};
use super::session::{Session, Settings};
use super::{Failure, observed};
use crate::exec::{self, Target, Wanted};
use crate::host::{Host, Program, Signal, Signals};
use crate::local::Local;
use crate::report::{Recorder, Screen};

/// Runs the command and gives its exit code.
pub(super) async fn run(host: &Host, global: &Global, asked: &args::Exec) -> Result<u8, Failure> {
    let events = Recorder::new(host.clock.clone(), Screen::quiet(global.output, global.verbose));
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let state = Local::of(host, &settings.workspace.root).dir().to_owned();
    let session = Session::look(host, &events, settings).await?.ok_or_else(observed::not_running)?;
    let wanted = Wanted {
        service: &asked.service,
        task: asked.task.as_deref(),
        container: asked.container.as_deref(),
    };
    let target = exec::find(&session.aws, &environment, wanted).await.map_err(|error| failure(&error))?;
    let program = match environment.kind {
        Place::Aws => on_ecs(host, &target, &environment.region, &asked.command)?,
        Place::Local => on_an_engine(host, &state, &target, &asked.command).await?,
    };
    on_this_terminal(host, &program).await
}

fn failure(error: &exec::Error) -> Failure {
    let failure = Failure::from_error(error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn on_ecs(host: &Host, target: &Target, region: &str, command: &[String]) -> Result<Program, Failure> {
    if !target.takes_commands {
        let task = arn_name(&target.task);
        return Err(failure(&exec::Error::Closed(task.to_owned())));
    }
    for (program, what, page) in [
        (
            "aws",
            "the AWS CLI",
            "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
        ),
        (
            "session-manager-plugin",
            "the AWS CLI's Session Manager plugin",
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html",
        ),
    ] {
        if host.shell.find(program).is_none() {
            let text = format!("`{program}` is not installed, or not on PATH: ECS Exec needs {what}");
            return Err(Failure::usage(text).hint(format!("install it: {page}")));
        }
    }
    Ok(exec::ecs(target, region, command))
}

/// By the engine that the embedded cloud uses, as the cloud reaches it: this shell may be set to another.
async fn on_an_engine(
    host: &Host,
    state: &Path,
    target: &Target,
    command: &[String],
) -> Result<Program, Failure> {
    let task = arn_name(&target.task);
    let as_process = || {
        Failure::usage(format!("task {task} runs as a process, which has no inside to run a command in"))
            .hint("set `workload = \"containers\"` in [env.local] of deploy.toml, and deploy a change")
    };
    let note = Note::read(state).map_err(|error| Failure::from_error(&error))?.ok_or_else(as_process)?;
    let name = note.program;
    let engine = host.shell.find(name).ok_or_else(|| {
        Failure::usage(format!("the tasks are in containers of {name}, which is not on PATH"))
    })?;
    let reached = |mut program: Program| {
        program.env.extend(note.variables.clone());
        program
    };
    let output = host.shell.capture(&reached(exec::containers(&engine, target))).await;
    let output = output.map_err(|error| Failure::from_error(&error))?;
    if !output.exit.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let text = format!("{name} has the tasks' containers and does not answer: {}", said.trim());
        return Err(Failure::usage(text).hint("start it"));
    }
    let ids = String::from_utf8_lossy(&output.stdout);
    let id = ids.lines().next().ok_or_else(as_process)?;
    let terminal = host.terminal.stdin && host.terminal.stdout;
    Ok(reached(exec::in_container(&engine, id, terminal, command)))
}

/// Runs it to its end. A Ctrl-C in the terminal is for the command.
async fn on_this_terminal(host: &Host, program: &Program) -> Result<u8, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::from_error(&error))?;
    let mut command = std::pin::pin!(host.shell.interactive(program));
    loop {
        tokio::select! {
            biased;
            ended = command.as_mut() => {
                let exit = ended.map_err(|error| Failure::from_error(&error))?;
                let code = exit.code.and_then(|code| u8::try_from(code).ok());
                return Ok(code.unwrap_or(ExitCode::Interrupted.code()));
            }
            signal = signals.next() => if signal == Signal::Terminate {
                return Ok(ExitCode::Interrupted.code());
            }
        }
    }
}

#[cfg(all(test, unix))]
#[path = "exec_tests.rs"]
mod tests;
