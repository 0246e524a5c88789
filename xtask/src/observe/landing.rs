//! What the operator brings: VPC, subnets, security groups, roles.

use std::collections::{BTreeMap, BTreeSet};

use deploy::model::{Environment, Lookup};
use futures_util::future::{try_join, try_join_all, try_join4};

use super::error::{Error, Missing};
use super::lookup::{Candidate, Resolved, Sought};
use crate::aws::{self, Aws, SecurityGroup, Subnet, Vpc, arn_partition};

/// Looks up every reference of the environment, all kinds at once.
pub(super) async fn read(aws: &Aws, environment: &Environment) -> Result<Resolved, Error> {
    let references = References::of(environment);
    let (vpcs, subnets, groups, roles) = try_join4(
        vpcs(aws, &references.vpc),
        subnets(aws, &references.subnets),
        security_groups(aws, &references.security_groups),
        try_join_all(references.roles.iter().map(|role| find_role(aws, role))),
    )
    .await?;
    let mut resolved = Resolved::default();
    let region = environment.region.as_str();
    let anywhere = |what| Sought { what, region, vpc: None };
    resolved.resolve(&references.vpc, &vpcs, anywhere("VPC"));
    let vpc = resolved.ids.get(references.vpc.text()).cloned();
    let inside = |what| Sought { vpc: vpc.as_deref(), ..anywhere(what) };
    for subnet in &references.subnets {
        resolved.resolve(subnet, &subnets, inside("subnet"));
    }
    if let Some(balancer) = environment.balancer().filter(|it| !it.existing) {
        resolved.missing.extend(one_zone_twice(&balancer.subnets, &subnets, &resolved.ids));
    }
    for group in &references.security_groups {
        resolved.resolve(group, &groups, inside("security group"));
    }
    for (role, found) in references.roles.iter().zip(roles) {
        resolved.warnings.extend(found.warning);
        match found.arn {
            Some(arn) => resolved.learn(role, arn, "role"),
            None => resolved.missing.push(Missing {
                what: "IAM role",
                reference: role.text().to_owned(),
                problem: format!("does not exist in account {}", aws.get_caller_identity().await?.account),
                hint:
                    "create the role with ecs-tasks.amazonaws.com as its principal, or correct its name in \
                       deploy.toml"
                        .to_owned(),
            }),
        }
    }
    Ok(resolved)
}

/// A subnet in the zone of another one. CreateLoadBalancer would refuse it when half of the release is made.
fn one_zone_twice(
    wanted: &[Lookup],
    candidates: &[Candidate],
    ids: &BTreeMap<String, String>,
) -> Option<Missing> {
    let mut zones = BTreeMap::new();
    wanted.iter().find_map(|subnet| {
        let id = ids.get(subnet.text())?;
        let zone = candidates.iter().find(|candidate| candidate.id == *id)?.zone.clone()?;
        let first = zones.insert(zone.clone(), subnet)?;
        Some(Missing {
            what: "subnet",
            reference: subnet.text().to_owned(),
            problem: format!(
                "is in {zone}, as {} is: a load balancer takes one subnet of each zone",
                first.text()
            ),
            hint: "name a subnet in another availability zone under [load-balancer]".to_owned(),
        })
    })
}

/// Every reference once, by kind.
struct References {
    vpc: Lookup,
    subnets: BTreeSet<Lookup>,
    security_groups: BTreeSet<Lookup>,
    roles: BTreeSet<Lookup>,
}

impl References {
    fn of(environment: &Environment) -> Self {
        let mut subnets: BTreeSet<Lookup> = environment.network.subnets.iter().cloned().collect();
        subnets.extend(environment.services.iter().flat_map(|it| &it.network.subnets).cloned());
        let mut security_groups: BTreeSet<Lookup> =
            environment.services.iter().flat_map(|service| service.security_groups.iter().cloned()).collect();
        if let Some(balancer) = environment.balancer().filter(|it| !it.existing) {
            subnets.extend(balancer.subnets.iter().cloned());
            security_groups.extend(balancer.security_groups.iter().cloned());
        }
        let roles = |service: &deploy::model::Service| {
            [service.execution_role().cloned(), service.task_role.clone()].into_iter().flatten()
        };
        Self {
            vpc: environment.network.vpc.clone(),
            subnets,
            security_groups,
            roles: environment.services.iter().flat_map(roles).collect(),
        }
    }
}

