//! Deregisters old revisions after a release that is proven. It belongs to no verdict: what fails here is a warning.

use deploy::event::Kind;
use deploy::model::Service;
use deploy::plan::{Lane, Stage, prune};
use deploy::verify::Reading;
use futures_util::future::{join_all, try_join_all};

use super::{Planned, ReleaseContext};
use crate::apply::{self, ResourceIds};
use crate::aws::Error;

/// Revisions of a family that are deregistered at most by one release: DeregisterTaskDefinition is a call each.
const AT_ONCE: usize = 10;
/// The newest revisions of a family, among which the last proven ones mostly are.
const NEWEST: usize = 5;

/// Deregisters what is beyond each service's `keep-revisions`, by the reading that proved the release.
pub(super) async fn old_revisions(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    proven: Option<&Vec<Reading>>,
) {
    let Some(read) = proven else { return };
    let environment = context.environment;
    // `deployments[]` and not `taskDefinition`: during a roll an older deployment still has tasks, and a rollback needs its
    // revision. UpdateService refuses an INACTIVE one.
    let running = read.iter().flat_map(|it| &it.service.deployments).map(|it| it.task_definition.clone());
    let running: Vec<String> = running.collect();
    let mut lanes = Vec::new();
    let surplus = environment.services.iter().map(|service| surplus(context, service, &running));
    for (service, steps) in environment.services.iter().zip(join_all(surplus).await) {
        match steps {
            Ok(steps) => lanes.push(Lane { name: format!("{} revisions", service.key), steps }),
            Err(error) => warn(context, &error),
        }
    }
    let stage = Stage { name: "old revisions".to_owned(), lanes, settle: Vec::new() };
    let step_context = context.step_context(planned, ids);
    if let Err(failed) = apply::stage(&step_context, &stage).await {
        warn(context, &failed);
    }
}

async fn surplus(
    context: &ReleaseContext<'_>,
    service: &Service,
    running: &[String],
) -> Result<Vec<deploy::plan::Step>, Error> {
    let keep = usize::try_from(service.keep_revisions).unwrap_or(usize::MAX);
    let active = context.aws.list_task_definitions(&service.family, true, usize::MAX).await?;
    // Most releases end here, after one call for each family.
    if active.len() <= keep {
        return Ok(Vec::new());
    }
    let oldest = active.len().saturating_sub(AT_ONCE).max(keep);
    // ListTaskDefinitions has neither tags nor dates, so each revision that matters is a DescribeTaskDefinition of its own.
    let read = active[..NEWEST.min(keep)].iter().chain(&active[oldest..]);
    let described = try_join_all(read.map(|arn| context.aws.describe_task_definition(arn))).await?;
    Ok(prune(&context.environment.app, keep, &active, &described, running))
}

fn warn(context: &ReleaseContext<'_>, error: &dyn std::error::Error) {
    context.events.emit(Kind::Warned { text: format!("old revisions were left: {error}") });
}
