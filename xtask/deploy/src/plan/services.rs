//! Steps for revisions and services, and the order in which services roll.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::naming::kept_tags;
use super::{Action, Plan, Refusal, Revision, Stage, Step, Why, kept, scaling, wanted};
use crate::model::spec::{Change, Member, ServiceSpec, TaskDefinitionSpec, changes};
use crate::model::{
    Container, Desired, Observed, Service, ServiceKey, ServiceState, TaskDefinitionState, arn_name,
};
use crate::redact::certain_secret;

/// The revision that a service should run, as far as planning knows it.
pub(super) enum Wanted {
    /// The service runs it already.
    Current,
    /// It exists, but the service does not run it.
    Existing(String),
    /// It has to be registered.
    New(Vec<Change>),
}

pub(super) fn wanted_revision(desired: &Desired, service: &Service, observed: &Observed) -> Wanted {
    let spec = wanted::task_definition_spec(desired, service, observed);
    let same = |state: &TaskDefinitionState| state.spec.comparable() == spec.comparable();
    let current = live(observed, service).map(|state| &state.task_definition);
    if current.is_some_and(same) {
        return Wanted::Current;
    }
    // A killed run may have registered it: each RegisterTaskDefinition makes another revision, also of the same content.
    let latest = observed.latest.get(&service.key);
    if let Some(latest) = latest.filter(|latest| same(latest)) {
        return Wanted::Existing(latest.arn.clone());
    }
    // A revision that DeleteTaskDefinitions removed has no definition to compare with.
    let compared = current.or(latest).filter(|found| found.spec != TaskDefinitionSpec::default());
    let mut changes = compared.map(|found| found.spec.changes(&spec)).unwrap_or_default();
    for change in &mut changes {
        let certain = |value: &Option<String>| value.as_deref().and_then(certain_secret).is_some();
        change.public = is_public(service, &change.field) && !certain(&change.from) && !certain(&change.to);
    }
    Wanted::New(changes)
}

/// Whether the container's `public` names a variable, label or log option, such as `containers.web.environment.TOKEN_LIFETIME`.
fn is_public(service: &Service, field: &str) -> bool {
    let named = |container: &Container| {
        let member = field.strip_prefix("containers.")?.strip_prefix(container.name.as_str())?;
        let kinds = [".environment.", ".dockerLabels.", ".logConfiguration.options."];
        let name = kinds.iter().find_map(|kind| member.strip_prefix(kind))?;
        Some(container.public.iter().any(|public| public == name))
    };
    service.containers().any(|(_, container)| named(container) == Some(true))
}

/// The service, unless it was deleted: ECS still describes an INACTIVE one for a while.
pub(super) fn live<'a>(observed: &'a Observed, service: &Service) -> Option<&'a ServiceState> {
    observed.services.get(&service.key).filter(|state| state.is_active())
}

/// Registers the revisions that do not exist yet.
pub(super) fn definitions(plan: &mut Plan, stage: &mut Stage, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        if let Wanted::New(changes) = wanted_revision(desired, service, observed) {
            let spec = wanted::task_definition_spec(desired, service, observed);
            let mounted =
                spec.of_container(&service.container.name, "mountPoints").and_then(Value::as_object);
            let mounts: Vec<&str> = mounted
                .into_iter()
                .flat_map(Map::keys)
                .map(String::as_str)
                .filter(|path| wanted::EXEC_PATHS.contains(path))
                .collect();
            if !mounts.is_empty() {
                plan.notes.push(format!(
                    "{}: {} are writable, for ECS Exec; the rest of the root file system stays read-only",
                    service.key,
                    mounts.join(", ")
                ));
            }
            let before = live(observed, service).map(|state| &state.task_definition);
            let before = before.or_else(|| observed.latest.get(&service.key));
            let action = Action::RegisterTaskDefinition {
                service: service.key.clone(),
                spec: Box::new(spec),
                kept: before.map(|before| kept_tags(&before.tags)).unwrap_or_default(),
            };
            let why = if changes.is_empty() { Why::Missing } else { Why::Changed(changes) };
            stage.lane(format!("{} definition", service.key), vec![Step { action, why }]);
        }
    }
}

