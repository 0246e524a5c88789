//! What runs in a cluster, for somebody without a deploy.toml: enough to write one with which the rest can be read.

use std::collections::{BTreeMap, BTreeSet};

use deploy::init::{Draft, Found, Front, Live, LiveService};
use deploy::model::spec::{ListenerSpec, ServiceSpec, TargetGroupSpec};
use deploy::model::{Owner, ScalingState, TargetGroupState};
use deploy::plan::kept_tags;
use futures_util::future::{try_join, try_join_all, try_join3};

use super::error::{Error, Missing};
use super::{account, owned, services};
use crate::aws::{Arns, Aws, FoundListener, FoundRule, FoundService, arn_account, arn_name};

/// A deploy.toml for the services of these names, or all of a cluster, whose plan changes nothing but what it says. Only reads.
///
/// # Errors
/// [`Error::Landing`] when the cluster has none, one is missing, or no file can say any of them; [`Error::Aws`] when a call fails.
pub async fn draft(
    aws: &Aws,
    region: &str,
    cluster: &str,
    names: &[String],
    sources: &[Found],
) -> Result<Draft, Error> {
    let mut draft = Draft::of(&live(aws, region, cluster, names).await?, sources);
    if let Some(environment) = draft.environment() {
        let observed = Box::pin(account(aws, &environment)).await?;
        draft.complete(&observed);
    }
    Ok(draft)
}

async fn live(aws: &Aws, region: &str, cluster: &str, names: &[String]) -> Result<Live, Error> {
    let caller = aws.get_caller_identity().await?;
    let listed = aws.list_services(cluster).await?;
    let mut names: Vec<&str> = match names {
        [] => listed.iter().map(|arn| arn_name(arn)).collect(),
        names => names.iter().map(String::as_str).collect(),
    };
    names.sort_unstable();
    let found = aws.find_services(cluster, &names, &Arns::default()).await?;
    let missing = |what, reference: &str| Missing {
        what,
        reference: reference.to_owned(),
        problem: format!("does not exist in {region}, account {}", caller.account),
        hint: "`aws ecs list-clusters` and `aws ecs list-services --cluster NAME` list what there is"
            .to_owned(),
    };
    let active = |found: &&FoundService| found.snapshot.is_active();
    // DescribeServices answers for deleted services, too.
    let gone = names.iter().filter(|name| !found.iter().filter(active).any(|it| it.spec.name == **name));
    let mut gone: Vec<Missing> = gone.map(|name| missing("service", name)).collect();
    if names.is_empty() {
        gone.push(missing("cluster with services", cluster));
    }
    if !gone.is_empty() {
        return Err(Error::Landing(gone));
    }
    let mut live = Live {
        region: region.to_owned(),
        account: caller.account.clone(),
        cluster: cluster.to_owned(),
        ..Live::default()
    };
    let (made, _) = owned::made(aws).await?;
    let made = made.unwrap_or_default();
    live.owner = found.iter().find_map(|it| made.get(&it.arn).cloned());
    let groups = groups(aws, &found).await?;
    let namespaces = try_join_all(found.iter().map(|it| namespace(aws, it))).await?;
    live.namespace = most(namespaces.iter().flatten());
    let balancer = most(found.iter().filter_map(|it| balancer_of(it, &groups)));
    for (found, namespace) in found.into_iter().zip(namespaces) {
        let way = found.foreign_way.as_deref();
        let why =
            foreign(&found.spec, way, &groups).or_else(|| shared(&found, &live.services)).or_else(|| {
                let other =
                    |what: &str| format!("it has another {what} than most: give it a deploy.toml of its own");
                let own = balancer_of(&found, &groups);
                if namespace.is_some() && namespace != live.namespace {
                    Some(other("namespace"))
                } else {
                    (own.is_some() && own != balancer.as_ref()).then(|| other("load balancer"))
                }
            });
        match why {
            Some(why) => live.skipped.push(format!("service {}: {why}", found.spec.name)),
            None => live.services.push(service(aws, found, &groups, &mut live.skipped).await?),
        }
    }
    if live.services.is_empty() {
        return Err(Error::Landing(vec![Missing {
            what: "cluster",
            reference: cluster.to_owned(),
            problem: format!("has no service that deploy.toml can say: {}", live.skipped.join("; ")),
            hint: "name others with `--service`".to_owned(),
        }]));
    }
    if let Some(arn) = &balancer {
        live.front = front(aws, arn, &live.services, &made).await?;
    }
    names_of(aws, &mut live, caller.account).await?;
    Ok(live)
}

