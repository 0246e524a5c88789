//! What carries this tool's tags, and who else uses what the plan needs.

use std::collections::{BTreeMap, BTreeSet};

use deploy::model::{Environment, MANAGED_BY, Neighbour, Observed, Owned, OwnedKind, Owner};
use futures_util::future::{try_join, try_join_all};

use super::error::Error;
use crate::aws::{self, Arns, Aws, arn_name};

/// What was made, by ARN, and what to say where that cannot be read.
pub(super) type Made = (Option<BTreeMap<String, Owner>>, Option<String>);

/// Everything that this tool made in the region.
pub(super) async fn made(aws: &Aws) -> Result<Made, aws::Error> {
    match aws.get_resources(MANAGED_BY.0, MANAGED_BY.1).await {
        Ok(found) => {
            let owner = |(arn, tags)| Owner::read(&tags).map(|owner| (arn, owner));
            Ok((Some(found.into_iter().filter_map(owner).collect()), None))
        }
        Err(error) if error.is_unavailable() => {
            let text = "what this tool created is unknown, so nothing of it is deleted or kept from other environments";
            Ok((None, Some(format!("{text}: {error}"))))
        }
        Err(error) => Err(error),
    }
}

/// Reads what depends on the rest of the account: services that are not in the file, targets of others, and what of the
/// environment is no longer in the file. `listed` are the services of the file's cluster, where there are
/// others than the file's.
pub(super) async fn complete(
    aws: &Aws,
    environment: &Environment,
    listed: Result<Vec<String>, aws::Error>,
    observed: &mut Observed,
) -> Result<(), Error> {
    let read =
        try_join(neighbours(aws, environment, listed, observed), strays(aws, environment, observed)).await;
    match read {
        Ok((neighbours, strays)) => (observed.neighbours, observed.strays) = (neighbours, strays),
        Err(error) if error.is_unavailable() => observed
            .warnings
            .push(format!("whether another service uses the target groups is unknown: {error}")),
        Err(error) => return Err(error.into()),
    }
    observed.orphans = existing(aws, deploy::plan::orphans(environment, observed)).await?;
    Ok(())
}

/// The services of the file's cluster, and of every cluster in which this tool made some, that are not the file's.
async fn neighbours(
    aws: &Aws,
    environment: &Environment,
    listed: Result<Vec<String>, aws::Error>,
    observed: &Observed,
) -> Result<Vec<Neighbour>, aws::Error> {
    if observed.target_groups.is_empty() && observed.namespace.is_none() {
        return Ok(Vec::new());
    }
    let mut clusters: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for service in listed? {
        clusters.entry(environment.cluster.clone()).or_default().insert(arn_name(&service).to_owned());
    }
    let tagged = observed.made.iter().flatten().filter_map(|(arn, _)| Owned::parse(arn));
    for service in tagged.filter(|owned| owned.kind == OwnedKind::Service) {
        clusters.entry(service.cluster().to_owned()).or_default().insert(service.name);
    }
    for service in &environment.services {
        if let Some(names) = clusters.get_mut(&environment.cluster) {
            names.remove(&service.name);
        }
    }
    let mut arns = Arns::default();
    if let Some(namespace) = &observed.namespace {
        arns.namespaces.insert(environment.namespace.clone(), namespace.arn.clone());
    }
    let arns = &arns;
    let reads = clusters.iter().map(|(cluster, names)| async move {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        aws.find_services(cluster, &names, arns).await
    });
    let found = try_join_all(reads).await?.into_iter().flatten();
    let neighbour = |found: aws::FoundService| {
        let connect = found.spec.connect.filter(|connect| connect.namespace == environment.namespace);
        let endpoints = connect.into_iter().flat_map(|connect| connect.services);
        Neighbour {
            target_groups: found.spec.load_balancers.into_iter().map(|it| it.target_group).collect(),
            endpoints: endpoints.map(|endpoint| endpoint.discovery_name).collect(),
            name: found.spec.name,
            cluster: found.spec.cluster,
            arn: found.arn,
        }
    };
    Ok(found.filter(|found| found.snapshot.is_active()).map(neighbour).collect())
}

