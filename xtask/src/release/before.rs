//! What each service ran before a release: what was observed, unless an earlier run of the same release, which was killed,
//! had started to deploy it by then.

use std::collections::{BTreeMap, BTreeSet};

use deploy::event::Kind;
use deploy::history::{Facts, PROVEN, served_before};
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
const IN_PROGRESS: &str = "which was in progress when this run began";
const UNPROVEN: &str = "which an earlier run left unproven";

/// What each service ran before. A service without an earlier revision is left out.
pub(super) async fn before(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    crashed: &BTreeSet<String>,
) -> BTreeMap<ServiceKey, Before> {
    let states = planned.observed.services.iter().filter(|(_, state)| state.status == "ACTIVE");
    let crashes = |state: &ServiceState| crashed.contains(&state.task_definition.arn);
    let facts = if states.clone().any(|(_, state)| is_unfinished(state) || crashes(state)) {
        facts(context).await
    } else {
        Facts::default()
    };
    let found = |(key, state): (&ServiceKey, &ServiceState)| {
        let before = if crashes(state) {
            // It was proven once, and does not stay up: the one before it, if there is one.
            let older = unfinished(&facts, key, state);
            Some(older.map_or_else(
                || as_found(state),
                |older| Before { left: false, why: older.why.and(Some(CRASHED)), ..older },
            ))
        } else if is_unfinished(state) {
            unfinished(&facts, key, state)
        } else {
            Some(as_found(state))
        };
        Some((key.clone(), before?))
    };
    let mut all: BTreeMap<ServiceKey, Before> = states.filter_map(found).collect();
    // A killed run recorded what it found before its first change: that is what served, and what was observed now is its half.
    for (key, pin, _) in planned.undo.pins().filter(|(.., earlier)| *earlier) {
        let Some(state) = planned.observed.services.get(key) else { continue };
        let why = (pin.revision != state.task_definition.arn).then(|| why(state));
        all.insert(key.clone(), Before { pin, left: is_complete(state), why });
    }
    all
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
    let served = served_before(facts, service, &state.task_definition.arn);
    let proven = served.is_some_and(|served| served.tags.contains_key(PROVEN));
    match served {
        // A complete revision is only replaced by one that was proven.
        _ if is_complete(state) && !proven => Some(as_found(state)),
        Some(served) => {
            // A revision does not record the service's settings: these come from the undo record, or stay as they are.
            let pin = Pin { revision: served.arn.clone(), proven, ..Pin::default() };
            Some(Before { pin, left: is_complete(state), why: Some(why(state)) })
        }
        None => None,
    }
}

async fn facts(context: &ReleaseContext<'_>) -> Facts {
    match observe::history(context.aws, context.environment, MOST).await {
        Ok(read) => read.facts,
        Err(error) => {
            let text = format!("what ran before cannot be read: {}", chain(&error));
            context.events.emit(Kind::Warned { text });
            Facts::default()
        }
    }
}
