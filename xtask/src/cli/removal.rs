//! `down` and `prune`: delete what this tool made, by a plan like any other.

use std::collections::BTreeMap;

use deploy::event::{ExitCode, Kind};

use super::context::release_context;
use super::session::{Session, Settings};
use super::{Closing, Failure, Job, args, consent, observed, release as begun};
use crate::release::Removal;

pub(super) async fn run(job: &Job<'_>, removal: Removal, asked: &args::Removal) -> Result<Closing, Failure> {
    let (verb, about) = match removal {
        Removal::Everything => ("down", "taking the environment down"),
        Removal::Orphans => ("prune", "deleting what is no longer in deploy.toml"),
    };
    let settings = Settings::read(job.host, job.global)?;
    let environment = settings.environment.clone();
    let (release, _) = begun::begin(job.host, &settings);
    job.began(verb, &environment);
    // Not started for this: an embedded cloud that does not run holds nothing.
    let Some(session) = Session::look(job.host, job.events, settings).await? else {
        return Ok(Closing::new(ExitCode::Done, "the embedded cloud is not running: nothing to delete"));
    };
    let observed = observed::account(job, &session).await?;
    if let Some((what, remedy)) = removal.obstacle(&environment, &observed) {
        return Err(Failure::usage(format!("{what}; nothing was deleted")).hint(remedy));
    }
    let (images, claim) = (BTreeMap::new(), begun::claim(job.host, &asked.lease));
    let context = release_context(job, &session, &images, &claim);
    let planned =
        removal.plan(&context, release, observed).await.map_err(|error| observed::failure(&error))?;
    job.events.emit(Kind::Planned { plan: Box::new(planned.plan.clone()) });
    if planned.plan.is_empty() {
        return Ok(Closing::new(ExitCode::Done, "nothing to delete"));
    }
    if asked.plan {
        return Ok(Closing::new(ExitCode::ChangesPending, "plan shown; nothing was deleted"));
    }
    consent::ask(job, &environment, about).await?;
    let (exit, summary) = removal.run(&context, &planned).await;
    Ok(Closing::new(exit, summary))
}
