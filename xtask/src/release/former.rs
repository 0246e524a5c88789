//! The release to roll back to: which one, and whether it can still be run.

use std::collections::BTreeMap;

use deploy::history::{Facts, Fate, Past, Run, history, last_good, ran_since};
use deploy::model::{Environment, ImageDigest, Pin, Release, ServiceKey};
use deploy::plan::Undo;

use super::lease::of_cluster;
use crate::aws::Aws;
use crate::observe;

/// Revisions of each service among which a release is looked for.
const MOST: usize = 50;
/// Deregistered revisions of each service, the newest ones, that are looked at for the reason.
const MOST_INACTIVE: usize = 20;

const SEE_HISTORY: &str = "`cargo xtask history` lists the releases";

/// There is nothing to roll back to. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NoRollbackTarget {
    /// No release that was proven, and did not crash since, is older than what runs.
    #[error("there is no proven release before the one that runs")]
    NothingProven {
        /// The newest one that was proven and crashed since.
        crashed: Option<String>,
    },
    /// No revision carries the release's tag.
    #[error("there is no release {0}")]
    NoRelease(String),
    #[error("nothing was released yet")]
    NothingYet,
    /// Its revisions were deregistered: nothing can be started from them.
    #[error("release {release} is gone: {} deregistered", revisions.join(" and "))]
    Deregistered { release: String, revisions: Vec<String> },
    /// What ran since then may have changed what the older application works on.
    #[error("the task before the roll of {} has run since release {release}", revisions.join(" and "))]
    PastMigration { release: String, revisions: Vec<String> },
    /// The account cannot be read.
    #[error(transparent)]
    Observe(#[from] observe::Error),
}

impl NoRollbackTarget {
    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NothingProven { crashed: Some(release) } => Some(format!(
                "release {release} crashed after it was proven; `--to {release}` runs it all the same"
            )),
            Self::NothingProven { crashed: None } => {
                Some(format!("{SEE_HISTORY}; --to names one that was not proven"))
            }
            Self::NothingYet => Some("`cargo xtask deploy` makes the first release".to_owned()),
            Self::NoRelease(_) | Self::Deregistered { .. } => Some(SEE_HISTORY.to_owned()),
            Self::PastMigration { .. } => Some(
                "make sure that the older application knows the data as it is now, then add --past-migration"
                    .to_owned(),
            ),
            Self::Observe(error) => error.hint(),
        }
    }
}

/// A former release to run again, and what the operator should know of it.
#[derive(Clone, Debug)]
pub struct Former {
    /// The release, with its revisions pinned and its images named.
    pub release: Release,
    pub warnings: Vec<String>,
}

/// Where a rollback that was killed was going, while its services run what they ran before it or with it.
fn target(undo: &Undo, releases: &[Past], facts: &Facts) -> Option<String> {
    let past = releases.iter().find(|past| Some(past.release.as_str()) == undo.rollback_target())?;
    let fits = |(key, before, _): (&ServiceKey, Pin, bool)| {
        let of_target = past.runs.get(key).map(|run| &run.revision);
        facts.live.get(key).is_some_and(|live| *live == before.revision || Some(live) == of_target)
    };
    undo.pins().all(fits).then(|| past.release.clone())
}

/// The release called `to`, or the last good one before what runs.
///
/// # Errors
/// [`NoRollbackTarget`] when there is none, or it cannot be run any more.
pub async fn former(
    aws: &Aws,
    environment: &Environment,
    to: Option<&str>,
    past_migration: bool,
    actor: String,
) -> Result<Former, NoRollbackTarget> {
    let read = observe::history(aws, environment, MOST).await?;
    let releases = history(&read.facts);
    if releases.is_empty() && to.is_none() {
        return Err(NoRollbackTarget::NothingYet);
    }
    // A rollback that was killed and is run again goes on to where it was going, and not one release further.
    let begun = match to {
        None => of_cluster(aws, &environment.cluster).await,
        Some(_) => None,
    };
    let begun = begun.and_then(|undo| target(&undo, &releases, &read.facts));
    let past = match to.or(begun.as_deref()) {
        None => last_good(&releases, &read.facts).ok_or_else(|| NoRollbackTarget::NothingProven {
            crashed: releases.iter().find(|it| it.fate == Fate::Crashed).map(|it| it.release.clone()),
        })?,
        Some(name) => {
            let past = releases.iter().find(|past| past.release == name);
            match past {
                Some(past) => past,
                None => {
                    whole(aws, environment, name).await?;
                    return Err(NoRollbackTarget::NoRelease(name.to_owned()));
                }
            }
        }
    };
    // UpdateService refuses a deregistered revision ("TaskDefinition is inactive"): found here, before anything is written.
    whole(aws, environment, &past.release).await?;
    let ran: Vec<String> = ran_since(&read.facts, past).iter().map(|it| it.name().to_owned()).collect();
    if !ran.is_empty() && !past_migration {
        return Err(NoRollbackTarget::PastMigration { release: past.release.clone(), revisions: ran });
    }
    let mut warnings = read.warnings;
    if !past.proven {
        let words = past.fate.words();
        warnings.push(match past.fate {
            Fate::Crashed | Fate::LiveCrashed => format!("release {}: {words}", past.release),
            _ => format!("release {} was never proven ({words})", past.release),
        });
    }
    // Of a service that did not change, a release runs the revision from before it: one that it does not run came later. A
    // release that brought a service could not be rolled back at all if that were a refusal.
    let newer = environment.services.iter().filter(|service| !past.runs.contains_key(&service.key));
    warnings.extend(
        newer.map(|it| format!("{}: release {} did not have it; it stays as it is", it.key, past.release)),
    );
    let key = |key: &ServiceKey| environment.services.iter().any(|service| service.key == *key);
    let removed = past.runs.keys().filter(|it| !key(it));
    warnings.extend(
        removed.map(|it| format!("{it}: release {} ran it, and deploy.toml does not have it", past.release)),
    );
    Ok(Former { release: towards(past, actor), warnings })
}

/// A release is gone when a revision of it is: the rest would be half a release.
async fn whole(aws: &Aws, environment: &Environment, name: &str) -> Result<(), NoRollbackTarget> {
    let gone = observe::inactive(aws, environment, name, MOST_INACTIVE).await?;
    if gone.is_empty() {
        return Ok(());
    }
    let revisions = gone.iter().map(|revision| revision.name().to_owned()).collect();
    Err(NoRollbackTarget::Deregistered { release: name.to_owned(), revisions })
}

pub(super) fn towards(past: &Past, actor: String) -> Release {
    let digest = |(key, run): (&ServiceKey, &Run)| Some((key.clone(), run.digest.clone()?));
    let pin = |(key, run): (&ServiceKey, &Run)| {
        (
            key.clone(),
            Pin { revision: run.revision.clone(), proven: past.proven || !run.own, ..Pin::default() },
        )
    };
    let images: BTreeMap<ServiceKey, ImageDigest> = past.runs.iter().filter_map(digest).collect();
    Release {
        id: past.release.clone(),
        commit: past.commit.clone(),
        dirty: past.dirty,
        actor,
        images,
        pins: past.runs.iter().map(pin).collect(),
        ..Release::default()
    }
}
