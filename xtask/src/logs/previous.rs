//! What the task before printed, and how it ended: why a service restarted.

use deploy::logs::LogEntry;
use deploy::model::Environment;
use deploy::rollout::Evidence;

use super::follow::end;
use super::{Error, Wanted, source};
use crate::aws::Aws;
use crate::observe;

/// Passes on all lines of the newest stopped task of each service, and its end: of one that failed, where there is one.
///
/// # Errors
/// [`Error::NothingBefore`] when ECS remembers no stopped task of them; when the log cannot be read.
pub async fn previous(
    aws: &Aws,
    environment: &Environment,
    wanted: Wanted<'_>,
    show: &mut dyn FnMut(LogEntry),
) -> Result<(), Error> {
    observe::guard(aws, environment).await?;
    let mut any = false;
    for service in wanted.services {
        let read = aws.service_tasks(&environment.cluster, &service.name, true).await;
        let mut stopped = read.map_err(|error| Error::Observe(error.into()))?;
        stopped.retain(|task| task.last_status == "STOPPED");
        stopped.sort_by_key(|task| std::cmp::Reverse(task.created_ms));
        // Those that ECS no longer needed come last.
        let evidence = Evidence { stopped, ..Evidence::default() };
        let groups = evidence.alike();
        let Some(task) = groups.first().and_then(|group| group.first()) else { continue };
        any = true;
        let own = Wanted {
            services: &[*service],
            task: Some(&task.id),
            since_ms: task.created_ms.saturating_sub(60_000),
            ..wanted
        };
        let mut failed = Vec::new();
        source::merge(aws, &mut source::all(own)?, show, &mut failed).await;
        if let Some((service, error)) = failed.into_iter().next() {
            return Err(Error::of(&service, error));
        }
        let at_ms = task.stopped_ms.unwrap_or(task.created_ms);
        show(LogEntry { at_ms, service: service.key.clone(), task: Some(task.id.clone()), what: end(task) });
    }
    if any {
        return Ok(());
    }
    let names: Vec<_> = wanted.services.iter().map(|service| service.key.0.as_str()).collect();
    Err(Error::NothingBefore(names.join(" and ")))
}
