//! What each service ran before a release: what was observed, unless an earlier run of the same release, which was killed,
//! had started to deploy it by then.

use std::collections::{BTreeMap, BTreeSet};

use deploy::event::Kind;
use deploy::history::{CRASHED as CRASHED_TAG, Facts, PROVEN, Past, history, past_crash, served_before};
use deploy::model::{Pin, ServiceKey, ServiceState};

use super::{Planned, ReleaseContext};
use crate::observe;
use crate::report::chain;

/// Revisions of each service among which the one from before is looked for.
const MOST: usize = 50;

/// What a service is to run again.
pub(super) struct Before {
    /// The revision and, where they are known, the settings.
    pub(super) pin: Pin,
    /// An earlier run of the release left the service at a revision that nobody proved.
    pub(super) left: bool,
    /// Why it is not what was found, where it is not.
    pub(super) why: Option<&'static str>,
}

const CRASHED: &str = "whose tasks crashed after it was proven";
const BEFORE_CRASHED: &str = "as the revision before it crashed after its proof";
const IN_PROGRESS: &str = "which was in progress when this run began";
const UNPROVEN: &str = "which an earlier run left unproven";

/// What a release is undone to.
pub(super) struct ServedBefore {
    /// A service without an earlier revision is left out.
    pub(super) services: BTreeMap<ServiceKey, Before>,
    /// The releases of the account, where a service is to run another revision than was found.
    pub(super) releases: Vec<Past>,
}

/// What each service ran before.
pub(super) async fn before(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    crashed: &BTreeSet<String>,
) -> ServedBefore {
    let states = planned.observed.services.iter().filter(|(_, state)| state.is_active());
    let crashes = |state: &ServiceState| crashed.contains(&state.task_definition.arn);
    // A killed run recorded what it found before its first change: that is what served, and what was observed now is its half.
    let recorded: Vec<_> = planned.undo.pins().filter(|(.., earlier)| *earlier).collect();
    let facts =
        if !recorded.is_empty() || states.clone().any(|(_, state)| is_unfinished(state) || crashes(state)) {
            facts(context, planned, crashed).await
        } else {
            Facts::default()
        };
    let releases = history(&facts);
    let recorded_crashed = recorded.iter().filter(|(_, pin, _)| crashed.contains(&pin.revision));
    let mut past: Vec<&ServiceKey> =
        states.clone().filter(|(_, state)| crashes(state)).map(|(key, _)| key).collect();
    past.extend(recorded_crashed.map(|(key, ..)| *key));
    let good = past_crash(&releases, &facts, &past);
    let instead = |key: &ServiceKey, why| {
        let run = good?.runs.get(key)?;
        let pin = Pin { revision: run.revision.clone(), proven: true, ..Pin::default() };
        Some(Before { pin, left: false, why: Some(why) })
    };
    // A restart, or a number of tasks, is of what runs, also where somebody else's deployment brought it a moment ago.
    let again = |key: &ServiceKey| planned.desired.release.pins.get(key).is_some_and(Pin::is_again);
    let found = |(key, state): (&ServiceKey, &ServiceState)| {
        let before = if crashes(state) {
            // It was proven once, and does not stay up. Where no release is left to return to, it is as good as any.
            Some(instead(key, CRASHED).unwrap_or_else(|| as_found(state)))
        } else if is_unfinished(state) && !again(key) {
            unfinished(&facts, key, state)
        } else {
            Some(as_found(state))
        };
        Some((key.clone(), before?))
    };
    let mut services: BTreeMap<ServiceKey, Before> = states.filter_map(found).collect();
    for (key, pin, _) in recorded {
        let Some(state) = planned.observed.services.get(key) else { continue };
        let crashed = crashed.contains(&pin.revision);
        let before = instead(key, BEFORE_CRASHED).filter(|_| crashed).unwrap_or_else(|| {
            let why = (pin.revision != state.task_definition.arn).then(|| why(state));
            Before { pin, left: is_complete(state), why }
        });
        services.insert(key.clone(), before);
    }
    ServedBefore { services, releases }
}

/// Whether what was found is not what served before: it was in progress, and nobody proved it. What is complete served, also
/// unproven; what of it a killed run of this release left is in that run's record.
fn is_unfinished(state: &ServiceState) -> bool {
    !is_proven(state) && !is_complete(state)
}

fn is_proven(state: &ServiceState) -> bool {
    state.task_definition.tags.contains_key(PROVEN)
}

fn why(state: &ServiceState) -> &'static str {
    if is_complete(state) { UNPROVEN } else { IN_PROGRESS }
}

fn is_complete(state: &ServiceState) -> bool {
    state.rollout.as_deref() == Some("COMPLETED")
}

fn as_found(state: &ServiceState) -> Before {
    let (revision, settings) = (state.task_definition.arn.clone(), Some(state.spec.clone()));
    let pin = Pin { revision, proven: is_proven(state), settings, ..Pin::default() };
    Before { pin, left: false, why: None }
}

fn unfinished(facts: &Facts, service: &ServiceKey, state: &ServiceState) -> Option<Before> {
    let served = served_before(facts, service, &state.task_definition.arn)?;
    // A revision does not record the service's settings: these come from the undo record, or stay as they are.
    let (revision, proven) = (served.arn.clone(), served.tags.contains_key(PROVEN));
    Some(Before { pin: Pin { revision, proven, ..Pin::default() }, left: false, why: Some(IN_PROGRESS) })
}

/// The account's history as this run found it: what the release began since is no part of what ran before.
async fn facts(context: &ReleaseContext<'_>, planned: &Planned, crashed: &BTreeSet<String>) -> Facts {
    let mut facts = match observe::history(context.aws, context.environment, MOST).await {
        Ok(read) => read.facts,
        Err(error) => {
            let text = format!("what ran before cannot be read: {}", chain(&error));
            context.events.emit(Kind::Warned { text });
            return Facts::default();
        }
    };
    let found = planned.observed.services.iter();
    facts.live = found.map(|(key, state)| (key.clone(), state.task_definition.arn.clone())).collect();
    // A tag that was written a moment ago may not be shown yet.
    for revision in facts.revisions.values_mut().flatten().filter(|it| crashed.contains(&it.arn)) {
        let proven = revision.tags.get(PROVEN).cloned().unwrap_or_default();
        revision.tags.insert(CRASHED_TAG.to_owned(), proven);
    }
    facts
}
