//! Marks what was proven: the tag that a later way back looks for.

use std::time::{Duration, UNIX_EPOCH};

use deploy::event::Kind;
use deploy::history::PROVEN;
use deploy::model::{Service, TaskDefinitionState};
use futures_util::future::join_all;

use super::{Ground, Planned};
use crate::apply::Known;
use crate::aws::Tags;

/// Tags the revisions that run and were just proven, unless they are tagged already or are somebody else's. A tag that
/// cannot be written is told and makes no release a failed one.
pub(super) async fn mark(ground: &Ground<'_>, planned: &Planned, known: &Known) {
    let now = UNIX_EPOCH + Duration::from_millis(ground.aws.now_ms());
    let tags = Tags::from([(PROVEN.to_owned(), humantime::format_rfc3339_seconds(now).to_string())]);
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
    match found {
        Some(state) if state.tags.contains_key(PROVEN) || !state.tags.contains_key("release") => None,
        // One that was not found was registered by this run, or is gone back to.
        _ => pins.get(&service.key).is_none_or(|pin| !pin.proven).then_some(arn),
    }
}
