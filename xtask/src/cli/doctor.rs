//! `doctor`: whether account and machine have what a deploy needs, before the first one and when something is odd. It only reads.

use deploy::doctor::{State, judge};
use deploy::event::ExitCode;
use serde_json::json;

use super::Failure;
use super::args::Global;
use super::session::{Session, Settings, quiet};
use crate::host::Host;
use crate::observe;
use crate::report::{Format, paint_state, print_result};

pub(super) async fn run(host: &Host, global: &Global) -> Result<ExitCode, Failure> {
    let events = quiet(host, global);
    let settings = Settings::read(host, global)?;
    let session = Session::running(host, &events, settings).await?;
    let environment = &session.settings.environment;
    let facts = observe::doctor(host, &session.aws, environment).await;
    let report = judge(environment, &facts);
    match global.output {
        Format::Json => print_result(&json!(report).to_string()),
        Format::Text | Format::Markdown => {
            print_result(&deploy::view::doctor(&report, host.terminal.columns(), paint_state));
        }
    }
    Ok(match report.count(State::Fail) {
        0 => ExitCode::Done,
        _ => ExitCode::Usage,
    })
}
