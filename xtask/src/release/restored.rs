//! Measures what serves after a release was undone. The closing sentence says no more than that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use deploy::event::{ExitCode, Kind, UndoneService};
use deploy::model::{Pin, Service, ServiceKey, arn_name};
use deploy::rollout::ServiceSnapshot;
use deploy::verify::serves;
use futures_util::future::join_all;

use super::{Planned, ReleaseContext};
use crate::apply::ResourceIds;

/// The result of an undo.
#[derive(Debug, Default)]
pub(super) struct Restored {
    /// The services that it was to restore, and what they ran.
    pub(super) pins: BTreeMap<ServiceKey, Pin>,
    /// For services that are restored to something else than was found: what was found, and why not that.
    pub(super) instead: BTreeMap<ServiceKey, String>,
    /// Services that somebody deployed meanwhile, and what they run: left alone.
    pub(super) theirs: BTreeMap<ServiceKey, String>,
    /// Something was to be restored.
    pub(super) acted: bool,
    /// The account could not be read.
    pub(super) unseen: bool,
    /// The account was read afterwards, and is as before.
    pub(super) complete: bool,
    /// What is still to be done, a step each, and the services among it.
    pub(super) left: Vec<String>,
    pub(super) not_back: BTreeSet<ServiceKey>,
}

/// How a service is found.
enum Found {
    Serves,
    /// `desiredCount` is 0, and was before.
    Parked,
    /// `desiredCount` is 0, and was not before.
    Emptied,
    Down(u32, u32),
    Unread,
}

/// How a service is found, and its running and wanted tasks.
type Measured = (Found, Option<(u32, u32)>);

/// Emits how every service was found. Returns the exit code and the closing sentence.
pub(super) async fn closing(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    restored: &Restored,
    kept: &BTreeSet<ServiceKey>,
) -> (ExitCode, String) {
    let was = |service: &&Service| {
        let state = planned.observed.services.get(&service.key);
        state.is_some_and(|state| state.status == "ACTIVE") && !restored.theirs.contains_key(&service.key)
    };
    let services: Vec<&Service> = context.environment.services.iter().filter(was).collect();
    let found = found(context, planned, &services, restored.complete).await;
    if restored.acted || !kept.is_empty() {
        let kept = kept.iter().map(|key| UndoneService {
            service: key.clone(),
            back: false,
            before: None,
            instead: None,
            tasks: None,
        });
        let undone = |(service, (found, tasks)): (&&Service, &Measured)| {
            let revision = &restored.pins.get(&service.key)?.revision;
            let before = Some(arn_name(revision).to_owned());
            let back = !restored.not_back.contains(&service.key);
            let instead = match found {
                Found::Emptied => Some("again, but was scaled to 0 by hand during the release".to_owned()),
                _ => restored.instead.get(&service.key).cloned(),
            };
            Some(UndoneService { service: service.key.clone(), back, before, instead, tasks: *tasks })
        };
        let mut all: Vec<UndoneService> =
            services.iter().zip(&found).filter_map(undone).chain(kept).collect();
        all.sort_by(|one, other| one.service.cmp(&other.service));
        context.events.emit(Kind::Undone { services: all });
    }
    for step in &restored.left {
        context.events.emit(Kind::Failed { error: format!("not restored: {step}"), hint: None });
    }
    if !restored.complete || !kept.is_empty() {
        return (ExitCode::NotRecovered, "not deployed, and not recovered".to_owned());
    }
    if !restored.theirs.is_empty() {
        return (ExitCode::Superseded, "not deployed; a newer deployment took over".to_owned());
    }
    let names = |of: &dyn Fn(&Found) -> Option<String>| {
        let named = services
            .iter()
            .zip(&found)
            .filter_map(|(service, (found, _))| Some(format!("{} {}", service.key, of(found)?)));
        named.collect::<Vec<_>>().join(", ")
    };
    let unread = names(&|found| matches!(found, Found::Unread).then(String::new));
    let down = names(&|found| match found {
        Found::Down(running, desired) => Some(format!("{running}/{desired}")),
        _ => None,
    });
    let parked = names(&|found| matches!(found, Found::Parked).then(|| "0/0".to_owned()));
    let emptied = names(&|found| matches!(found, Found::Emptied).then(|| "0/0".to_owned()));
    let any = found.iter().any(|(found, _)| matches!(found, Found::Serves));
    if services.is_empty() {
        (ExitCode::NotRecovered, "not deployed; nothing served before".to_owned())
    } else if !unread.is_empty() {
        (ExitCode::Unknown, "not deployed; all is as before, but what serves could not be read".to_owned())
    } else if !emptied.is_empty() {
        (
            ExitCode::NotRecovered,
            format!(
                "not deployed; scaled to 0 by hand during the release: {emptied} tasks, and it does not serve"
            ),
        )
    } else if !down.is_empty() {
        (
            ExitCode::NotRecovered,
            format!("not deployed; all is as before, and it does not serve: {down} tasks"),
        )
    } else if !any {
        (ExitCode::NotRecovered, format!("not deployed; as before: {parked} tasks"))
    } else if !parked.is_empty() {
        (ExitCode::Failed, format!("not deployed; as before: {parked} tasks, and the rest serves"))
    } else {
        let as_found = restored.instead.is_empty();
        let what = if as_found { "the previous release" } else { "the last complete release before it" };
        (ExitCode::Failed, format!("not deployed; {what} serves"))
    }
}

