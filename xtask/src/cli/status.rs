//! `status`: what runs now. It starts nothing and writes nothing.

use std::time::Duration;

use deploy::event::{ExitCode, Kind, ServiceRow};
use deploy::lease::Lease;
use deploy::model::{Environment, Owned, Service};
use deploy::output::Status;
use deploy::secrets::SecretState;
use deploy::status::{Detail, Problem, problems};
use deploy::verify::Reading;
use serde_json::json;

use super::args::{self, Global};
use super::session::{Session, Settings, quiet};
use super::{Failure, meant, observed};
use crate::aws::Aws;
use crate::host::Host;
use crate::observe;
use crate::release;
use crate::report::{Format, Recorder, chain, print_again, print_result};
use crate::verify::{self, Door};

/// All that one look shows.
struct Seen {
    door: Door,
    rows: Vec<ServiceRow>,
    problems: Vec<Problem>,
    /// What is wrong could not be read.
    unread: bool,
    detail: Option<Detail>,
    /// Secrets that are missing, or that running tasks do not have yet.
    secrets: Vec<SecretState>,
    lease: Option<Lease>,
    orphans: Vec<Owned>,
    /// Parts that could not be read, and why.
    warnings: Vec<String>,
}

/// `--watch` ends when nothing could be read for this long, as the wait for a release does.
const UNREADABLE_FOR: Duration = Duration::from_secs(30);

