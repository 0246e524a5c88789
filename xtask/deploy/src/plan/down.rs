//! The plan that takes an environment away again.

use super::{Action, Plan, Stage, Step};
use crate::model::spec::{ClusterSpec, NamespaceSpec};
use crate::model::{Environment, LoadBalancerSource, Observed};

/// What [`down`] leaves on purpose: it holds data, or an earlier release may need it.
pub const REMAINS: &str = "repositories with their images, log groups and task definition revisions are kept";

/// Everything that `deploy` created for the environment goes, but for [`REMAINS`]: services first (clients
/// before servers), then what they used. A load balancer that was selected, not created, stays.
#[must_use]
pub fn down(environment: &Environment, observed: &Observed) -> Plan {
    let why = "the environment is taken down";
    let mut plan = Plan::default();
    let mut services = Stage::new("services");
    for service in environment.services.iter().rev() {
        let mut steps = Vec::new();
        if let Some(target) = observed.scaling.get(&service.key).and_then(|found| found.target.clone()) {
            steps.push(Step::because(Action::DeregisterScalableTarget(target), why));
        }
        if observed.services.get(&service.key).is_some_and(|state| state.status != "INACTIVE") {
            let action = Action::DeleteService {
                service: service.key.clone(),
                name: service.name.clone(),
                cluster: environment.cluster.clone(),
            };
            steps.push(Step::because(action, why));
        }
        services.lane(service.key.0.clone(), steps);
    }
    let mut routing = Stage::new("routing");
    let created = matches!(environment.load_balancer.source, LoadBalancerSource::Create { .. });
    match &observed.load_balancer {
        Some(found) if created => {
            let step = Step::because(Action::DeleteLoadBalancer(found.spec.clone()), why);
            routing.lane("load balancer", vec![step]);
        }
        _ => {
            for rule in observed.rules.iter().filter_map(|rule| rule.spec.clone()) {
                if environment.services.iter().any(|service| service.target_group.name == rule.target_group) {
                    routing.lane(
                        format!("rule {}", rule.priority),
                        vec![Step::because(Action::DeleteRule(rule), why)],
                    );
                }
            }
        }
    }
    let mut foundation = Stage::new("foundation");
    for service in &environment.services {
        if let Some(found) = observed.target_groups.get(&service.target_group.name) {
            let step = Step::because(Action::DeleteTargetGroup(found.spec.clone()), why);
            foundation.lane(format!("{} target group", service.key), vec![step]);
        }
    }
    if observed.cluster.as_ref().is_some_and(|cluster| cluster.status == "ACTIVE") {
        let spec = ClusterSpec { name: environment.cluster.clone() };
        foundation.lane("cluster", vec![Step::because(Action::DeleteCluster(spec), why)]);
    }
    if observed.namespace.is_some() {
        let spec = NamespaceSpec { name: environment.namespace.clone() };
        foundation.lane("namespace", vec![Step::because(Action::DeleteNamespace(spec), why)]);
    }
    plan.stages.extend([services, routing, foundation]);
    plan.stages.retain(|stage| !stage.lanes.is_empty());
    plan
}
