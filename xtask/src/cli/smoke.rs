//! `smoke`: the smoke checks alone.

use deploy::event::ExitCode;
use deploy::model::Service;
use deploy::verify::Smoke;

use super::session::{Session, Settings};
use super::{Closing, Failure, Job, observed};
use crate::observe;
use crate::release::{parked_of, report_parked, unparked};
use crate::verify;

pub(super) async fn run(job: &Job<'_>) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    job.began("smoke", &environment);
    let session = Session::running(job.host, job.events, settings).await?;
    let all: Vec<&Service> = environment.services.iter().collect();
    let there = observe::deployed(&session.aws, &environment, &all).await;
    there.map_err(|error| observed::failure(&error))?;
    let door = observed::door(&session).await?;
    let front = observed::front(&session, &door)?;
    let readings = verify::readings(&session.aws, &environment, &door).await;
    let readings = readings.map_err(|error| Failure::from_error(&error))?;
    let parked = parked_of(&environment, &readings);
    report_parked(job.events, &environment, &parked);
    let asked = unparked(&environment, &parked);
    let changing = readings.iter().any(|reading| reading.lacks(&[], 0).iter().any(|lack| lack.passing));
    let smoke = verify::smoke(&job.host.http, &job.host.clock, job.events, &asked, front, changing).await;
    let inside = verify::inside(job.host, &session.aws, job.events, &asked).await;
    let unasked = inside == Smoke::NotAsked && asked.services.iter().any(Service::asks_from_inside);
    let smoke = smoke.and(inside);
    deploy::verify::faults(&environment, &job.events.events())
        .into_iter()
        .for_each(|fault| job.events.emit(fault));
    let names = parked.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    Ok(match smoke {
        Smoke::Passed | Smoke::NotAsked if !parked.is_empty() => {
            Closing::new(ExitCode::Unknown, format!("scaled to 0 by hand, and not asked: {names}"))
        }
        // Whoever checks every hour may have no right to enter tasks, and knows from here what was not checked.
        Smoke::Passed if unasked => {
            let text = "smoke checks through the load balancer passed; those from inside were not asked";
            Closing::new(ExitCode::Done, text)
        }
        Smoke::Passed => Closing::new(ExitCode::Done, "all smoke checks passed"),
        Smoke::NotAsked if unasked => Closing::new(ExitCode::Unknown, "no smoke check could be asked"),
        Smoke::NotAsked => Closing::new(ExitCode::Done, "deploy.toml has no smoke checks"),
        Smoke::Unreachable { error } => Closing::new(
            ExitCode::Unknown,
            format!("the smoke checks could not be asked from this machine: {error}"),
        ),
        Smoke::Failed => Closing::new(ExitCode::NotRecovered, "smoke checks failed"),
    })
}
