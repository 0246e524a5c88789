//! `exec`: a command in a running task, on this terminal.

use deploy::event::ExitCode;
use deploy::model::Kind as Place;

use super::args::{self, Global};
use super::session::{Session, Settings};
use super::{Failure, observed};
use crate::exec::{self, Target, Wanted};
use crate::host::{Host, Program, Signal, Signals};
use crate::report::{Recorder, Screen};

/// Container engines that the embedded cloud's tasks may run on.
const ENGINES: [&str; 2] = ["docker", "podman"];

/// Runs the command and gives its exit code.
pub(super) async fn run(host: &Host, global: &Global, asked: &args::Exec) -> Result<u8, Failure> {
    let events = Recorder::new(host.clock.clone(), Screen::quiet(global.output, global.verbose));
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let session = Session::look(host, &events, settings).await?.ok_or_else(observed::not_running)?;
    let wanted = Wanted {
        service: &asked.service,
        task: asked.task.as_deref(),
        container: asked.container.as_deref(),
    };
    let target = exec::find(&session.aws, &environment, wanted).await.map_err(|error| failure(&error))?;
    let program = match environment.kind {
        Place::Aws => on_ecs(host, &target, &environment.region, &asked.command)?,
        Place::Local => on_an_engine(host, &target, &asked.command).await?,
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
        let task = target.task.rsplit('/').next().unwrap_or(&target.task);
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

/// The engine that has the task's container. One that does not answer has none.
async fn on_an_engine(host: &Host, target: &Target, command: &[String]) -> Result<Program, Failure> {
    let terminal = host.terminal.stdin && host.terminal.stdout;
    for engine in ENGINES.into_iter().filter_map(|engine| host.shell.find(engine)) {
        let output = host.shell.capture(&exec::containers(&engine, target)).await;
        let output = output.map_err(|error| Failure::from_error(&error))?;
        let ids = String::from_utf8_lossy(&output.stdout);
        if let Some(id) = ids.lines().next().filter(|_| output.exit.success()) {
            return Ok(exec::in_container(&engine, id, terminal, command));
        }
    }
    let task = target.task.rsplit('/').next().unwrap_or(&target.task);
    Err(Failure::usage(format!("task {task} does not run as a container: tasks run as processes here"))
        .hint("set `workload = \"containers\"` in [env.local] of deploy.toml, and deploy"))
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
