//! `logs`: what tasks print. It starts nothing and writes nothing.

use std::cell::Cell;
use std::time::Duration;

use deploy::event::ExitCode;
use deploy::logs::LogEntry;
use deploy::model::arn_name;
use tokio::sync::Notify;

use super::args::{self, Global};
use super::session::{Session, Settings, quiet};
use super::{Failure, meant};
use crate::host::Host;
use crate::logs::{self, Wanted};
use crate::report::{Format, LogScreen, print_error};

/// How far back, when nobody says.
const HOUR: Duration = Duration::from_secs(3600);
/// The same before what is followed: enough to see that it is the right thing.
const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn run(host: &Host, global: &Global, asked: &args::Logs) -> Result<ExitCode, Failure> {
    let events = quiet(host, global);
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let services = meant::services(&environment, &asked.services)?;
    let session = Session::running(host, &events, settings).await?;
    let since = asked.since.unwrap_or(if asked.follow { MINUTE } else { HOUR });
    let wanted = Wanted {
        services: &services,
        task: asked.task.as_deref().map(arn_name),
        container: asked.container.as_deref(),
        grep: asked.grep.as_deref(),
        since_ms: session.aws.now_ms().saturating_sub(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
    };
    let mut screen = LogScreen::new(global.output, &environment, &services, asked.raw);
    let (closed, shown) = (Notify::new(), Cell::new(false));
    let mut show = |entry: LogEntry| {
        shown.set(true);
        // `head` has seen enough.
        if screen.show(&entry).is_err() {
            closed.notify_one();
        }
    };
    let aws = &session.aws;
    let read = async {
        if asked.previous {
            logs::previous(aws, &environment, wanted, &mut show).await
        } else if asked.follow {
            // Lines of a mistyped one would never come.
            logs::known(aws, &environment, wanted).await?;
            let endless = logs::follow(aws, &environment, &host.clock, wanted, &mut show).await;
            endless.map(|never| match never {})
        } else {
            logs::show(aws, &environment, wanted, &mut show).await
        }
    };
    tokio::select! {
        biased;
        () = closed.notified() => Ok(ExitCode::Done),
        read = read => {
            read.map_err(|error| failure(&error))?;
            // Nothing at all looks like something that hangs or is broken.
            if !shown.get() {
                logs::known(aws, &environment, wanted).await.map_err(|error| failure(&error))?;
            }
            if !shown.get() && global.output == Format::Text {
                print_error(&format!("note: no such line in the last {}; `--since` looks further back", humantime::format_duration(since)));
            }
            Ok(ExitCode::Done)
        }
    }
}

fn failure(error: &logs::Error) -> Failure {
    Failure::hinted(error, error.hint())
}
