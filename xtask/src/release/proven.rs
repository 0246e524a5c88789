//! Marks what was proven, and what crashed after it was: the tags that a later rollback looks for.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use deploy::event::Kind;
use deploy::history::{CRASHED, PROVEN, is_proven};
use deploy::model::{Service, ServiceKey, TaskDefinitionState, arn_name};
use deploy::rollout::TaskSnapshot;
use deploy::verify::{Reading, crashed_since_proof};
use futures_util::future::join_all;

use super::{Planned, ReleaseContext};
use crate::apply::ResourceIds;
use crate::aws::Tags;
use crate::settle::Settled;
use crate::verify;

/// Tags the revisions that run and were just proven, unless they are tagged already or are somebody else's. A tag that
/// cannot be written is a warning and fails no release.
///
/// One that crashed since is proven again where it was seen to stay up: its deployment was followed, or nothing rolled and
/// the proof waited for it.
pub(super) async fn mark(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    settled: &[Settled],
    read: &[Reading],
) {
    let tags = now(context, PROVEN);
    let followed = |key: &ServiceKey| settled.iter().any(|it| it.key == *key && it.healthy.is_some());
    let quiet = !planned.rolls() && settled.is_empty();
    let crashed: Vec<&ServiceKey> =
        crashed(context, planned, read).into_iter().map(|(service, _)| &service.key).collect();
    let calm = |key: &ServiceKey| {
        let mut services = context.environment.services.iter().zip(read);
        services.any(|(service, reading)| service.key == *key && reading.crashed().is_empty())
    };
    let stays = |key: &ServiceKey| {
        ((quiet || followed(key)) && crashed.contains(&key))
            || (is_marked(planned, ids, key) && (followed(key) || calm(key)))
    };
    let services = context.environment.services.iter();
    let revisions: Vec<String> =
        services.filter_map(|service| unmarked(planned, ids, service, stays)).collect();
    for (revision, result) in revisions
        .iter()
        .zip(join_all(revisions.iter().map(|arn| context.aws.tag_ecs_resource(arn, &tags))).await)
    {
        if let Err(error) = result {
            let text =
                format!("{revision} could not be tagged as proven, and no rollback will find it: {error}");
            context.events.emit(Kind::Warned { text });
        }
    }
}

/// The services that run what they ran when the run began, and whose tasks crashed since that was proven, with a sentence: by
/// the mark of an earlier run, or by the stopped tasks that ECS still shows.
pub(super) fn crashed<'a>(
    context: &ReleaseContext<'a>,
    planned: &Planned,
    read: &[Reading],
) -> Vec<(&'a Service, String)> {
    let of = |(service, reading): (&'a Service, &Reading)| {
        let state = planned.observed.services.get(&service.key)?;
        let revision = &state.task_definition;
        if reading.service.deployments.first()?.task_definition != revision.arn {
            return None;
        }
        let crashed = reading.crashed_of(&revision.arn);
        let marked = revision.tags.contains_key(CRASHED) && !is_proven(revision);
        if !marked && !crashed_since_proof(revision, &reading.stopped, state.desired, |_| true) {
            return None;
        }
        let name = arn_name(&revision.arn);
        let last = crashed
            .first()
            .map_or_else(|| format!("{}: tasks of {name} crashed", service.key), |last| reading.crash(last));
        Some((service, last))
    };
    context.environment.services.iter().zip(read).filter_map(of).collect()
}

/// Whether a service runs a revision that an earlier run marked as crashed.
pub(super) fn is_marked(planned: &Planned, ids: &ResourceIds, key: &ServiceKey) -> bool {
    let runs = ids.deployed(key).and_then(|it| found(planned, key, &it.revision));
    runs.is_some_and(|state| state.tags.contains_key(CRASHED) && !is_proven(state))
}

/// A revision as it was read at the beginning, where a service ran it or it was the newest of its family.
fn found<'a>(planned: &'a Planned, key: &ServiceKey, arn: &str) -> Option<&'a TaskDefinitionState> {
    let current = planned.observed.services.get(key).map(|state| &state.task_definition);
    [current, planned.observed.latest.get(key)].into_iter().flatten().find(|state| state.arn == arn)
}