/// Ids and names of references: a filter takes one or the other.
fn split<'a>(references: impl IntoIterator<Item = &'a Lookup>) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for reference in references {
        match reference {
            Lookup::Id(id) => ids.push(id.as_str()),
            Lookup::Name(name) => names.push(name.as_str()),
        }
    }
    (ids, names)
}

async fn vpcs(aws: &Aws, reference: &Lookup) -> Result<Vec<Candidate>, aws::Error> {
    let (filter, text) = match reference {
        Lookup::Id(id) => ("vpc-id", id),
        Lookup::Name(name) => ("tag:Name", name),
    };
    let found = aws.describe_vpcs(filter, &[text]).await?;
    let candidate =
        |vpc: Vpc| Candidate { id: vpc.id, vpc: None, zone: None, names: vpc.name.into_iter().collect() };
    Ok(found.into_iter().map(candidate).collect())
}

async fn subnets(aws: &Aws, references: &BTreeSet<Lookup>) -> Result<Vec<Candidate>, aws::Error> {
    let (ids, names) = split(references);
    let (by_id, by_name) =
        try_join(aws.describe_subnets("subnet-id", &ids), aws.describe_subnets("tag:Name", &names)).await?;
    let candidate = |subnet: Subnet| Candidate {
        id: subnet.id,
        vpc: Some(subnet.vpc),
        zone: Some(subnet.zone),
        names: subnet.name.into_iter().collect(),
    };
    Ok(by_id.into_iter().chain(by_name).map(candidate).collect())
}

/// Groups by their own name first, and by a Name tag where no group has that name.
async fn security_groups(aws: &Aws, references: &BTreeSet<Lookup>) -> Result<Vec<Candidate>, aws::Error> {
    let (ids, names) = split(references);
    let (by_id, by_name) = try_join(
        aws.describe_security_groups("group-id", &ids),
        aws.describe_security_groups("group-name", &names),
    )
    .await?;
    let unknown: Vec<&str> =
        names.into_iter().filter(|name| by_name.iter().all(|group| group.group_name != *name)).collect();
    // The console shows the Name tag first, and people copy that.
    let by_tag = aws.describe_security_groups("tag:Name", &unknown).await?;
    let candidate = |group: SecurityGroup| Candidate {
        id: group.id,
        vpc: Some(group.vpc),
        zone: None,
        names: group.name.into_iter().chain([group.group_name]).collect(),
    };
    Ok(by_id.into_iter().chain(by_name).chain(by_tag).map(candidate).collect())
}

/// A role's ARN, and what to say about how it was found.
struct FoundRole {
    arn: Option<String>,
    warning: Option<String>,
}

async fn find_role(aws: &Aws, reference: &Lookup) -> Result<FoundRole, aws::Error> {
    let name = match reference {
        // GetRole takes a name of the caller's own account only; ECS checks the ARN in any case.
        Lookup::Id(arn) => return Ok(FoundRole { arn: Some(arn.clone()), warning: None }),
        Lookup::Name(name) => name,
    };
    match aws.find_role(name).await {
        Ok(role) => Ok(FoundRole { arn: role.map(|role| role.arn), warning: None }),
        Err(error) if error.is_unavailable() => {
            let caller = aws.get_caller_identity().await?;
            let arn = format!("arn:{}:iam::{}:role/{name}", arn_partition(&caller.arn), caller.account);
            let warning = format!("role `{name}` could not be looked up and is taken for {arn}: {error}");
            Ok(FoundRole { arn: Some(arn), warning: Some(warning) })
        }
        Err(error) => Err(error),
    }
}