/// Rolls the services: all at once, unless a Service Connect endpoint is new or changed. A client's
/// deployment sees only the endpoints that existed when it was made, so then the server goes first.
pub(super) fn rolls(plan: &mut Plan, desired: &Desired, observed: &Observed) {
    let services = &desired.environment.services;
    let moved: BTreeSet<&ServiceKey> = services
        .iter()
        .filter(|service| endpoint_moves(desired, service, observed))
        .map(|service| &service.key)
        .collect();
    let mut rank: Vec<(usize, &Service)> = Vec::new();
    for service in services {
        let after =
            |key: &ServiceKey| rank.iter().find(|(_, known)| known.key == *key).map(|(rank, _)| *rank);
        // Only a moved endpoint orders services. `depends-on` alone would make every release as slow as its services one by
        // one.
        let place = service
            .depends_on
            .iter()
            .filter_map(|key| {
                let first = moved.contains(key) || lacks_endpoint(&service.key, key, observed);
                after(key).map(|rank| if first { rank + 1 } else { rank })
            })
            .max();
        rank.push((place.unwrap_or(0), service));
    }
    // Clients that still run use an endpoint until they are redeployed without it: its service rolls last.
    let last = rank.iter().map(|(place, _)| *place + 1).max().unwrap_or(0);
    for (place, service) in &mut rank {
        if endpoint_goes(desired, service, observed) {
            *place = last;
        }
    }
    for place in 0..=rank.iter().map(|(place, _)| *place).max().unwrap_or(0) {
        let mut stage = Stage::new("roll");
        for (_, service) in rank.iter().filter(|(of, _)| *of == place) {
            let unseen = service
                .depends_on
                .iter()
                .find(|key| moved.contains(key) || lacks_endpoint(&service.key, key, observed));
            roll(plan, &mut stage, desired, service, observed, unseen);
        }
        let names: BTreeSet<&str> = stage
            .lanes
            .iter()
            .map(|lane| lane.name.as_str())
            .chain(stage.settle.iter().map(|key| key.0.as_str()))
            .collect();
        stage.name = format!("roll {}", Vec::from_iter(names).join(" and "));
        plan.stages.push(stage);
    }
}

fn endpoint_moves(desired: &Desired, service: &Service, observed: &Observed) -> bool {
    let wanted = wanted::service_spec(&desired.environment, service, observed).connect;
    let Some(wanted) = wanted.filter(|connect| !connect.services.is_empty()) else { return false };
    let running = live(observed, service);
    running.is_none_or(|state| state.spec.connect.as_ref() != Some(&wanted))
        && !endpoint_goes(desired, service, observed)
}

/// Whether a client was deployed before its server's endpoints: by a run that was killed between the two, or by somebody.
pub(super) fn lacks_endpoint(client: &ServiceKey, server: &ServiceKey, observed: &Observed) -> bool {
    let of = |key: &ServiceKey| observed.services.get(key).filter(|state| state.status == "ACTIVE");
    let (client, server) =
        (of(client).and_then(|it| it.deployed_at_ms), of(server).and_then(|it| it.endpoints_since_ms));
    client.zip(server).is_some_and(|(deployed, since)| deployed < since)
}

/// Whether a service offers less than before, and nothing that is new or changed.
fn endpoint_goes(desired: &Desired, service: &Service, observed: &Observed) -> bool {
    let offered = live(observed, service).and_then(|state| state.spec.connect.as_ref());
    let offered = offered.map_or(&[][..], |connect| &connect.services);
    let wanted = wanted::service_spec(&desired.environment, service, observed).connect;
    let wanted = wanted.map_or(Vec::new(), |connect| connect.services);
    wanted.len() < offered.len() && wanted.iter().all(|endpoint| offered.contains(endpoint))
}

