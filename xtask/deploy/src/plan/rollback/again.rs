//! What a pin asks for beyond its revision: new tasks of the same revision, and another number of them.

use super::super::services::live;
use super::super::{Action, Plan, Refusal, Step, Undo};
use crate::history::PROVEN;
use crate::model::spec::ServiceSpec;
use crate::model::{Environment, Observed, Pin, Release, Service, ServiceKey, ServiceState};

/// Replaces no deployment: the one in progress is of the same restart, whose run was killed.
const BEGUN: &str = "";

/// What runs, in new tasks of these services.
pub fn restart(observed: &Observed, services: &[&Service], actor: String) -> Release {
    running(observed, services, actor, |state| Pin { replaces: state.primary.clone(), ..Pin::default() })
}

/// Follows the deployments in progress that an earlier run of the restart began, which was killed: that one's record is `left`.
pub fn resume_restart(release: &mut Release, left: &Undo, observed: &Observed) {
    for (key, pin) in &mut release.pins {
        let state = observed.services.get(key).filter(|state| is_moving(state));
        if state.is_some_and(|state| left.restarts(key, state)) && pin.replaces.is_some() {
            pin.replaces = Some(BEGUN.to_owned());
        }
    }
}

pub(super) fn is_moving(state: &ServiceState) -> bool {
    state.rollout.as_deref() == Some("IN_PROGRESS")
}

/// What runs, in so many tasks of this service.
pub fn scale(observed: &Observed, service: &Service, count: u32, actor: String) -> Release {
    running(observed, &[service], actor, |_| Pin { count: Some(count), ..Pin::default() })
}

/// The environment as it is once this service has so many tasks. Of none, nobody is asked.
pub fn scaled(environment: &mut Environment, service: &ServiceKey, count: u32) {
    for service in environment.services.iter_mut().filter(|it| it.key == *service) {
        service.desired_count = count;
        if count == 0 {
            service.smoke.clear();
        }
    }
}

fn running(
    observed: &Observed,
    services: &[&Service],
    actor: String,
    pin: impl Fn(&ServiceState) -> Pin,
) -> Release {
    let live = || observed.services.iter().filter(|(_, state)| state.is_active());
    let tag = |name: &str| {
        let tags = live().filter_map(|(_, state)| state.task_definition.tags.get(name));
        tags.max().cloned()
    };
    let pinned = |service: &&Service| {
        let pin = observed.services.get(&service.key).map(|state| Pin {
            revision: state.task_definition.arn.clone(),
            proven: state.task_definition.tags.contains_key(PROVEN),
            ..pin(state)
        });
        // Of one that is not there the plan says so.
        (service.key.clone(), pin.unwrap_or_default())
    };
    Release {
        id: tag("release").unwrap_or_else(|| "of somebody else".to_owned()),
        commit: tag("commit"),
        committed: None,
        dirty: tag("dirty").is_some_and(|dirty| dirty == "true"),
        actor,
        images: live()
            .filter_map(|(key, state)| Some((key.clone(), state.task_definition.digest()?)))
            .collect(),
        pins: services.iter().map(pinned).collect(),
        // Pinned revisions are run as they are, with the sidecars that they name.
        tagged: Default::default(),
    }
}

/// How a stage with this pin is called.
pub(super) fn verb(pin: &Pin) -> &'static str {
    match pin {
        Pin { replaces: Some(_), .. } => "restart",
        Pin { count: Some(_), .. } => "scale",
        _ => "roll back",
    }
}

/// Refuses what cannot be done, and says what becomes of a count.
pub(super) fn check(plan: &mut Plan, service: &Service, pin: &Pin, observed: &Observed) {
    let Some(state) = live(observed, service) else { return };
    let key = &service.key;
    if pin.replaces.is_some() && state.desired == 0 {
        plan.refusals.push(Refusal {
            what: format!("{key} is scaled to 0 tasks: there is nothing to restart"),
            remedy: format!("`cargo xtask scale {key} {}` starts tasks", service.desired_count.max(1)),
        });
    }
    if pin.replaces.as_deref() == Some(BEGUN) {
        plan.notes.push(format!("{key}: the restart that an earlier run began is followed"));
    } else if is_due(pin, state) && is_moving(state) {
        // Tasks that it started earlier have the old value of a secret that was changed since.
        plan.notes.push(format!("{key}: a deployment is in progress, and its tasks are replaced after it"));
    }
    let Some(count) = pin.count else { return };
    let scaling = observed.scaling.get(key);
    let Some(target) = scaling.and_then(|scaling| scaling.target.as_ref()) else {
        plan.notes.push(format!("{key} has no scaling: it keeps {count} tasks, also through deploys"));
        return;
    };
    let (min, max) = (target.min, target.max);
    if !(min..=max).contains(&count) {
        plan.refusals.push(Refusal {
            what: format!("{key} may have {min} to {max} tasks by its scaling, and not {count}"),
            remedy: format!("change `min` or `max` of [service.{key}.scaling] in deploy.toml and deploy"),
        });
        return;
    }
    let policies =
        scaling.into_iter().flat_map(|scaling| &scaling.policies).map(|policy| policy.name.as_str());
    let schedules =
        scaling.into_iter().flat_map(|scaling| &scaling.schedules).map(|schedule| schedule.name.as_str());
    let movers: Vec<&str> = policies.chain(schedules).collect();
    plan.notes.push(if movers.is_empty() {
        format!("{key} keeps {count} tasks: it has no scaling policy and no schedule")
    } else {
        format!("{key} has {count} tasks until {} moves it, between {min} and {max}", movers.join(" or "))
    });
}

/// Whether the deployment that the pin replaces is still the service's own.
pub(super) fn is_due(pin: &Pin, state: &ServiceState) -> bool {
    pin.replaces.is_some() && pin.replaces == state.primary
}

pub(super) fn forced(service: &Service, spec: ServiceSpec) -> Step {
    let action = Action::UpdateService {
        service: service.key.clone(),
        spec: Box::new(spec),
        members: Default::default(),
        revision: None,
        force: true,
    };
    Step::because(action, "a restart was asked for")
}

pub(in crate::plan) fn count(service: &Service, state: &ServiceState, to: u32) -> Option<Step> {
    let (key, name, from) = (service.key.clone(), service.name.clone(), state.desired);
    let action = Action::SetDesiredCount { service: key, name, from, to };
    (from != to).then(|| Step::because(action, "asked for"))
}
