//! `smoke`: the smoke checks alone.

use deploy::event::{ExitCode, Kind};
use deploy::verify::Smoke;

use super::session::{Session, Settings};
use super::{Closing, Failure, Job, observed};
use crate::verify;

pub(super) async fn run(job: &Job<'_>) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    job.events.emit(Kind::Began {
        command: "smoke".to_owned(),
        environment: environment.name.clone(),
        release: None,
    });
    let session = Session::look(job.host, job.events, settings).await?.ok_or_else(observed::not_running)?;
    let front = observed::front(&session).await?;
    let smoke = verify::smoke(&job.host.http, &job.host.clock, job.events, &environment, &front).await;
    let smoke = smoke.and(verify::inside(job.host, &session.aws, job.events, &environment).await);
    deploy::verify::faults(&job.events.events()).into_iter().for_each(|fault| job.events.emit(fault));
    Ok(match smoke {
        Smoke::Passed => Closing::new(ExitCode::Done, "all smoke checks passed"),
        Smoke::NotAsked => Closing::new(ExitCode::Done, "deploy.toml has no smoke checks"),
        Smoke::Unreachable { error } => Closing::new(
            ExitCode::Unknown,
            format!("the smoke checks could not be asked from this machine: {error}"),
        ),
        Smoke::Failed => Closing::new(ExitCode::NotRecovered, "smoke checks failed"),
    })
}