fn roll(
    plan: &mut Plan,
    stage: &mut Stage,
    desired: &Desired,
    service: &Service,
    observed: &Observed,
    unseen: Option<&ServiceKey>,
) {
    let spec = wanted::service_spec(&desired.environment, service, observed);
    let revision = match wanted_revision(desired, service, observed) {
        Wanted::Current => None,
        Wanted::Existing(arn) => Some(Revision::Existing(arn)),
        Wanted::New(_) => Some(Revision::Registered(service.family.clone())),
    };
    let (mut steps, settle) = match live(observed, service) {
        None => (vec![create(service, spec, revision)], true),
        Some(state) => {
            // `launchType` is no member of UpdateService.
            if state.spec.launch_type != spec.launch_type {
                plan.refusals.push(Refusal {
                    what: format!(
                        "service {} runs on {}, which UpdateService cannot change",
                        spec.name, state.spec.launch_type
                    ),
                    remedy: "delete the service, or give this one another name".to_owned(),
                });
            }
            plan.notes.extend(kept::note(&desired.environment, service, observed, &state.spec, &spec));
            let step = update(service, spec, state, revision, unseen);
            let starts = step.as_ref().is_some_and(|step| starts_deployment(&step.action));
            // A deployment that somebody else or a killed run started is waited for as if it were ours.
            let moving = state.rollout.as_deref() == Some("IN_PROGRESS");
            (step.into_iter().collect(), starts || moving)
        }
    };
    steps.extend(scaling::steps(desired, service, observed));
    stage.lane(service.key.0.clone(), steps);
    if settle {
        stage.settle.push(service.key.clone());
    }
}

fn create(service: &Service, spec: ServiceSpec, revision: Option<Revision>) -> Step {
    Step::missing(Action::CreateService {
        service: service.key.clone(),
        spec: Box::new(spec),
        revision: revision.unwrap_or_else(|| Revision::Registered(service.family.clone())),
        desired: service.desired_count,
    })
}

pub(super) fn update(
    service: &Service,
    spec: ServiceSpec,
    state: &ServiceState,
    revision: Option<Revision>,
    unseen: Option<&ServiceKey>,
) -> Option<Step> {
    let mut differing = changes(&state.spec, &spec);
    let mut members = state.spec.differing(&spec);
    if let Some(revision) = &revision {
        members.insert(Member::TaskDefinition);
        let from = Some(arn_name(&state.task_definition.arn).to_owned());
        differing.insert(
            0,
            Change { field: "task_definition".to_owned(), from, to: Some(revision.words()), public: false },
        );
    }
    let starts = members.iter().any(Member::starts_deployment);
    // `forceNewDeployment` only where nothing else in the call starts one: a repeated forced call would start a second one.
    let force = match (starts, unseen, state.rollout.as_deref()) {
        (true, _, _) => None,
        (false, Some(server), _) => Some(format!("the endpoint of {server} is new or changed")),
        (false, None, Some("FAILED")) => Some("its last deployment failed".to_owned()),
        (false, None, _) => None,
    };
    let action = |force| Action::UpdateService {
        service: service.key.clone(),
        spec: Box::new(spec),
        members: members.clone(),
        revision,
        force,
    };
    // By the API reference another strategy starts no deployment: without force the tasks would stay where they run.
    let moves = !starts && members.contains(&Member::Extra(Member::STRATEGY.to_owned()));
    match force {
        Some(why) if differing.is_empty() => Some(Step::because(action(true), why)),
        // The reason stands among what differs, or nobody would read what else the call changes.
        Some(why) => {
            differing.push(Change {
                field: "new deployment".to_owned(),
                from: None,
                to: Some(why),
                public: false,
            });
            Some(Step::changed(action(true), differing))
        }
        None if members.is_empty() => None,
        None if moves => Some(Step::changed(action(true), differing)),
        None => Some(Step::changed(action(false), differing)),
    }
}

pub(super) fn starts_deployment(action: &Action) -> bool {
    matches!(
        action,
        Action::UpdateService { members, force, .. } if *force || members.iter().any(Member::starts_deployment)
    )
}
