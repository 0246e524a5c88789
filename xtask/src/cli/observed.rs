//! Reading the account for a verb, and where its load balancer is.

use deploy::event::{Kind, Phase};
use deploy::model::Observed;

use super::session::Session;
use super::{Failure, Job};
use crate::observe;
use crate::verify::{Door, Front};

pub(super) async fn account(job: &Job<'_>, session: &Session) -> Result<Observed, Failure> {
    let read = observe::account(&session.aws, &session.settings.environment);
    Ok(reported(job, session, async { Ok((read.await?, Vec::new())) }).await?.0)
}

/// The same with warnings about running images that soon expire.
pub(super) async fn with_expiry(
    job: &Job<'_>,
    session: &Session,
) -> Result<(Observed, Vec<String>), Failure> {
    let read = observe::with_expiry(&session.aws, &session.settings.environment);
    reported(job, session, read).await
}

async fn reported(
    job: &Job<'_>,
    session: &Session,
    read: impl Future<Output = Result<(Observed, Vec<String>), observe::Error>>,
) -> Result<(Observed, Vec<String>), Failure> {
    let environment = &session.settings.environment;
    let about = format!("account in {}", environment.region);
    job.events.emit(Kind::PhaseBegan { phase: Phase::Observe, about });
    let mark = job.host.clock.mark();
    let (observed, expiring) = read.await.map_err(|error| failure(&error))?;
    for text in &observed.warnings {
        job.events.emit(Kind::Warned { text: text.clone() });
    }
    job.events.emit(Kind::PhaseEnded {
        phase: Phase::Observe,
        result: format!("account {} read", observed.account),
        elapsed_ms: mark.elapsed_ms(),
    });
    Ok((observed, expiring))
}

/// What a failed observation means for a verb: nothing was written.
pub(super) fn failure(error: &observe::Error) -> Failure {
    Failure::hinted(error, error.hint())
}

/// The embedded cloud does not run, and the verb does not start it.
pub(super) fn not_running() -> Failure {
    Failure::usage("the embedded cloud does not run")
        .hint("`cargo xtask deploy` or `cargo xtask local start` starts it")
}

/// Where the environment is reached, with just the reads that this takes.
pub(super) async fn door(session: &Session) -> Result<Door, Failure> {
    let environment = &session.settings.environment;
    let found = observe::door(&session.aws, environment).await.map_err(|error| failure(&error))?;
    let front = Front::of(environment, found.dns_name.as_deref(), session.door.as_ref());
    Ok(Door { target_groups: found.target_groups, front })
}

/// The front door, for smoke checks.
pub(super) fn front<'a>(session: &Session, door: &'a Door) -> Result<&'a Front, Failure> {
    if session.settings.environment.balancer().is_none() {
        return Err(Failure::usage("no service in deploy.toml has a load balancer")
            .hint("`cargo xtask status` shows what runs"));
    }
    let none = || Failure::usage("there is no load balancer").hint("`cargo xtask deploy` creates it");
    door.front.as_ref().ok_or_else(none)
}
