//! `rollback`: all services run what an earlier release ran, by a plan like any other.

use std::collections::BTreeMap;

use deploy::event::{ExitCode, Kind};

use super::context::release_context;
use super::deploy::{foretell, refuse, table};
use super::release as begun;
use super::session::{Session, Settings};
use super::{Closing, Failure, Job, args, consent, observed};
use crate::host::Actor;
use crate::release::{self, NoRollbackTarget};

pub(super) async fn run(job: &Job<'_>, asked: &args::Rollback) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    let session = Session::look(job.host, job.events, settings).await?.ok_or_else(observed::not_running)?;
    let actor = Actor::system(&job.host.env, &job.host.shell);
    let actor = actor.run_url.unwrap_or(actor.name);
    let former =
        release::former(&session.aws, &environment, asked.to.as_deref(), asked.past_migration, actor)
            .await
            .map_err(|error| failure(&error))?;
    job.events.emit(Kind::Began {
        command: "rollback".to_owned(),
        environment: environment.name.clone(),
        release: Some(former.release.id.clone()),
    });
    for text in former.warnings {
        job.events.emit(Kind::Warned { text });
    }
    let observed = observed::account(job, &session).await?;
    let images = BTreeMap::new();
    let claim = begun::claim(job.host, &asked.lease);
    let context = release_context(job, &session, &images, &claim);
    let planned = context.plan(former.release, observed).await.map_err(|error| observed::failure(&error))?;
    job.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
    refuse(&planned.plan)?;
    foretell(job, &session.aws, &environment, &planned).await;
    if !planned.plan.is_empty() {
        if asked.plan {
            return Ok(Closing::new(ExitCode::ChangesPending, "shown, and not carried out"));
        }
        consent::ask(job, &environment, "the rollback").await?;
    }
    let ending = release::run(&context, &planned).await;
    table(job.events, &session.aws, &environment, &ending).await;
    Ok(Closing::new(ending.exit, ending.summary))
}

pub(super) fn failure(error: &NoRollbackTarget) -> Failure {
    let failure = Failure::from_error(error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