/// Targets in groups of the file that its own service does not use. Draining ones belong to a deleted service.
async fn strays(
    aws: &Aws,
    environment: &Environment,
    observed: &Observed,
) -> Result<BTreeMap<String, usize>, aws::Error> {
    let unused = environment.services.iter().filter_map(|service| {
        // ECS remembers a deleted service for a while, with the target groups that it had.
        let state = observed.services.get(&service.key).filter(|state| state.status != "INACTIVE");
        let uses = |name: &String| {
            state.is_some_and(|state| state.spec.load_balancers.iter().any(|it| it.target_group == *name))
        };
        service.group().map(|group| &group.name).filter(|name| !uses(name))
    });
    let groups = unused.filter_map(|name| observed.target_groups.get(name));
    let reads = groups.map(|group| async move {
        let targets = aws.describe_target_health(&group.arn).await?;
        let count = targets.iter().filter(|target| target.state != "draining").count();
        Ok::<_, aws::Error>((group.spec.name.clone(), count))
    });
    Ok(try_join_all(reads).await?.into_iter().filter(|(_, count)| *count > 0).collect())
}

/// What of it is still there, by the name that people know it by: the index of tags names deleted things for a while.
pub async fn existing(aws: &Aws, owned: Vec<Owned>) -> Result<Vec<Owned>, aws::Error> {
    let scaled = owned.iter().any(|owned| owned.kind == OwnedKind::ScalableTarget);
    let targets = if scaled { aws.list_scalable_targets().await? } else { Vec::new() };
    let reads = owned.into_iter().map(|owned| async {
        let target = targets.iter().find(|target| target.arn.as_ref() == Some(&owned.arn));
        let name = match target {
            Some(target) => Ok(Some(target.spec.resource_id.clone())),
            None => name(aws, &owned).await,
        };
        match name {
            Ok(name) => Ok(name.map(|name| Owned { name, ..owned })),
            // It is listed by the end of its ARN. Whoever may not read it cannot delete it either.
            Err(error) if error.is_unavailable() => Ok(Some(owned)),
            Err(error) => Err(error),
        }
    });
    let mut found: Vec<Owned> = try_join_all(reads).await?.into_iter().flatten().collect();
    found.sort();
    Ok(found)
}

/// Its name; `None` when it is gone.
async fn name(aws: &Aws, owned: &Owned) -> Result<Option<String>, aws::Error> {
    let own = |there: bool| there.then(|| owned.name.clone());
    Ok(match owned.kind {
        // Those that exist were listed before: DescribeScalableTargets takes resource ids, not ARNs.
        OwnedKind::ScalableTarget => None,
        OwnedKind::Service => {
            let found = aws.describe_services(owned.cluster(), &[&owned.name]).await?;
            // A DRAINING one still exists: its name cannot be created again, and its cluster cannot be deleted.
            own(found.iter().any(|it| !matches!(it.status.as_str(), "INACTIVE" | "MISSING")))
        }
        OwnedKind::Rule => aws.find_rule(&owned.arn).await?.map(|rule| rule.spec.to_string()),
        OwnedKind::Listener => aws.find_listener(&owned.arn).await?.map(|found| {
            let spec = found.state.spec;
            format!("{}:{} of {}", spec.protocol, spec.port, spec.load_balancer)
        }),
        OwnedKind::LoadBalancer => own(aws.describe_load_balancer(&owned.arn).await?.is_some()),
        OwnedKind::TargetGroup => own(aws.has_target_group(&owned.arn).await?),
        OwnedKind::Cluster => {
            own(aws.describe_cluster(&owned.name).await?.is_some_and(|found| found.is_active()))
        }
        OwnedKind::Namespace => match aws.get_namespace(&owned.name).await {
            Ok(found) => Some(found.name),
            Err(error) if matches!(error.kind, aws::Kind::NotFound) => None,
            Err(error) => return Err(error),
        },
        OwnedKind::Family => own(!aws.list_task_definitions(&owned.name, true, 1).await?.is_empty()),
        // They are kept in any case, and the deploying role may not read another one's.
        OwnedKind::Repository | OwnedKind::LogGroup => own(true),
    })
}