type Groups = BTreeMap<String, TargetGroupState>;

async fn groups(aws: &Aws, found: &[FoundService]) -> Result<Groups, Error> {
    let names: BTreeSet<&str> =
        found.iter().flat_map(|it| &it.spec.load_balancers).map(|it| it.target_group.as_str()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let groups = aws.find_target_groups(&names).await?;
    Ok(groups.into_iter().map(|group| (group.state.spec.name.clone(), group.state)).collect())
}

/// The name of a service's namespace; it is shown by its ARN.
async fn namespace(aws: &Aws, found: &FoundService) -> Result<Option<String>, Error> {
    match found.spec.connect.as_ref().map(|connect| connect.namespace.as_str()) {
        Some(arn) if arn.starts_with("arn:") => Ok(Some(aws.get_namespace(arn_name(arn)).await?.name)),
        name => Ok(name.map(str::to_owned)),
    }
}

fn balancer_of<'a>(found: &FoundService, groups: &'a Groups) -> Option<&'a String> {
    let [bound] = found.spec.load_balancers.as_slice() else { return None };
    groups.get(&bound.target_group)?.load_balancers.first()
}

/// What most of them have; of several that as many have, the first by name.
fn most<'a>(values: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let most = counts.values().max().copied();
    counts.into_iter().find(|(_, count)| Some(*count) == most).map(|(value, _)| value.clone())
}

/// Why this tool cannot deploy a service as it is.
fn foreign(found: &ServiceSpec, way: Option<&str>, groups: &Groups) -> Option<String> {
    if let Some(way) = way {
        return Some(format!("it is deployed by {way}, and this tool rolls replicas with ECS alone"));
    }
    if found.launch_type != "FARGATE" {
        return Some(format!("it runs on {}, not on the launch type FARGATE", found.launch_type));
    }
    match found.load_balancers.as_slice() {
        [] => None,
        [bound] => match groups.get(&bound.target_group) {
            None => Some("it is behind a Classic Load Balancer".to_owned()),
            Some(group) if group.spec.protocol != "HTTP" => Some(format!(
                "its target group {} takes {}, and this tool's take HTTP",
                group.spec.name, group.spec.protocol
            )),
            Some(_) => None,
        },
        bound => Some(format!("it has {} target groups, and deploy.toml can name one", bound.len())),
    }
}

/// What it has in common with a service that the file says already, and no two services of a file have.
fn shared(found: &FoundService, others: &[LiveService]) -> Option<String> {
    let family = arn_name(&found.task_definition).rsplit_once(':').map_or("", |(family, _)| family);
    let with = |what: String, other: &LiveService| {
        format!("it shares {what} with service {}: deploy.toml keeps one for each service", other.spec.name)
    };
    others.iter().find_map(|other| {
        if other.definition.family() == family {
            return Some(with(format!("task definition family {family}"), other));
        }
        let group = &found.spec.load_balancers.first()?.target_group;
        let same = other.target_group.as_ref().is_some_and(|other| other.name == *group);
        same.then(|| with(format!("target group {group}"), other))
    })
}

