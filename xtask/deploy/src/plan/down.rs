//! The plan that takes an environment away again.

use super::Plan;
use super::orphans::removal;
use crate::model::spec::ServiceSpec;
use crate::model::{Environment, Maker, Observed, Owned, OwnedKind, Owner, RuleState, Service};

/// What [`down`] leaves on purpose: it holds data, or an earlier release may need it.
pub const REMAINS: &str = "repositories with their images, log groups and task definition revisions are kept";

/// Deletes everything that this tool made for the environment, but for [`REMAINS`] and what somebody else's things are in.
/// `there` is what was found to exist of it. What was adopted or found by name stays, and is named.
pub fn down(environment: &Environment, observed: &Observed, there: &[Owned]) -> Plan {
    let occupied: Vec<(&Owned, String)> =
        there.iter().filter_map(|owned| Some((owned, occupant(environment, observed, owned)?))).collect();
    let free: Vec<Owned> =
        there.iter().filter(|owned| occupied.iter().all(|(kept, _)| kept != owned)).cloned().collect();
    // Clients are deleted before the servers that they call, or their last requests would fail.
    let order: Vec<_> = environment.services.iter().rev().collect();
    let mut plan = removal(&free, &order, "the environment is taken down");
    plan.notes = adopted(environment, observed);
    plan.notes.extend(occupied.into_iter().map(|(owned, occupant)| {
        format!("{} {}: kept, because {occupant} is in it", owned.kind.words(), owned.name)
    }));
    plan
}

/// Something of somebody else that is in a cluster or a namespace of ours, or that uses a target group of ours.
fn occupant(environment: &Environment, observed: &Observed, owned: &Owned) -> Option<String> {
    let theirs = |arn: &str| observed.maker(environment, arn) != Maker::Ours;
    let adopted = observed.services.values().filter(|state| state.status != "INACTIVE" && theirs(&state.arn));
    let mut adopted = adopted.map(|state| &state.spec);
    let mut others = observed.neighbours.iter().filter(|other| theirs(&other.arn));
    let service = match owned.kind {
        OwnedKind::Cluster => {
            let adopted = adopted.find(|spec| spec.cluster == owned.name).map(|spec| &spec.name);
            adopted.or_else(|| others.find(|other| other.cluster == owned.name).map(|other| &other.name))
        }
        OwnedKind::Namespace => {
            let inside =
                |spec: &&ServiceSpec| spec.connect.as_ref().is_some_and(|it| it.namespace == owned.name);
            let adopted = adopted.find(inside).map(|spec| &spec.name);
            adopted.or_else(|| others.find(|other| !other.endpoints.is_empty()).map(|other| &other.name))
        }
        OwnedKind::TargetGroup => {
            let uses =
                |spec: &&ServiceSpec| spec.load_balancers.iter().any(|it| it.target_group == owned.name);
            let adopted = adopted.find(uses).map(|spec| &spec.name);
            let other = others.find(|other| other.target_groups.contains(&owned.name));
            let rule = || {
                let leads =
                    |rule: &&RuleState| theirs(&rule.arn) && rule.spec.forwards().contains(&owned.name);
                observed.rules.iter().find(leads).map(RuleState::words)
            };
            return adopted.or_else(|| other.map(|other| &other.name)).map(service_words).or_else(rule);
        }
        _ => None,
    };
    service.map(service_words)
}

fn service_words(name: &String) -> String {
    format!("service {name}")
}

/// What the file names and was not made for this environment: a sentence each.
fn adopted(environment: &Environment, observed: &Observed) -> Vec<String> {
    let mut found: Vec<(String, &str)> = Vec::new();
    for service in &environment.services {
        if let Some(state) = observed.services.get(&service.key).filter(|state| state.status != "INACTIVE") {
            found.push((format!("service {}", service.name), &state.arn));
        }
        if let Some(scaling) = observed.scaling.get(&service.key)
            && let Some(target) = &scaling.target
        {
            let arn = scaling.arn.as_deref().unwrap_or_default();
            found.push((format!("scalable target {}", target.resource_id), arn));
        }
        if let Some(group) = service.group().and_then(|group| observed.target_groups.get(&group.name)) {
            found.push((format!("target group {}", group.spec.name), &group.arn));
        }
    }
    let groups = || environment.services.iter().filter_map(Service::group);
    let ours = |name: &String| groups().any(|group| group.name == *name);
    for rule in observed.rules.iter().filter(|rule| rule.spec.forwards().iter().any(ours)) {
        found.push((rule.words(), &rule.arn));
    }
    if let Some(balancer) = &observed.load_balancer {
        found.push((format!("load balancer {}", balancer.spec.name), &balancer.arn));
    }
    if let Some(listener) = &observed.listener {
        found.push((format!("listener {}:{}", listener.spec.protocol, listener.spec.port), &listener.arn));
    }
    if let Some(cluster) = observed.cluster.as_ref().filter(|cluster| cluster.is_active()) {
        found.push((format!("cluster {}", environment.cluster), &cluster.arn));
    }
    if let Some(namespace) = &observed.namespace {
        found.push((format!("namespace {}", environment.namespace), &namespace.arn));
    }
    let kept = |(what, arn): (String, &str)| match observed.maker(environment, arn) {
        Maker::Ours => None,
        Maker::Another(Owner { app, environment }) => {
            Some(format!("{what}: kept, created for environment `{environment}` of application `{app}`"))
        }
        Maker::Somebody => Some(format!("{what}: kept, not created by this tool")),
    };
    found.into_iter().filter_map(kept).collect()
}