pub(super) async fn run(host: &Host, global: &Global, asked: &args::Status) -> Result<ExitCode, Failure> {
    let events = quiet(host, global);
    let settings = Settings::read(host, global)?;
    let environment = settings.environment.clone();
    let service = asked.service.as_deref().map(|name| meant::service(&environment, name)).transpose()?;
    let session = Session::running(host, &events, settings).await?;
    let whole = asked.watch && host.terminal.stdout && global.output == Format::Text;
    let mut warned: Vec<String> = Vec::new();
    let mut read_ms = host.clock.now_ms();
    loop {
        let looked = look(&session, &events, service).await;
        let gone_ms = host.clock.now_ms() - read_ms;
        let seen = match looked {
            Ok(seen) => seen,
            Err(failure) if asked.watch && gone_ms < UNREADABLE_FOR.as_millis() as u64 => {
                let warnings = vec![failure.error];
                news(&warnings, &warned).for_each(|text| events.emit(Kind::Warned { text }));
                warned = warnings;
                host.clock.sleep(Duration::from_secs(environment.timeouts.poll_secs)).await;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        read_ms = host.clock.now_ms();
        // The next look overwrites the whole screen: there a warning is a part of it.
        if !whole {
            news(&seen.warnings, &warned).for_each(|text| events.emit(Kind::Warned { text }));
            warned.clone_from(&seen.warnings);
        }
        let (status, unasked) =
            (seen.status(&environment), seen.door.front.as_ref().and_then(|it| it.unasked));
        let (now_ms, columns) = (host.clock.now_ms(), host.terminal.columns());
        let mut text = match global.output {
            Format::Json => json!(status).to_string(),
            _ => deploy::view::status(&status, service.map(|it| &it.key), unasked, now_ms, columns),
        };
        if whole {
            seen.warnings.iter().for_each(|warning| text.push_str(&format!("\nwarning: {warning}")));
        }
        if !asked.watch {
            print_result(&text);
            return Ok(match asked.exit_code {
                true if !seen.problems.is_empty() => ExitCode::Failed,
                true if seen.unread => ExitCode::Unknown,
                _ => ExitCode::Done,
            });
        }
        // `head` has seen enough.
        if print_again(&text, whole).is_err() {
            return Ok(ExitCode::Done);
        }
        host.clock.sleep(Duration::from_secs(environment.timeouts.poll_secs)).await;
    }
}

/// A watch looks every few seconds: what the look before warned about is not said again.
fn news(now: &[String], before: &[String]) -> impl Iterator<Item = String> {
    now.iter().filter(|text| !before.contains(text)).cloned()
}

async fn look(session: &Session, events: &Recorder, service: Option<&Service>) -> Result<Seen, Failure> {
    let (aws, environment) = (&session.aws, &session.settings.environment);
    let door = observed::door(session).await?;
    let failed = |error| Failure::from_error(&error);
    let mut warnings = Vec::new();
    let mut warn = |text: String| warnings.push(text);
    let readings = match verify::readings(aws, environment, &door).await {
        Ok(readings) => readings,
        Err(error) => {
            warn(format!("what is wrong could not be read: {error}"));
            Vec::new()
        }
    };
    let unread = readings.is_empty();
    // A part that cannot be read leaves a `?` in the table.
    let mut rows = match unread {
        true => verify::rows(aws, environment, &door).await.map_err(failed)?,
        false => verify::rows_of(environment, &door, &readings),
    };
    let read = || environment.services.iter().zip(&readings);
    let meant = |(one, _): &(&Service, &Reading)| service.is_none_or(|service| service.key == one.key);
    let watched = || read().filter(meant);
    let problems = problems(watched(), &alarms(aws, watched(), &mut warn).await);
    let detail = match service.and_then(|service| read().find(|(one, _)| one.key == service.key)) {
        Some((service, reading)) => Some(verify::detail(aws, events, environment, service, reading).await),
        None => None,
    };
    let tasks = |key: &str| {
        let of = read().find(|(service, _)| service.key.0 == key);
        of.map(|(_, reading)| reading.tasks.clone()).unwrap_or_default()
    };
    let (mut secrets, unreadable) = observe::secrets(aws, environment, tasks).await;
    unreadable.into_iter().for_each(&mut warn);
    secrets.retain(|state| {
        state.note().is_some() && service.is_none_or(|service| service.key == state.named.service)
    });
    if let Some(service) = service {
        rows.retain(|row| row.service == service.name);
        return Ok(Seen {
            door,
            rows,
            problems,
            unread,
            detail,
            secrets,
            lease: None,
            orphans: Vec::new(),
            warnings,
        });
    }
    let lease = release::lease_of(aws, environment).await.unwrap_or_else(|error| {
        warn(format!("the lease could not be read: {error}"));
        None
    });
    let orphans = match observe::account(aws, environment).await {
        Ok(observed) => observed.orphans,
        Err(error) => {
            warn(format!("what is no longer in deploy.toml could not be read: {}", chain(&error)));
            Vec::new()
        }
    };
    Ok(Seen { door, rows, problems, unread, detail, secrets, lease, orphans, warnings })
}

/// The alarms that fail deployments. Without the right to read them their states are not known, which is no problem.
async fn alarms<'a>(
    aws: &Aws,
    services: impl Iterator<Item = (&'a Service, &'a Reading)>,
    warn: &mut impl FnMut(String),
) -> Vec<deploy::status::AlarmState> {
    let names = services.flat_map(|(service, _)| service.deployment.alarms.iter().flat_map(|it| &it.names));
    let names: Vec<String> = names.cloned().collect();
    aws.describe_alarms(&names).await.unwrap_or_else(|error| {
        warn(format!("alarms could not be read: {error}"));
        Vec::new()
    })
}

impl Seen {
    fn status<'a>(&'a self, environment: &'a Environment) -> Status<'a> {
        Status {
            environment: &environment.name,
            url: self.door.front.as_ref().map(|front| front.url.as_str()),
            services: &self.rows,
            problems: &self.problems,
            secrets: &self.secrets,
            lease: self.lease.as_ref(),
            orphans: &self.orphans,
            detail: self.detail.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::news;

    #[test]
    fn a_right_that_is_missing_is_a_warning_once_and_not_at_each_look() {
        let said = |now: &[&str], before: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
            news(&owned(now), &owned(before)).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(said(&["alarms"], &[]), "alarms");
        assert_eq!(said(&["alarms"], &["alarms"]), "");
        assert_eq!(said(&["alarms", "lease"], &["alarms"]), "lease");
        assert_eq!(said(&["alarms"], &["lease"]), "alarms", "again after it was read");
    }
}
