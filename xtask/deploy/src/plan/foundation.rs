//! Steps for what services need first: repositories and images, log groups, the cluster, the namespace.

use super::wanted;
use super::{Action, Plan, Refusal, Stage, Step, Why};
use crate::model::spec::{Change, ClusterSpec, NamespaceSpec, changes};
use crate::model::{ClusterState, Desired, Observed, ProviderName, Service};

/// Repository, lifecycle policy and push of each service, and its log group.
pub(super) fn images(stage: &mut Stage, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        if service.builds() {
            let mut steps = repository(service, observed);
            steps.extend(push(service, desired, observed));
            stage.lane(format!("{} image", service.key), steps);
        }
        stage.lane(format!("{} log group", service.key), log_group(service, observed));
    }
}

fn repository(service: &Service, observed: &Observed) -> Vec<Step> {
    let spec = wanted::repository(service);
    let Some(found) = observed.repositories.get(&spec.name) else {
        let policy = spec.keep_images.map(|_| Step::missing(Action::PutLifecyclePolicy(spec.clone())));
        return [Step::missing(Action::CreateRepository(spec))].into_iter().chain(policy).collect();
    };
    let mut steps = Vec::new();
    let differing = changes(&found.spec, &spec);
    let of =
        |field: &str| differing.iter().filter(|change| change.field == field).cloned().collect::<Vec<_>>();
    let (mutability, policy) = (of("immutable_tags"), of("keep_images"));
    if !mutability.is_empty() {
        steps.push(Step::changed(Action::SetTagMutability(spec.clone()), mutability));
    }
    // Without `keep-images` a lifecycle policy that somebody else made stays.
    if !policy.is_empty() && spec.keep_images.is_some() {
        steps.push(Step::changed(Action::PutLifecyclePolicy(spec), policy));
    }
    steps
}

fn push(service: &Service, desired: &Desired, observed: &Observed) -> Option<Step> {
    let digest = desired.release.images.get(&service.key)?;
    let repository = &service.repository.name;
    let held = observed
        .repositories
        .get(repository)
        .is_some_and(|found| found.holds.iter().flatten().any(|held| held == digest));
    let action = Action::PushImage {
        service: service.key.clone(),
        repository: repository.clone(),
        digest: digest.clone(),
    };
    (!held).then(|| Step::because(action, "the registry does not have it"))
}

fn log_group(service: &Service, observed: &Observed) -> Vec<Step> {
    let Some(spec) = wanted::log_group(service) else { return Vec::new() };
    match observed.log_groups.get(&spec.name) {
        None => vec![Step::missing(Action::CreateLogGroup(spec))],
        Some(found) if *found == spec => Vec::new(),
        Some(found) => vec![Step::changed(Action::SetLogRetention(spec.clone()), changes(found, &spec))],
    }
}

/// The cluster and the namespace.
pub(super) fn cluster(plan: &mut Plan, stage: &mut Stage, desired: &Desired, observed: &Observed) {
    let environment = &desired.environment;
    let spot = environment.services.iter().any(Service::uses_spot);
    let providers = ProviderName::ALL.iter().filter(|_| spot).map(|provider| provider.wire().to_owned());
    let spec = ClusterSpec { name: environment.cluster.clone(), capacity_providers: providers.collect() };
    match observed.cluster.as_ref().map(|cluster| cluster.status.as_str()) {
        // PROVISIONING: ECS still creates the cluster's default namespace for Service Connect.
        Some("ACTIVE" | "PROVISIONING") => {
            if let Some(cluster) = &observed.cluster {
                capacity_providers(plan, stage, spec, cluster, observed);
            }
        }
        // ECS remembers a deleted cluster as INACTIVE for a while, and its name can be used again.
        None | Some("INACTIVE") => stage.lane("cluster", vec![Step::missing(Action::CreateCluster(spec))]),
        Some(status) => plan.refusals.push(Refusal {
            what: format!("cluster {} is {status}", spec.name),
            remedy: "wait until it is deleted or ACTIVE, then run this again".to_owned(),
        }),
    }
    if observed.namespace.is_none() && environment.connects() {
        let spec = NamespaceSpec { name: environment.namespace.clone() };
        stage.lane("namespace", vec![Step::missing(Action::CreateNamespace(spec))]);
    }
}

/// A service's strategy may only name providers of its cluster. On somebody else's cluster the change is refused, because
/// PutClusterCapacityProviders replaces the whole list and the default strategy.
fn capacity_providers(
    plan: &mut Plan,
    stage: &mut Stage,
    spec: ClusterSpec,
    found: &ClusterState,
    observed: &Observed,
) {
    let has = &found.capacity_providers;
    let lacks: Vec<String> =
        spec.capacity_providers.iter().filter(|name| !has.contains(name)).cloned().collect();
    if lacks.is_empty() {
        return;
    }
    let name = spec.name.clone();
    // PutClusterCapacityProviders takes the whole list: those that are there are named again.
    let all: Vec<String> = has.iter().chain(&lacks).cloned().collect();
    if !observed.made.as_ref().is_some_and(|made| made.contains_key(&found.arn)) {
        let default = found.default_strategy.iter().map(|(provider, weight, base)| {
            format!("capacityProvider={provider},weight={weight},base={base}")
        });
        let default: Vec<String> = default.collect();
        let default = if default.is_empty() { "[]".to_owned() } else { default.join(" ") };
        plan.refusals.push(Refusal {
            what: format!(
                "cluster {name} has no capacity provider {}, and this tool did not create it",
                lacks.join(" and ")
            ),
            remedy: format!(
                "aws ecs put-cluster-capacity-providers --cluster {name} --capacity-providers {} \
                 --default-capacity-provider-strategy {default}",
                all.join(" ")
            ),
        });
        return;
    }
    let change = Change {
        field: "capacity_providers".to_owned(),
        from: (!has.is_empty()).then(|| has.join(", ")),
        to: Some(all.join(", ")),
        ..Change::default()
    };
    let cluster = ClusterSpec { capacity_providers: all, ..spec };
    let action = Action::PutCapacityProviders { cluster, default_strategy: found.default_strategy.clone() };
    stage.lane("cluster", vec![Step { action, why: Why::Changed(vec![change]) }]);
}
