//! `status`: what runs now. It starts nothing and writes nothing.

use deploy::event::{ExitCode, Kind};
use serde_json::json;

use super::args::Global;
use super::session::{Session, Settings};
use super::{Failure, observed};
use crate::host::Host;
use crate::observe;
use crate::release;
use crate::report::{Format, Recorder, Screen, print_result};
use crate::verify;

pub(super) async fn run(host: &Host, global: &Global) -> Result<ExitCode, Failure> {
    let events = Recorder::new(host.clock.clone(), Screen::quiet(global.output, global.verbose));
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let session = Session::look(host, &events, settings).await?.ok_or_else(observed::not_running)?;
    let door = observed::door(&session).await?;
    let rows =
        verify::rows(&session.aws, &environment, &door).await.map_err(|error| Failure::from_error(&error))?;
    let lease = release::lease_of(&session.aws, &environment).await.unwrap_or_else(|error| {
        events.emit(Kind::Warned { text: format!("the lease could not be read: {error}") });
        None
    });
    let orphans = match observe::account(&session.aws, &environment).await {
        Ok(observed) => observed.orphans,
        Err(error) => {
            let text = format!("what is not in deploy.toml any more could not be read: {error}");
            events.emit(Kind::Warned { text });
            Vec::new()
        }
    };
    match global.output {
        Format::Json => {
            let object = json!({
                "environment": environment.name,
                "url": door.front.as_ref().map(|front| &front.url),
                "services": rows,
                "lease": lease,
                "orphans": orphans,
            });
            print_result(&object.to_string());
        }
        Format::Text => {
            print_result(&deploy::view::table(&rows));
            if let Some(front) = &door.front {
                print_result(&deploy::view::address(&front.url, front.unasked));
            }
            if let Some(lease) = &lease {
                print_result(&lease.sentence(host.clock.now_ms() / 1000));
            }
            if !orphans.is_empty() {
                print_result(deploy::view::orphans(&orphans).trim_end());
            }
        }
    }
    Ok(ExitCode::Done)
}
