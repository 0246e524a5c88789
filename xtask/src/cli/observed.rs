//! Reading the account for a verb, and where its load balancer is.

use std::collections::BTreeMap;

use deploy::event::{Kind, Phase};
use deploy::model::{Environment, ImageDigest, Observed, Protocol, ServiceKey};

use super::session::Session;
use super::{Failure, Job};
use crate::observe;
use crate::verify::Door;

/// Checks credentials and the account before anything else is done.
pub(super) async fn guard(session: &Session) -> Result<(), Failure> {
    observe::guard(&session.aws, &session.settings.environment).await.map(drop).map_err(|error| of(&error))
}

/// Reads the account.
pub(super) async fn account(job: &Job<'_>, session: &Session) -> Result<Observed, Failure> {
    let environment = &session.settings.environment;
    let about = format!("account in {}", environment.region);
    job.events.emit(Kind::PhaseBegan { phase: Phase::Observe, about });
    let mark = job.host.clock.mark();
    let observed =
        observe::account(&session.aws, environment, &BTreeMap::new()).await.map_err(|error| of(&error))?;
    for text in &observed.warnings {
        job.events.emit(Kind::Warned { text: text.clone() });
    }
    job.events.emit(Kind::PhaseEnded {
        phase: Phase::Observe,
        result: format!("account {} read", observed.account),
        elapsed_ms: mark.elapsed_ms(),
    });
    Ok(observed)
}

/// Asks which of the wanted images the registry holds already.
pub(super) async fn held(
    session: &Session,
    observed: &mut Observed,
    images: &BTreeMap<ServiceKey, ImageDigest>,
) -> Result<(), Failure> {
    observe::held(&session.aws, &session.settings.environment, observed, images).await.map_err(|error| of(&error))
}

fn of(error: &observe::Error) -> Failure {
    let failure = Failure::from_error(error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The embedded cloud does not run, and the verb does not start it.
pub(super) fn not_running() -> Failure {
    Failure::usage("the embedded cloud does not run").hint("`cargo xtask deploy` or `cargo xtask local start` starts it")
}

/// The load balancer's base URL by its DNS name.
pub(super) fn base_url(environment: &Environment, dns_name: &str) -> String {
    let listener = &environment.load_balancer.listener;
    match (listener.protocol, listener.port) {
        (Protocol::Http, 80) => format!("http://{dns_name}"),
        (Protocol::Http, port) => format!("http://{dns_name}:{port}"),
        (Protocol::Https, 443) => format!("https://{dns_name}"),
        (Protocol::Https, port) => format!("https://{dns_name}:{port}"),
    }
}

/// Where the environment is reached, with just the reads that this takes.
pub(super) async fn door(session: &Session) -> Result<Door, Failure> {
    let environment = &session.settings.environment;
    let found = observe::door(&session.aws, environment).await.map_err(|error| of(&error))?;
    let base = session.door.clone().or_else(|| found.dns_name.map(|name| base_url(environment, &name)));
    Ok(Door { target_groups: found.target_groups, base })
}

/// The base URL for smoke checks.
pub(super) async fn base(session: &Session) -> Result<String, Failure> {
    door(session).await?.base.ok_or_else(|| {
        Failure::usage("there is no load balancer").hint("`cargo xtask deploy` creates it")
    })
}
