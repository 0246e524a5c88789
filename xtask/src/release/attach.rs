//! Attaches to a release that another run began: on another machine, or before it was killed or left.
//!
//! Who waits only looks. What the release still lacks when its own run is gone is done by running that again.

use deploy::event::ExitCode;
use deploy::history::{Fate, Past, history};
use deploy::plan::Stage;

use super::former::towards;
use super::{Ground, NoWayBack, Planned};
use crate::observe;

/// Revisions of each service among which a release is looked for.
const MOST: usize = 20;

/// What there is to wait for.
#[derive(Debug)]
pub enum Attached {
    /// The release rolls, or runs: follow and prove it.
    Follow(Box<Planned>),
    /// It is over.
    Over {
        /// The release.
        release: String,
        /// How it ended, as an exit code.
        exit: ExitCode,
        /// How it ended, in words.
        summary: String,
    },
}

/// Finds the release called `name`, or else the one that rolls, or else the newest.
///
/// # Errors
/// [`NoWayBack`] when there is none, or the account cannot be read.
pub async fn attach(ground: &Ground<'_>, name: Option<&str>) -> Result<Attached, NoWayBack> {
    let read = observe::history(ground.aws, ground.environment, MOST).await?;
    let releases = history(&read.facts);
    let rolling = || releases.iter().find(|past| past.fate == Fate::InProgress);
    let past = match name {
        Some(name) => releases.iter().find(|past| past.release == name),
        None => rolling().or(releases.first()),
    };
    let Some(past) = past else {
        return Err(NoWayBack::NoRelease(name.unwrap_or("yet").to_owned()));
    };
    let newer = releases.iter().any(|other| other.at_ms > past.at_ms && other.is_live());
    if let Some((exit, words)) = over(past, newer) {
        let summary = format!("release {}: {words}", past.release);
        return Ok(Attached::Over { release: past.release.clone(), exit, summary });
    }
    let observed = observe::account(ground.aws, ground.environment).await?;
    let mut planned = ground.plan(towards(past, String::new()), observed).await?;
    // Steps would be somebody's change since the release began, or what its own run has not come to yet.
    planned.plan.stages =
        vec![Stage { name: "wait".to_owned(), lanes: Vec::new(), settle: moving(&planned) }];
    planned.plan.stages.retain(|stage| !stage.settle.is_empty());
    planned.plan.refusals.clear();
    Ok(Attached::Follow(Box::new(planned)))
}

/// The services of the release that run its revision already and still roll.
fn moving(planned: &Planned) -> Vec<deploy::model::ServiceKey> {
    let rolls = |key: &&deploy::model::ServiceKey| {
        let state = planned.observed.services.get(*key);
        let pin = planned.desired.release.pins.get(*key);
        state.zip(pin).is_some_and(|(state, pin)| {
            state.task_definition.arn == pin.revision && state.rollout.as_deref() == Some("IN_PROGRESS")
        })
    };
    planned.desired.release.pins.keys().filter(rolls).cloned().collect()
}

/// How a release ended that neither rolls nor runs.
fn over(past: &Past, newer: bool) -> Option<(ExitCode, &'static str)> {
    Some(match past.fate {
        Fate::Live | Fate::LiveUnproven | Fate::InProgress => return None,
        Fate::RolledBack => (ExitCode::Failed, "it did not stay; what ran before it was put back"),
        Fate::RollbackFailed => (ExitCode::NotRecovered, "it failed, and so did the way back"),
        _ if newer => (ExitCode::Superseded, "a newer release runs"),
        Fate::Proven | Fate::Unproven => {
            (ExitCode::Superseded, "it was deployed, and another release runs now")
        }
        Fate::Stopped => (ExitCode::NotRecovered, "its deployment was stopped"),
        Fate::Unrolled | Fate::Unknown => (ExitCode::Unknown, "what became of it is not known"),
    })
}
