//! What an account holds, without what every run draws anew: ids, times and the names of releases.

use std::fmt::Write as _;

use deploy::model::{Observed, ServiceState, TaskDefinitionState};
use xtask::aws::arn_name;
use xtask::observe;

use crate::world::World;

/// The account as text, one thing a line. Two accounts that hold the same have the same picture; what is there twice
/// makes another one.
pub(crate) async fn picture(world: &World) -> String {
    let World { aws, environment, .. } = world;
    let observed = observe::account(aws, environment).await.unwrap();
    let mut text = foundation(&observed);
    for service in &environment.services {
        let revisions = aws.list_task_definitions(&service.family, true, 100).await.unwrap().len();
        let rolls =
            aws.list_service_deployments(&environment.cluster, &service.name, &[]).await.unwrap().len();
        writeln!(text, "{}: {revisions} revisions, {rolls} service deployments", service.key).unwrap();
        if let Some(state) = observed.services.get(&service.key) {
            writeln!(text, "{}", service_line(state)).unwrap();
        }
    }
    text
}

/// What a failed release has to leave as it found it: what a person sees who lists rules, policies, bounds, health checks
/// and services.
pub(crate) async fn settings(world: &World) -> String {
    let observed = observe::account(&world.aws, &world.environment).await.unwrap();
    let mut text = String::new();
    for rule in &observed.rules {
        writeln!(text, "{:?}", rule.spec).unwrap();
    }
    for group in observed.target_groups.values() {
        writeln!(text, "{:?}", group.spec).unwrap();
    }
    for (key, scaling) in &observed.scaling {
        writeln!(text, "{key} {:?}", scaling.target).unwrap();
        scaling.policies.iter().for_each(|policy| writeln!(text, "{policy:?}").unwrap());
    }
    for state in observed.services.values() {
        let ServiceState { spec, task_definition, rollout, desired, running, deployments, .. } = state;
        let revision = arn_name(&task_definition.arn);
        // What ECS replaced meanwhile may still be on its way out.
        let running = running.min(desired);
        writeln!(text, "{revision} {rollout:?} {running}/{desired}, {deployments} deployments, {spec:?}")
            .unwrap();
    }
    text
}

fn foundation(observed: &Observed) -> String {
    let mut text = String::new();
    for repository in observed.repositories.values() {
        writeln!(text, "{:?}", repository.spec).unwrap();
    }
    writeln!(text, "{:?}", observed.log_groups).unwrap();
    writeln!(text, "{:?}", observed.cluster.as_ref().map(|cluster| &cluster.status)).unwrap();
    writeln!(text, "namespace {}", observed.namespace.is_some()).unwrap();
    writeln!(text, "{:?}", observed.load_balancer.as_ref().map(|balancer| &balancer.spec)).unwrap();
    writeln!(text, "{:?}", observed.listener.as_ref().map(|listener| &listener.spec)).unwrap();
    for rule in &observed.rules {
        writeln!(text, "{:?}", rule.spec).unwrap();
    }
    for group in observed.target_groups.values() {
        writeln!(text, "{:?}", group.spec).unwrap();
    }
    for (service, scaling) in &observed.scaling {
        writeln!(text, "{service} {:?} {:?}", scaling.target, scaling.policies).unwrap();
    }
    text
}

fn service_line(state: &ServiceState) -> String {
    let ServiceState { status, spec, rollout, desired, running, deployments, .. } = state;
    let revision = revision(&state.task_definition);
    format!("{status} {revision} {rollout:?} {running}/{desired} tasks, {deployments} deployments, {spec:?}")
}

/// Without the commit, which its tasks get as `APP_COMMIT`.
fn revision(state: &TaskDefinitionState) -> String {
    format!("{} {:?}", arn_name(&state.arn), state.spec.comparable())
}

/// The lines that only one of two pictures has.
pub(crate) fn differences(one: &str, other: &str) -> Vec<String> {
    let only = |of: &str, not: &str| {
        let missing = of.lines().filter(|line| !not.lines().any(|known| known == *line));
        missing.map(str::to_owned).collect::<Vec<_>>()
    };
    [only(one, other), only(other, one)].concat()
}
