//! `down`: takes the environment away, by a plan like any other.

use std::collections::BTreeMap;

use deploy::event::{ExitCode, Kind, Phase};
use deploy::lease::{Standing, standing};
use deploy::plan::{REMAINS, down};

use super::session::{Session, Settings};
use super::{Closing, Failure, Job, args, consent, observed, release};
use crate::apply::{self, Known, Site};
use crate::host::Daemon;
use crate::release::lease_of;

pub(super) async fn run(job: &Job<'_>) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    job.events.emit(Kind::Began {
        command: "down".to_owned(),
        environment: environment.name.clone(),
        release: None,
    });
    let Some(session) = Session::look(job.host, job.events, settings).await? else {
        return Ok(Closing::new(ExitCode::Done, "the embedded cloud does not run: nothing is there"));
    };
    let observed = observed::account(job, &session).await?;
    let plan = down(&environment, &observed);
    job.events.emit(Kind::Planned { plan: Box::new(plan.clone()) });
    if plan.is_empty() {
        return Ok(Closing::new(ExitCode::Done, "nothing is there"));
    }
    unless_deployed(job, &session).await?;
    consent::ask(job, &environment, "taking the environment down").await?;
    let known = Known::of(&observed);
    let images = BTreeMap::new();
    let site = Site {
        aws: &session.aws,
        host: job.host,
        desired: None,
        images: &images,
        registry: None,
        app: &environment.app,
        known: &known,
        events: job.events,
    };
    for stage in &plan.stages {
        job.events.emit(Kind::PhaseBegan { phase: Phase::Apply, about: stage.name.clone() });
        apply::stage(&site, stage).await.map_err(|failed| {
            Failure::usage(failed.to_string()).hint("run it again to go on").exit(ExitCode::NotRecovered)
        })?;
    }
    Ok(Closing::new(ExitCode::Done, format!("{} is down; {REMAINS}", environment.name)))
}

/// A release that is under way would find its services gone.
async fn unless_deployed(job: &Job<'_>, session: &Session) -> Result<(), Failure> {
    let environment = &session.settings.environment;
    let lease = lease_of(&session.aws, environment).await.map_err(|error| Failure::from_error(&error))?;
    let now = job.host.clock.now_ms() / 1000;
    let text = lease.map(|lease| lease.to_string());
    let mine = release::claim(job.host, &args::Lease { take_lease: None }).holder;
    match standing(now, text.as_deref(), &mine, |pid| Daemon { pid }.is_alive()) {
        Standing::Held(lease) => {
            Err(Failure::usage(format!("{} is {}", environment.name, lease.sentence(now)))
                .hint("wait for it, or end it with `cargo xtask abort`"))
        }
        _ => Ok(()),
    }
}
