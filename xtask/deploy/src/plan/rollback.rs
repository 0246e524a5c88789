//! A rollback, a restart or another number of tasks: services run pinned revisions, and nothing else of the account changes.
//!
//! It is a plan like any other, made from what is pinned and what was found.

mod again;

pub(super) use again::count;
pub use again::{restart, resume_restart, scale, scaled};

use std::collections::BTreeSet;

use super::before_roll;
use super::services::{lacks_endpoint, live, starts_deployment, update};
use super::{Plan, Refusal, Revision, Stage, Step};
use crate::model::{Desired, Observed, Pin, Service, ServiceKey};

/// In which order services roll back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One after the other, the last one first: a release is undone in the reverse of the order in which it was done. Only a
    /// service whose Service Connect endpoint is restored goes before its clients, as in a release.
    Reverse,
    /// All at the same time: no endpoint changes, so none has to wait for another.
    Together,
}

/// What has to be done so that the pinned services run their pinned revisions, in so many tasks and as new ones where the pin
/// says so.
pub fn rollback(desired: &Desired, observed: &Observed, order: Order) -> Plan {
    let mut plan = Plan::default();
    let pinned: Vec<(&Service, &Pin)> = desired
        .environment
        .services
        .iter()
        .filter_map(|service| Some((service, desired.release.pins.get(&service.key)?)))
        .collect();
    let mut first = Stage::new("wait");
    let waits = |(service, pin): &(&Service, &Pin)| {
        let state = live(observed, service).filter(|state| again::is_moving(state));
        state.filter(|state| again::is_due(pin, state)).map(|_| service.key.clone())
    };
    first.settle.extend(pinned.iter().filter_map(waits));
    let (servers, others): (Vec<_>, Vec<_>) =
        pinned.into_iter().partition(|(service, pin)| endpoint_returns(service, pin, observed));
    let returning: BTreeSet<&ServiceKey> = servers.iter().map(|(service, _)| &service.key).collect();
    for (service, pin) in servers.into_iter().chain(others.into_iter().rev()) {
        if plan.stages.is_empty() || order == Order::Reverse {
            plan.stages.push(Stage::new(again::verb(pin)));
        }
        refuse_without_image(&mut plan, desired, observed, service);
        match live(observed, service) {
            Some(_) => {}
            None => {
                plan.refusals.push(Refusal {
                    what: format!("service {} does not exist", service.name),
                    remedy: "`cargo xtask deploy` creates it".to_owned(),
                });
                continue;
            }
        }
        again::check(&mut plan, service, pin, observed);
        if let Some(stage) = plan.stages.last_mut() {
            let unseen = service.depends_on.iter().find(|server| match returning.contains(server) {
                true => is_later(&service.key, server, observed),
                // An undo that was killed between the two.
                false => pin.settings.is_some() && lacks_endpoint(&service.key, server, observed),
            });
            roll_back(stage, service, pin, observed, unseen);
        }
    }
    for stage in &mut plan.stages {
        // A service of which only settings change does not roll, and is named after those that do.
        let lanes = stage.lanes.iter().map(|lane| lane.name.as_str());
        let mut names: Vec<&str> = stage.settle.iter().map(|key| key.0.as_str()).collect();
        names.extend(lanes.filter(|name| !stage.settle.iter().any(|key| key.0 == *name)));
        stage.name = format!("{} {}", stage.name, names.join(" and "));
    }
    // A migration that still runs may change the database below the revision that is restored.
    plan.stages.splice(0..0, [before_roll::wait_for_left(&desired.environment, observed), first]);
    plan.stages.retain(|stage| !stage.lanes.is_empty() || !stage.settle.is_empty());
    plan
}

/// Whether an endpoint changes that clients use. A client's deployment sees only the endpoints that existed when it was made.
fn endpoint_returns(service: &Service, pin: &Pin, observed: &Observed) -> bool {
    let connect = pin.settings.as_ref().and_then(|settings| settings.connect.as_ref());
    connect.is_some_and(|connect| !connect.services.is_empty())
        && live(observed, service).is_some_and(|state| state.spec.connect.as_ref() != connect)
}

/// Whether a client was deployed after the server whose endpoint returns, and so does not know it: by the release, or by ECS,
/// which rolled it back while the server still had the other endpoint. One that was deployed before knows it.
fn is_later(client: &ServiceKey, server: &ServiceKey, observed: &Observed) -> bool {
    let deployed = |key: &ServiceKey| observed.services.get(key).and_then(|state| state.deployed_at_ms);
    deployed(client).zip(deployed(server)).is_none_or(|(client, server)| client > server)
}

fn roll_back(
    stage: &mut Stage,
    service: &Service,
    pin: &Pin,
    observed: &Observed,
    unseen: Option<&ServiceKey>,
) {
    let Some(state) = live(observed, service) else { return };
    let settings = pin.settings.clone().unwrap_or_else(|| state.spec.clone());
    let revision =
        (state.task_definition.arn != pin.revision).then(|| Revision::Existing(pin.revision.clone()));
    // Another revision starts new tasks anyway: to force a deployment besides would start a second one.
    let restarts = revision.is_none() && again::is_due(pin, state);
    let step: Option<Step> = match update(service, settings.clone(), state, revision, unseen) {
        None if restarts => Some(again::forced(service, settings)),
        step => step,
    };
    let starts = step.as_ref().is_some_and(|step| starts_deployment(&step.action));
    let moving = again::is_moving(state);
    let count = pin.count.and_then(|to| count(service, state, to));
    stage.lane(service.key.0.clone(), step.into_iter().chain(count).collect());
    if starts || moving {
        stage.settle.push(service.key.clone());
    }
}

/// Refuses a revision whose image its repository no longer holds: no task could start from it.
fn refuse_without_image(plan: &mut Plan, desired: &Desired, observed: &Observed, service: &Service) {
    // Images of other registries are not checked: their credentials may be ECS's only. The roll itself shows.
    let Some(digest) = desired.release.images.get(&service.key).filter(|_| service.image.is_none()) else {
        return;
    };
    let repository = observed.repositories.get(&service.repository.name);
    // A repository that could not be read may hold it; the roll itself shows.
    if repository.is_some_and(|found| found.holds.as_ref().is_none_or(|holds| holds.contains(digest))) {
        return;
    }
    plan.refusals.push(Refusal {
        what: format!(
            "the image {} of {} is no longer in {}",
            digest.short(),
            service.key,
            service.repository.name
        ),
        remedy: "choose another release with --to, or deploy the wanted commit".to_owned(),
    });
}
