//! `abort`: stops what rolls, whoever began it.

use std::collections::BTreeMap;

use super::context::release_context;
use super::deploy::table;
use super::release as begun;
use super::session::{Session, Settings};
use super::{Closing, Failure, Job, args, consent, observed};
use crate::release;

pub(super) async fn run(job: &Job<'_>) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    job.began("abort", &environment);
    let session = Session::running(job.host, job.events, settings).await?;
    let observed = observed::account(job, &session).await?;
    let images = BTreeMap::new();
    let claim = begun::claim(job.host, &args::Lease { take_lease: None });
    let context = release_context(job, &session, &images, &claim);
    if release::acts(&context, &observed).await {
        consent::ask(job, &environment, "the abort").await?;
    }
    let ending = release::abort(&context, &observed).await;
    table(job.events, &session.aws, &environment, &ending).await;
    Ok(Closing::new(ending.exit, ending.summary))
}
