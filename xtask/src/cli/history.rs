//! `history`: former releases and what became of them. It starts nothing and writes nothing.

use deploy::event::{ExitCode, Kind};
use deploy::output::History;
use serde_json::json;

use super::args::{self, Global};
use super::session::{Session, Settings, quiet};
use super::{Failure, observed};
use crate::host::Host;
use crate::observe;
use crate::report::{Format, print_result, print_text};

/// Revisions that are read beyond those that are asked for: what a release left as it was is found among them.
const BEFORE: usize = 5;

pub(super) async fn run(host: &Host, global: &Global, asked: &args::History) -> Result<ExitCode, Failure> {
    let events = quiet(host, global);
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let session = Session::running(host, &events, settings).await?;
    let most = usize::from(asked.limit);
    let read = observe::history(&session.aws, &environment, most + BEFORE)
        .await
        .map_err(|error| observed::failure(&error))?;
    for text in read.warnings {
        events.emit(Kind::Warned { text });
    }
    let mut releases = deploy::history::history(&read.facts);
    releases.truncate(most);
    match global.output {
        Format::Json => {
            let shown = History { environment: &environment.name, releases: &releases };
            print_result(&json!(shown).to_string());
        }
        _ if releases.is_empty() => print_result("no release yet"),
        _ => {
            let services: Vec<_> = environment.services.iter().map(|service| service.key.clone()).collect();
            let now_ms = session.aws.now_ms();
            print_text(&deploy::view::history(&releases, &services, now_ms, host.terminal.columns()));
        }
    }
    Ok(ExitCode::Done)
}
