//! `exec`: a command in a running task, on this terminal or in this pipe.

use std::io::ErrorKind;

use deploy::event::ExitCode;
use deploy::model::arn_name;
use serde_json::json;

use super::args::{self, Global};
use super::session::{Session, Settings, quiet};
use super::{Failure, meant};
use crate::exec::{self, Ended, Error, Streams, Wanted};
use crate::host::{Host, Signals, Terminal};
use crate::report::{Format, pass_on, print_error, print_result};

/// What a shell reports of a program that is not there.
const NOT_FOUND: u8 = 127;
/// What a shell reports of a program whose reader has gone: 128 and SIGPIPE.
const NO_READER: u8 = 141;

/// Runs the command and gives its exit code.
pub(super) async fn run(host: &Host, global: &Global, asked: &args::Exec) -> Result<u8, Failure> {
    let events = quiet(host, global);
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let service = meant::service(&environment, &asked.service)?;
    let session = Session::running(host, &events, settings).await?;
    let wanted = Wanted { service, task: asked.task.as_deref(), container: asked.container.as_deref() };
    let target = exec::find(&session.aws, &environment, wanted).await.map_err(|error| failure(&error))?;
    let is_json = global.output == Format::Json;
    let mut kept = Vec::new();
    let mut output = |bytes: &[u8]| {
        if is_json {
            kept.extend_from_slice(bytes);
            return Ok(());
        }
        pass_on(bytes)
    };
    let streams = Streams {
        input: Some(Terminal::input()),
        output: &mut output,
        terminal: host.terminal.stdin && host.terminal.stdout && !is_json,
        signals: Some(Signals::listen().map_err(|error| Failure::from_error(&error))?),
    };
    let ended = match exec::run(host, &session.aws, &target, &asked.command, streams).await {
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => return Ok(NO_READER),
        ended => ended.map_err(|error| failure(&error))?,
    };
    let (code, trouble) = match ended {
        Ended::Code(code) => (code, None),
        Ended::NotStarted(why) => (NOT_FOUND, Some(format!("cannot start the command: {why}"))),
        Ended::Unknown(why) => {
            (ExitCode::Unknown.code(), Some(format!("the command's exit code is not known: {why}")))
        }
        Ended::Interrupted => (ExitCode::Interrupted.code(), Some("interrupted".to_owned())),
    };
    if is_json {
        let object = json!({
            "service": asked.service,
            "task": arn_name(&target.task),
            "container": target.container,
            "output": String::from_utf8_lossy(&kept),
            "exit": code,
            "trouble": trouble,
        });
        print_result(&object.to_string());
    } else if let Some(trouble) = trouble {
        print_error(&format!("error: {trouble}"));
    }
    Ok(code)
}

fn failure(error: &Error) -> Failure {
    Failure::hinted(error, error.hint())
}
