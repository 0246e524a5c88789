//! What the task before printed, and how it ended: why a service restarted.

use deploy::logs::LogEntry;
use deploy::model::{Environment, Service};
use deploy::rollout::Evidence;

use super::follow::end;
use super::{Error, Wanted, ended, source};
use crate::aws::{Aws, Kind};
use crate::observe;

/// Passes on all lines of the newest stopped task of each service, and its end: of one that failed, where there is one. One service
/// that cannot be read keeps no other from being shown.
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
    observe::deployed(aws, environment, wanted.services).await?;
    let (mut any, mut failed) = (false, Vec::new());
    for service in wanted.services {
        match of_service(aws, environment, wanted, service, show).await {
            Ok(found) => any |= found,
            Err(error) => failed.push((service.key.clone(), error)),
        }
    }
    if any || !failed.is_empty() {
        return ended(failed, aws.now_ms(), show);
    }
    let names: Vec<_> = wanted.services.iter().map(|service| service.key.0.as_str()).collect();
    Err(Error::NothingBefore(names.join(" and ")))
}

/// Whether the service has a stopped task that ECS remembers.
async fn of_service(
    aws: &Aws,
    environment: &Environment,
    wanted: Wanted<'_>,
    service: &Service,
    show: &mut dyn FnMut(LogEntry),
) -> Result<bool, Error> {
    let read = aws.service_tasks(&environment.cluster, &service.name, true).await;
    let mut stopped = match read {
        // One of them may be new in deploy.toml.
        Err(error) if error.kind == Kind::NotFound => return Ok(false),
        read => read.map_err(|error| Error::Observe(error.into()))?,
    };
    stopped.retain(|task| task.is_stopped());
    stopped.sort_by_key(|task| std::cmp::Reverse(task.created_ms));
    // Those that ECS no longer needed come last.
    let evidence = Evidence { stopped, ..Evidence::default() };
    let groups = evidence.alike();
    let Some(task) = groups.first().and_then(|group| group.first()) else { return Ok(false) };
    let own = Wanted {
        services: &[service],
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
    Ok(true)
}
