//! Consent: asked for only where the environment asks for it.

use std::io::Write;

use deploy::model::Environment;

use super::args::Global;
use super::{Failure, Job};
use crate::host::{Host, Terminal};
use crate::report::Recorder;

/// Goes on when nothing is asked for, when `--yes` stands, or when the person at the terminal types the
/// environment's name. Anywhere else a question would hang or be answered by chance: that is a refusal.
pub(super) async fn ask(job: &Job<'_>, environment: &Environment, what: &str) -> Result<(), Failure> {
    asked(job.host, job.global, job.events, environment, what).await
}

/// The same for a verb that has no events of its own.
pub(super) async fn asked(
    host: &Host,
    global: &Global,
    events: &Recorder,
    environment: &Environment,
    what: &str,
) -> Result<(), Failure> {
    if !environment.confirm || global.yes {
        return Ok(());
    }
    if !host.terminal.can_ask() {
        return Err(Failure::usage(format!(
            "{what} of `{}` needs consent (`confirm = true`), and there is no terminal to ask at",
            environment.name
        ))
        .hint("pass --yes"));
    }
    events.pause();
    let mut err = anstream::stderr();
    let asked = write!(err, "Type `{}` to go on with {what}: ", environment.name).and_then(|()| err.flush());
    let failed = |error| Failure::usage(format!("cannot ask for consent: {error}"));
    asked.map_err(failed)?;
    let answer = Terminal::line().await.map_err(failed)?;
    if answer.trim() == environment.name {
        return Ok(());
    }
    Err(Failure::usage("not confirmed; nothing was written"))
}
