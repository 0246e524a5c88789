//! `rollback`: all services run what an earlier release ran, by a plan like any other.

use deploy::event::Kind;

use super::session::{Session, Settings};
use super::{Closing, Failure, Job, args, observed, pinned};
use crate::release::{self, NoRollbackTarget};

pub(super) async fn run(job: &Job<'_>, asked: &args::Rollback) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    let session = Session::running(job.host, job.events, settings).await?;
    let former = release::former(
        &session.aws,
        &environment,
        asked.to.as_deref(),
        asked.past_migration,
        pinned::actor(job),
    )
    .await
    .map_err(|error| failure(&error))?;
    job.events.emit(Kind::Began {
        command: "rollback".to_owned(),
        environment: environment.name.clone(),
        release: Some(former.release.id.clone()),
        commit: former.release.source(),
    });
    for text in former.warnings {
        job.events.emit(Kind::Warned { text });
    }
    let observed = observed::account(job, &session).await?;
    pinned::carry(job, &session, former.release, observed, &asked.change, "the rollback").await
}

pub(super) fn failure(error: &NoRollbackTarget) -> Failure {
    Failure::hinted(error, error.hint())
}
