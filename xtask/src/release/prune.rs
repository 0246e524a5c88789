//! Deregisters old revisions after a release that is proven. It belongs to no verdict: what fails here is a warning.

use deploy::event::Kind;
use deploy::model::Service;
use deploy::plan::{Lane, Stage, prune};
use futures_util::future::{join_all, try_join_all};

use super::{Ground, Planned};
use crate::apply::{self, Known};
use crate::aws::Error;

/// Revisions of a family that are deregistered at most by one release: DeregisterTaskDefinition is a call each.
const AT_ONCE: usize = 10;
/// The newest revisions of a family, among which the last proven ones mostly are.
const NEWEST: usize = 5;

/// Deregisters what is beyond each service's `keep-revisions`.
pub(super) async fn old_revisions(ground: &Ground<'_>, planned: &Planned, known: &Known) {
    let Ground { aws, environment, .. } = *ground;
    let names: Vec<&str> = environment.services.iter().map(|service| service.name.as_str()).collect();
    let running: Vec<String> = match aws.describe_services(&environment.cluster, &names).await {
        Ok(found) => found.into_iter().flat_map(|it| it.deployments).map(|it| it.task_definition).collect(),
        Err(error) => return warn(ground, &error),
    };
    let mut lanes = Vec::new();
    let surplus = environment.services.iter().map(|service| surplus(ground, service, &running));
    for (service, steps) in environment.services.iter().zip(join_all(surplus).await) {
        match steps {
            Ok(steps) => lanes.push(Lane { name: format!("{} revisions", service.key), steps }),
            Err(error) => warn(ground, &error),
        }
    }
    let stage = Stage { name: "old revisions".to_owned(), lanes, settle: Vec::new() };
    let site = ground.site(planned, known);
    if let Err(failed) = apply::stage(&site, &stage).await {
        warn(ground, &failed);
    }
}

async fn surplus(
    ground: &Ground<'_>,
    service: &Service,
    running: &[String],
) -> Result<Vec<deploy::plan::Step>, Error> {
    let keep = usize::try_from(service.keep_revisions).unwrap_or(usize::MAX);
    let active = ground.aws.list_task_definitions(&service.family, true, usize::MAX).await?;
    if active.len() <= keep {
        return Ok(Vec::new());
    }
    let oldest = active.len().saturating_sub(AT_ONCE).max(keep);
    let read = active[..NEWEST.min(keep)].iter().chain(&active[oldest..]);
    let known = try_join_all(read.map(|arn| ground.aws.describe_task_definition(arn))).await?;
    Ok(prune(&ground.environment.app, keep, &active, &known, running))
}

fn warn(ground: &Ground<'_>, error: &dyn std::error::Error) {
    ground.events.emit(Kind::Warned { text: format!("old revisions were left: {error}") });
}