fn unmarked(
    planned: &Planned,
    ids: &ResourceIds,
    service: &Service,
    stays: impl Fn(&ServiceKey) -> bool,
) -> Option<String> {
    let pins = &planned.desired.release.pins;
    // With pins, only those services were followed; the others were not observed long enough to be called proven.
    if !pins.is_empty() && !pins.contains_key(&service.key) {
        return None;
    }
    let arn = ids.deployed(&service.key)?.revision;
    let found = found(planned, &service.key, &arn);
    let commit = planned.desired.release.commit.as_ref();
    match found {
        Some(_) if stays(&service.key) => Some(arn),
        Some(state) if state.tags.contains_key(PROVEN) || !state.tags.contains_key("release") => None,
        // Proven by a run of another commit: its own release was not, and is not called so.
        Some(state) if pins.is_empty() && state.tags.get("commit") != commit => None,
        // One that was not found was registered by this run, or is rolled back to.
        _ => pins.get(&service.key).is_none_or(|pin| !pin.proven).then_some(arn),
    }
}

/// Tags the revisions that were found at the beginning, were proven once, and whose tasks have since stopped by
/// themselves: at least as many as should run, and not just one. A revision that `stays` was just proven once more.
/// What cannot be read or written is a warning; what was `read` a moment ago is not read again.
pub(super) async fn mark_crashed(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    read: Option<Vec<Reading>>,
    stays: impl Fn(&ServiceKey, &str) -> bool,
) -> BTreeSet<String> {
    let door = context.door(&ResourceIds::of(&planned.observed));
    let read = match read {
        Some(read) => Ok(read),
        None => verify::readings(context.aws, context.environment, &door).await,
    };
    let readings = match read {
        Ok(readings) => readings,
        Err(error) => {
            let text = format!("cannot read whether tasks crashed before: {error}");
            context.events.emit(Kind::Warned { text });
            return BTreeSet::new();
        }
    };
    let mut all = BTreeSet::new();
    for (service, reading) in context.environment.services.iter().zip(&readings) {
        let Some(state) = planned.observed.services.get(&service.key) else { continue };
        let judged = is_judged_otherwise(planned, service);
        let counts = |task: &TaskSnapshot| task.exited() || !judged;
        let recorded = recorded(context, planned, &service.key).await;
        for revision in [Some(&state.task_definition), recorded.as_ref()].into_iter().flatten() {
            let arn = &revision.arn;
            if stays(&service.key, arn)
                || !crashed_since_proof(revision, &reading.stopped, state.desired, counts)
            {
                continue;
            }
            all.insert(arn.clone());
            if let Err(error) = context.aws.tag_ecs_resource(arn, &now(context, CRASHED)).await {
                let text = format!("{arn} could not be tagged as crashed: {error}");
                context.events.emit(Kind::Warned { text });
            }
        }
    }
    all
}

/// The revision that a killed run found and replaced, which this run was to restore. One that cannot be read is as good as its
/// record says.
async fn recorded(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    key: &ServiceKey,
) -> Option<TaskDefinitionState> {
    let found = &planned.observed.services.get(key)?.task_definition.arn;
    let (_, pin, _) = planned.undo.pins().find(|(of, _, earlier)| *of == key && *earlier)?;
    let other = Some(pin.revision).filter(|revision| revision != found)?;
    context.aws.describe_task_definition(&other).await.ok()
}

/// Whether the release changed the health check by which running tasks are judged: what ECS stops for it is no crash.
fn is_judged_otherwise(planned: &Planned, service: &Service) -> bool {
    service
        .group()
        .is_some_and(|group| planned.undo.health_checks().any(|changed| changed.name == group.name))
}

/// Tags revisions as proven once more which an undo found serving, after a health check of the release had ECS stop their tasks:
/// to the next run those stops, which ECS shows for an hour, would look like crashes.
pub(super) async fn renew(context: &ReleaseContext<'_>, planned: &Planned) {
    for service in context.environment.services.iter().filter(|service| is_judged_otherwise(planned, service))
    {
        let Some(state) = planned.observed.services.get(&service.key) else { continue };
        if !is_proven(&state.task_definition) {
            continue;
        }
        let arn = &state.task_definition.arn;
        if let Err(error) = context.aws.tag_ecs_resource(arn, &now(context, PROVEN)).await {
            let text = format!("{arn} could not be tagged as proven once more: {error}");
            context.events.emit(Kind::Warned { text });
        }
    }
}

fn now(context: &ReleaseContext<'_>, tag: &str) -> Tags {
    let now = UNIX_EPOCH + Duration::from_millis(context.aws.now_ms());
    Tags::from([(tag.to_owned(), humantime::format_rfc3339_seconds(now).to_string())])
}
