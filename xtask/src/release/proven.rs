//! Marks what was proven, and what crashed after it was: the tags that a later rollback looks for.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use deploy::event::Kind;
use deploy::history::{CRASHED, PROVEN};
use deploy::model::{Service, TaskDefinitionState};
use futures_util::future::join_all;

use super::{Ground, Planned};
use crate::apply::Known;
use crate::aws::Tags;
use crate::verify;

/// Tags the revisions that run and were just proven, unless they are tagged already or are somebody else's. A tag that
/// cannot be written is a warning and fails no release.
pub(super) async fn mark(ground: &Ground<'_>, planned: &Planned, known: &Known) {
    let tags = now(ground, PROVEN);
    let revisions: Vec<String> =
        ground.environment.services.iter().filter_map(|service| unmarked(planned, known, service)).collect();
    for (revision, result) in revisions
        .iter()
        .zip(join_all(revisions.iter().map(|arn| ground.aws.tag_ecs_resource(arn, &tags))).await)
    {
        if let Err(error) = result {
            let text =
                format!("{revision} could not be tagged as proven, and no rollback will find it: {error}");
            ground.events.emit(Kind::Warned { text });
        }
    }
}

fn unmarked(planned: &Planned, known: &Known, service: &Service) -> Option<String> {
    let pins = &planned.desired.release.pins;
    // What is waited for, or gone back to, is proven; what else runs was not looked at closely enough.
    if !pins.is_empty() && !pins.contains_key(&service.key) {
        return None;
    }
    let arn = known.deployed(&service.key)?.revision;
    let current = planned.observed.services.get(&service.key).map(|state| &state.task_definition);
    let latest = planned.observed.latest.get(&service.key);
    let found = [current, latest].into_iter().flatten().find(|state: &&TaskDefinitionState| state.arn == arn);
    let commit = planned.desired.release.commit.as_ref();
    match found {
        Some(state) if state.tags.contains_key(PROVEN) || !state.tags.contains_key("release") => None,
        // Proven by a run of another commit: its own release was not, and is not called so.
        Some(state) if pins.is_empty() && state.tags.get("commit") != commit => None,
        // One that was not found was registered by this run, or is rolled back to.
        _ => pins.get(&service.key).is_none_or(|pin| !pin.proven).then_some(arn),
    }
}

/// Tags the revisions that were found at the beginning, were proven once, and whose tasks have since stopped by themselves:
/// at least as many as should run, and not just one. What cannot be read or written is a warning.
pub(super) async fn mark_crashed(ground: &Ground<'_>, planned: &Planned) -> BTreeSet<String> {
    let door = ground.door(&Known::of(&planned.observed));
    let readings = match verify::readings(ground.aws, ground.environment, &door).await {
        Ok(readings) => readings,
        Err(error) => {
            let text = format!("cannot tell whether tasks crashed before: {error}");
            ground.events.emit(Kind::Warned { text });
            return BTreeSet::new();
        }
    };
    let mut all = BTreeSet::new();
    for (service, reading) in ground.environment.services.iter().zip(&readings) {
        let Some(state) = planned.observed.services.get(&service.key) else { continue };
        let TaskDefinitionState { arn, tags, .. } = &state.task_definition;
        let crashes = usize::try_from(state.desired).unwrap_or(usize::MAX).max(2);
        if !tags.contains_key(PROVEN) || reading.crashed_of(arn).len() < crashes {
            continue;
        }
        all.insert(arn.clone());
        if let Err(error) = ground.aws.tag_ecs_resource(arn, &now(ground, CRASHED)).await {
            let text = format!("{arn} could not be tagged as crashed: {error}");
            ground.events.emit(Kind::Warned { text });
        }
    }
    all
}

fn now(ground: &Ground<'_>, tag: &str) -> Tags {
    let now = UNIX_EPOCH + Duration::from_millis(ground.aws.now_ms());
    Tags::from([(tag.to_owned(), humantime::format_rfc3339_seconds(now).to_string())])
}