async fn service(
    aws: &Aws,
    found: FoundService,
    groups: &Groups,
    skipped: &mut Vec<String>,
) -> Result<LiveService, Error> {
    let resources = [format!("service/{}/{}", found.spec.cluster, found.spec.name)];
    let (definition, targets, (policies, (schedules, warning))) = try_join3(
        aws.describe_untagged_task_definition(&found.task_definition),
        aws.describe_scalable_targets(&resources),
        try_join(aws.describe_scaling_policies(&resources), services::schedules(aws, &resources)),
    )
    .await?;
    skipped.extend(warning);
    let target = targets.into_iter().next();
    let name = &found.spec.name;
    if let Some(target) = target.as_ref().filter(|target| !target.suspended.is_empty()) {
        let suspended = target.suspended.join(" and ");
        skipped.push(format!("service {name}: its scalable target has {suspended}, which stays"));
    }
    for (what, arn) in [("its tags", &found.arn), ("the tags of its task definition", &found.task_definition)]
    {
        match aws.list_ecs_tags(arn).await.map(|tags| kept_tags(&tags)) {
            Ok(tags) if tags.is_empty() => {}
            Ok(tags) => {
                let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                skipped.push(format!("service {name}: {what} stay: {}", tags.join(", ")));
            }
            Err(error) if error.is_unavailable() => {
                skipped.push(format!("service {name}: {what} stay, and cannot be read: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let target = target.map(|target| target.spec);
    Ok(LiveService {
        target_group: found
            .spec
            .load_balancers
            .first()
            .and_then(|it| groups.get(&it.target_group))
            .map(|it| it.spec.clone()),
        definition: definition.spec,
        desired: found.snapshot.desired,
        scaling: ScalingState { arn: None, target, policies, schedules, suspended: Vec::new() },
        spec: found.spec,
    })
}

/// The load balancer and the listener that leads to most of the services; of two, HTTPS.
async fn front(
    aws: &Aws,
    arn: &str,
    services: &[LiveService],
    made: &BTreeMap<String, Owner>,
) -> Result<Option<Front>, Error> {
    let Some(balancer) = aws.describe_load_balancer(arn).await? else { return Ok(None) };
    let listeners = aws.describe_listeners(arn).await?;
    let reads = listeners.into_iter().map(|listener| async {
        let rules = aws.describe_rules(&listener.state.arn).await?;
        Ok::<_, Error>((listener, rules))
    });
    let groups: Vec<&TargetGroupSpec> = services.iter().filter_map(|it| it.target_group.as_ref()).collect();
    let leads = |(listener, rules): &(FoundListener, Vec<FoundRule>)| {
        let forwards: Vec<&str> = (listener.forwards.iter())
            .chain(rules.iter().flat_map(|rule| &rule.forwards))
            .filter_map(|arn| arn.split(":targetgroup/").nth(1)?.split('/').next())
            .collect();
        groups.iter().filter(|group| forwards.contains(&group.name.as_str())).count()
    };
    let all = try_join_all(reads).await?;
    // A listener on port 80 often only redirects: the one that leads to the services is meant.
    let best = all.into_iter().max_by_key(|one| (leads(one), one.0.state.spec.protocol == "HTTPS"));
    let Some((listener, rules)) = best else { return Ok(None) };
    let further_certificates = match listener.state.spec.protocol.as_str() {
        "HTTPS" => aws.describe_further_certificates(&listener.state.arn).await?,
        _ => Vec::new(),
    };
    let made = made.contains_key(&balancer.state.arn);
    let mut spec = balancer.state.spec;
    if made {
        spec.attributes = aws.describe_load_balancer_attributes(arn).await?;
    }
    Ok(Some(Front {
        made,
        spec,
        listener: ListenerSpec { further_certificates, ..listener.state.spec },
        rules: rules.into_iter().filter_map(|rule| Some(rule.state?.spec)).collect(),
    }))
}

/// The VPC, and the names by which deploy.toml finds the same things: those that nothing else has.
async fn names_of(aws: &Aws, live: &mut Live, account: String) -> Result<(), Error> {
    let specs = || live.services.iter().map(|service| &service.spec);
    let front = || live.front.iter().map(|front| &front.spec);
    let subnets: BTreeSet<&str> = specs()
        .flat_map(|it| &it.subnets)
        .chain(front().flat_map(|it| &it.subnets))
        .map(String::as_str)
        .collect();
    let groups = specs().flat_map(|it| &it.security_groups).chain(front().flat_map(|it| &it.security_groups));
    let groups: BTreeSet<&str> = groups.map(String::as_str).collect();
    let (subnets, groups): (Vec<_>, Vec<_>) = (subnets.into_iter().collect(), groups.into_iter().collect());
    let (subnets, groups) = try_join(
        aws.describe_subnets("subnet-id", &subnets),
        aws.describe_security_groups("group-id", &groups),
    )
    .await?;
    let vpc = subnets.first().map(|subnet| subnet.vpc.clone()).unwrap_or_default();
    let vpcs = aws.describe_vpcs("vpc-id", &[&vpc]).await?;
    let of_subnets: Vec<&str> = subnets.iter().filter_map(|it| it.name.as_deref()).collect();
    let of_groups: Vec<&str> = groups.iter().map(|it| it.group_name.as_str()).collect();
    let of_vpcs: Vec<&str> = vpcs.iter().filter_map(|it| it.name.as_deref()).collect();
    let (same_subnets, same_groups, same_vpcs) = try_join3(
        aws.describe_subnets("tag:Name", &of_subnets),
        aws.describe_security_groups("group-name", &of_groups),
        aws.describe_vpcs("tag:Name", &of_vpcs),
    )
    .await?;
    let mut names: Vec<(String, String)> = Vec::new();
    for (id, name) in vpcs.iter().filter_map(|it| Some((&it.id, it.name.as_ref()?))) {
        if same_vpcs.iter().filter(|it| it.name.as_ref() == Some(name)).count() == 1 {
            names.push((id.clone(), name.clone()));
        }
    }
    for (id, name) in subnets.iter().filter_map(|it| Some((&it.id, it.name.as_ref()?))) {
        if same_subnets.iter().filter(|it| it.vpc == vpc && it.name.as_ref() == Some(name)).count() == 1 {
            names.push((id.clone(), name.clone()));
        }
    }
    for (id, name) in groups.iter().map(|it| (&it.id, &it.group_name)) {
        if same_groups.iter().filter(|it| it.vpc == vpc && it.group_name == *name).count() == 1 {
            names.push((id.clone(), name.clone()));
        }
    }
    // A role is looked up by its name wherever its path is.
    let roles = live.services.iter().flat_map(|service| {
        ["executionRoleArn", "taskRoleArn"]
            .into_iter()
            .filter_map(|name| service.definition.members().get(&[name])?.as_str())
    });
    let roles: BTreeSet<&str> =
        roles.filter(|arn| arn.starts_with("arn:") && arn_account(arn) == account).collect();
    for arn in roles {
        let name = arn_name(arn);
        if aws.find_role(name).await.ok().flatten().is_some_and(|role| role.arn == *arn) {
            names.push((arn.to_owned(), name.to_owned()));
        }
    }
    // One text for two things is refused when the file is read.
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    names.iter().for_each(|(_, name)| *counts.entry(name).or_default() += 1);
    let unique: BTreeMap<_, _> = names.iter().filter(|(_, name)| counts[name] == 1).cloned().collect();
    (live.vpc, live.names) = (vpc, unique);
    Ok(())
}

#[cfg(test)]
mod tests {
    use deploy::model::Observed;

    use super::*;

    #[test]
    fn a_service_that_no_file_can_say_is_refused_in_words() {
        let text = include_str!("../../deploy/tests/fixtures/ielts.toml");
        let environment = deploy::config::load("deploy.toml", text, Some("prod")).unwrap().environment;
        let service = &environment.services[0];
        let observed = Observed::default();
        let spec = deploy::plan::service_spec(&environment, service, &observed);
        let group = TargetGroupSpec { protocol: "HTTP".to_owned(), ..TargetGroupSpec::default() };
        let group = TargetGroupState { arn: String::new(), spec: group, load_balancers: Vec::new() };
        let groups = Groups::from([(spec.load_balancers[0].target_group.clone(), group)]);
        let why = |change: fn(&mut ServiceSpec)| {
            let mut spec = spec.clone();
            change(&mut spec);
            foreign(&spec, None, &groups).unwrap_or_default()
        };
        assert_eq!(why(|_| {}), "");
        for launch_type in ["EC2", "EXTERNAL"] {
            let spec = ServiceSpec { launch_type: launch_type.to_owned(), ..spec.clone() };
            let said = foreign(&spec, None, &groups).unwrap();
            assert_eq!(said, format!("it runs on {launch_type}, not on the launch type FARGATE"));
        }
        let two = |spec: &mut ServiceSpec| spec.load_balancers.push(spec.load_balancers[0].clone());
        assert_eq!(why(two), "it has 2 target groups, and deploy.toml can name one");
        let classic = |spec: &mut ServiceSpec| spec.load_balancers[0].target_group.clear();
        assert_eq!(why(classic), "it is behind a Classic Load Balancer");
        let said = foreign(&spec, Some("CODE_DEPLOY"), &groups).unwrap();
        assert_eq!(said, "it is deployed by CODE_DEPLOY, and this tool rolls replicas with ECS alone");
    }
}