/// Reads the services until they serve or the deadline has passed. A service that was down before is not waited for.
async fn found(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    services: &[&Service],
    wait: bool,
) -> Vec<Measured> {
    let ReleaseContext { aws, environment, events, .. } = *context;
    let door = context.door(&ResourceIds::of(&planned.observed));
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    // Targets that a changed check had failed pass the restored one some times first.
    let pass = |service: &Service| {
        let secs = service.group().map_or(0, |it| it.health.healthy_threshold * it.health.interval_secs);
        Duration::from_secs(secs.into())
    };
    let checks = planned.undo.health_checks().next().is_some();
    let pass = services.iter().map(|service| pass(service)).max().filter(|_| checks).unwrap_or_default();
    let deadline = events.clock().mark().after(Duration::from_secs(environment.timeouts.smoke_secs) + pass);
    loop {
        let read = aws.describe_services(&environment.cluster, &names).await.unwrap_or_default();
        let targets = services.iter().map(|service| async {
            let at = environment.services.iter().position(|it| it.key == service.key)?;
            // RUNNING is no answer: a task may run and fail its target's health checks.
            aws.describe_target_health(door.target_groups.get(at)?.as_ref()?).await.ok()
        });
        let targets = join_all(targets).await;
        let of = |(service, targets): (&&Service, _)| {
            let Some(read) = read.iter().find(|read| read.name == service.name) else {
                return (Found::Unread, None);
            };
            // `desiredCount` is Application Auto Scaling's while it may scale out: it is read with the count that it is
            // compared with, never taken from the plan.
            let ServiceSnapshot { running, desired, .. } = *read;
            let before = planned.observed.services.get(&service.key).map(|state| state.desired);
            let found = match desired {
                0 if read.status == "ACTIVE" && before == Some(0) => Found::Parked,
                0 if read.status == "ACTIVE" => Found::Emptied,
                _ if serves(read, Option::as_deref(&targets)) => Found::Serves,
                _ => Found::Down(running, desired),
            };
            (found, Some((running, desired)))
        };
        let found: Vec<_> = services.iter().zip(targets).map(of).collect();
        let was_up = |key: &ServiceKey| {
            planned.observed.services.get(key).is_some_and(|state| state.running > 0 || state.desired == 0)
        };
        let late = services.iter().zip(&found).any(|(service, (found, _))| {
            // A service that somebody scaled to 0 meanwhile stays there.
            matches!(found, Found::Down(_, 1..) | Found::Unread) && was_up(&service.key)
        });
        if !wait || !late || deadline.remaining().is_zero() {
            return found;
        }
        events.clock().sleep(Duration::from_secs(environment.timeouts.poll_secs)).await;
    }
}
