//! `open`: the application in the browser. It starts nothing on AWS and writes nothing.

use deploy::event::{ExitCode, Kind};
use serde_json::json;

use super::args::{self, Global};
use super::session::{Session, Settings, quiet};
use super::{Failure, browser, meant, observed};
use crate::host::Host;
use crate::observe;
use crate::report::{Format, print_result};
use crate::verify::public_path;

pub(super) async fn run(host: &Host, global: &Global, asked: &args::Open) -> Result<ExitCode, Failure> {
    let events = quiet(host, global);
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let service = asked.service.as_deref().map(|name| meant::service(&environment, name)).transpose()?;
    let session = Session::running(host, &events, settings).await?;
    let meant = service.map_or_else(|| environment.services.iter().collect(), |service| vec![service]);
    let found = observe::deployed(&session.aws, &environment, &meant).await;
    let found = found.map_err(|error| observed::failure(&error))?;
    // A warning and no error: the address is right, and the browser may be opened before the tasks are up.
    if found.iter().all(|service| service.running == 0) {
        let names: Vec<_> = found.iter().map(|service| service.name.as_str()).collect();
        let text = format!("no task of {} runs, so nothing answers there", names.join(" or "));
        events.emit(Kind::Warned { text });
    }
    let door = observed::door(&session).await?;
    let front = observed::front(&session, &door)?;
    let url = match service {
        None => front.url.clone(),
        Some(service) => {
            let path = public_path(service).ok_or_else(|| {
                Failure::usage(format!(
                    "{} has no route: it is not reached through the load balancer",
                    service.key
                ))
                .hint(format!("`cargo xtask exec {}` enters one of its tasks", service.key))
            })?;
            format!("{}{}", front.url.trim_end_matches('/'), path.trim_end_matches('*'))
        }
    };
    match global.output {
        Format::Json => print_result(&json!({ "url": url }).to_string()),
        _ => print_result(&url),
    }
    browser::open(host, global.output, &url).await;
    Ok(ExitCode::Done)
}
