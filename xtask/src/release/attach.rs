//! Attaches to a release that another run started: on another machine, or one that was killed or detached.
//!
//! Waiting changes nothing. What a release still lacks when its own run was killed is done by running that again.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::history::{Fate, Past, history};
use deploy::model::ServiceKey;
use deploy::plan::Stage;

use super::former::towards;
use super::restored::serving;
use super::{Ending, NoRollbackTarget, Planned, ReleaseContext, run};
use crate::observe;

/// Revisions of each service among which a release is looked for.
const MOST: usize = 20;

/// What there is to wait for.
#[derive(Debug)]
pub enum Attached {
    /// The release rolls, or runs: follow and prove it.
    Follow(Box<Planned>),
    Over {
        release: String,
        /// How it ended, as an exit code.
        exit: ExitCode,
        /// How it ended, in words.
        summary: String,
    },
}

/// Finds the release called `name`, or else the one that rolls, or else the newest. One that is being rolled back is
/// waited for until it is.
///
/// # Errors
/// [`NoRollbackTarget`] when there is none, or the account cannot be read.
pub async fn attach(context: &ReleaseContext<'_>, name: Option<&str>) -> Result<Attached, NoRollbackTarget> {
    let ReleaseContext { host, environment, events, .. } = *context;
    let back = environment.services.iter().map(|service| service.deployment.patience.back_secs).max();
    let deadline = host.clock.mark().after(Duration::from_secs(back.unwrap_or(0)));
    let (mut name, mut said) = (name.map(str::to_owned), false);
    loop {
        let (past, newer) = find(context, name.as_deref()).await?;
        if past.fate == Fate::RolledBack {
            // History knows what became of the release, and not whether what runs instead serves.
            let observed = observe::account(context.aws, context.environment).await?;
            let (exit, words) = serving(context, observed).await;
            return Ok(over(past.release, exit, &format!("it was rolled back; {words}")));
        }
        if let Some((exit, words)) = end(&past, newer) {
            return Ok(over(past.release, exit, words));
        }
        let planned = follow(context, &past).await?;
        // It is IN_PROGRESS and no service runs its revision as PRIMARY: ECS is rolling back to the previous one.
        if past.fate != Fate::InProgress || !planned.plan.stages.is_empty() {
            return Ok(Attached::Follow(Box::new(planned)));
        }
        if deadline.remaining().is_zero() {
            return Ok(over(past.release, ExitCode::StillMoving, "its rollback is in progress"));
        }
        if !std::mem::replace(&mut said, true) {
            events.emit(Kind::Warned { text: format!("release {} is being rolled back", past.release) });
        }
        name = Some(past.release);
        host.clock.sleep(Duration::from_secs(environment.timeouts.poll_secs)).await;
    }
}

/// Follows a release to its proof and says what became of it: nothing of it is this run's own.
pub async fn wait_for(context: &ReleaseContext<'_>, planned: &Planned) -> Ending {
    let ending = run(context, planned).await;
    let words = match (ending.exit, planned.rolls()) {
        (ExitCode::Done, true) => {
            ending.summary.replacen("settled and proven", "it settled, and is proven", 1)
        }
        (ExitCode::Done, false) => {
            ending.summary.replacen("nothing to change; proven", "it runs, and is proven", 1)
        }
        _ => ending.summary.clone(),
    };
    Ending { summary: format!("release {}: {words}", planned.desired.release.id), ..ending }
}

/// The release, and whether a newer one rolls or runs.
async fn find(context: &ReleaseContext<'_>, name: Option<&str>) -> Result<(Past, bool), NoRollbackTarget> {
    let read = observe::history(context.aws, context.environment, MOST).await?;
    let releases = history(&read.facts);
    let rolls = |past: &&Past| past.fate == Fate::InProgress;
    let past = match name {
        Some(name) => releases.iter().find(|past| past.release == name),
        None => {
            // One that was proven and does not run any more is over: a rollback, or somebody, brought another one.
            let newest = releases.first().filter(|past| !past.proven || past.is_live());
            let lives = || releases.iter().find(|past| past.is_live());
            releases.iter().find(rolls).or(newest).or_else(lives).or(releases.first())
        }
    };
    let Some(past) = past else {
        return Err(match name {
            Some(name) => NoRollbackTarget::NoRelease(name.to_owned()),
            None => NoRollbackTarget::NothingYet,
        });
    };
    let newer = |other: &Past| other.at_ms > past.at_ms && (other.is_live() || rolls(&other));
    Ok((past.clone(), releases.iter().any(newer)))
}

/// A plan that follows what the release itself registered, and changes nothing. What it left as it was is no part of it.
async fn follow(context: &ReleaseContext<'_>, past: &Past) -> Result<Planned, NoRollbackTarget> {
    let mut own = past.clone();
    own.runs.retain(|_, run| run.own);
    let observed = observe::account(context.aws, context.environment).await?;
    let mut planned = context.plan(towards(&own, String::new()), observed).await?;
    // Steps would be somebody's change since the release began, or what its own run has not come to yet.
    planned.plan.stages =
        vec![Stage { name: "wait".to_owned(), lanes: Vec::new(), settle: moving(&planned) }];
    planned.plan.stages.retain(|stage| !stage.settle.is_empty());
    // A refusal keeps a run from writing, and this one only waits.
    planned.plan.refusals.clear();
    Ok(planned)
}

fn over(release: String, exit: ExitCode, words: &str) -> Attached {
    let summary = format!("release {release}: {words}");
    Attached::Over { release, exit, summary }
}

/// The services of the release that run its revision already and still roll.
fn moving(planned: &Planned) -> Vec<ServiceKey> {
    let rolls = |key: &&ServiceKey| {
        let state = planned.observed.services.get(*key);
        let pin = planned.desired.release.pins.get(*key);
        state.zip(pin).is_some_and(|(state, pin)| {
            state.task_definition.arn == pin.revision && state.rollout.as_deref() == Some("IN_PROGRESS")
        })
    };
    planned.desired.release.pins.keys().filter(rolls).cloned().collect()
}

/// The outcome of a release that neither rolls nor runs.
fn end(past: &Past, newer: bool) -> Option<(ExitCode, &'static str)> {
    Some(match past.fate {
        Fate::Live | Fate::LiveUnproven | Fate::LiveCrashed | Fate::InProgress | Fate::RolledBack => {
            return None;
        }
        Fate::RollbackFailed => (ExitCode::NotRecovered, "it failed, and so did the rollback"),
        _ if newer => (ExitCode::Superseded, "a newer release took over"),
        Fate::Proven | Fate::Crashed | Fate::Unproven => {
            (ExitCode::Superseded, "it was deployed, and another release runs now")
        }
        Fate::LiveInPart => (ExitCode::NotRecovered, "only a part of it runs, and it was not proven"),
        Fate::Stopped => (ExitCode::NotRecovered, "its deployment was stopped"),
        Fate::Unrolled | Fate::Unknown => (ExitCode::Unknown, "its outcome is unknown"),
    })
}
