//! `restart` and `scale`, and how they and `rollback` are carried out: services run pinned revisions, by a plan like any other.

use std::collections::BTreeMap;

use deploy::event::{ExitCode, Kind};
use deploy::model::{Observed, Release};

use super::context::release_context;
use super::deploy::{foretell, refuse, table};
use super::release as begun;
use super::session::{Session, Settings};
use super::{Closing, Failure, Job, args, consent, meant, observed};
use crate::host::Actor;
use crate::release;

pub(super) async fn restart(job: &Job<'_>, asked: &args::Restart) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    let services = meant::services(&environment, &asked.services)?;
    let (session, observed) = begin(job, settings, "restart").await?;
    let release = deploy::plan::restart(&observed, &services, actor(job));
    carry(job, &session, release, observed, &asked.change, "the restart").await
}

pub(super) async fn scale(job: &Job<'_>, asked: &args::Scale) -> Result<Closing, Failure> {
    let mut settings = Settings::read(job.host, job.global)?;
    let service = meant::service(&settings.environment, &asked.service)?.clone();
    deploy::plan::scaled(&mut settings.environment, &service.key, asked.count);
    let (session, observed) = begin(job, settings, "scale").await?;
    let release = deploy::plan::scale(&observed, &service, asked.count, actor(job));
    carry(job, &session, release, observed, &asked.change, "the new number of tasks").await
}

async fn begin(job: &Job<'_>, settings: Settings, command: &str) -> Result<(Session, Observed), Failure> {
    job.began(command, &settings.environment);
    let session = Session::running(job.host, job.events, settings).await?;
    let observed = observed::account(job, &session).await?;
    Ok((session, observed))
}

pub(super) fn actor(job: &Job<'_>) -> String {
    let actor = Actor::system(&job.host.env, &job.host.shell);
    actor.run_url.unwrap_or(actor.name)
}

/// Plans, asks for consent, and carries out.
pub(super) async fn carry(
    job: &Job<'_>,
    session: &Session,
    release: Release,
    observed: Observed,
    asked: &args::Change,
    what: &str,
) -> Result<Closing, Failure> {
    let environment = &session.settings.environment;
    let images = BTreeMap::new();
    let claim = begun::claim(job.host, &asked.lease);
    let context = release_context(job, session, &images, &claim);
    let planned = context.plan(release, observed).await.map_err(|error| observed::failure(&error))?;
    job.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
    refuse(&planned.plan)?;
    foretell(job, &session.aws, environment, &planned).await;
    if !planned.plan.is_empty() {
        if asked.plan {
            return Ok(Closing::new(ExitCode::ChangesPending, "plan shown; nothing was changed"));
        }
        consent::ask(job, environment, what).await?;
    }
    let ending = release::run(&context, &planned).await;
    table(job.events, &session.aws, environment, &ending).await;
    Ok(Closing::new(ending.exit, ending.summary))
}
