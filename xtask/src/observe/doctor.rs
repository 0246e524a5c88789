//! What `doctor` asks of the account, of DNS and of this machine: as much at once as possible, and each read for itself. One that is
//! denied makes its checks unknown, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use deploy::doctor::{
    Balancer, Decision, Fact, Facts, Landing, MissingThing, Names, SecurityGroup, Subnet, TargetGroups,
    TaskRole, Unread,
};
use deploy::iam::{Place, Question, of_policy, of_role, policy};
use deploy::model::{Environment, Kind as Where, Lookup, Service};
use deploy::secrets::{SecretVariable, Store, named};
use futures_util::future::{join, join_all, join3, join4, join5, try_join_all};

use super::landing;
use crate::aws::operations::needs;
use crate::aws::{Aws, Caller, Error, Kind, arn_account, arn_name, arn_partition};
use crate::host::Host;
use crate::image;

/// Reads all that `doctor` judges. Of another account than deploy.toml names nothing is read.
pub async fn doctor(host: &Host, aws: &Aws, environment: &Environment) -> Facts {
    let builds = environment.services.iter().find_map(|service| {
        service.build.dockerfile.as_ref().filter(|_| service.builds()).map(|_| service.build.engine)
    });
    let engine = async {
        let found = image::find_engine(host, builds?).await;
        Some(found.map_err(|failure| Unread {
            why: failure.to_string(),
            remedy: failure.hint().map(str::to_owned),
        }))
    };
    let (caller, ahead, engine) = join3(aws.get_caller_identity(), aws.clock_ahead_secs(), engine).await;
    let ahead = ahead.map_err(|why| Unread { why, remedy: None });
    let mut facts = Facts {
        now_ms: aws.now_ms(),
        clock_ahead_secs: Some(ahead),
        engine,
        caller: Some(match &caller {
            Ok(caller) => Ok((caller.account.clone(), caller.arn.clone())),
            Err(error) => Err(Unread { why: error.to_string(), remedy: error.hint() }),
        }),
        ..Facts::default()
    };
    // What another account holds says nothing about this one.
    if let Ok(caller) = caller
        && environment.account.as_ref().is_none_or(|wanted| *wanted == caller.account)
    {
        Box::pin(account(host, aws, environment, &caller, &mut facts)).await;
    }
    facts
}

async fn account(host: &Host, aws: &Aws, environment: &Environment, caller: &Caller, facts: &mut Facts) {
    let place = Place { partition: arn_partition(&caller.arn), account: &caller.account };
    let (rights, landing, front, ours, kept) = join5(
        Box::pin(rights(aws, environment, place, caller)),
        Box::pin(landing::read(aws, environment)),
        Box::pin(front(host, aws, environment)),
        Box::pin(join4(
            fact("the cluster", aws.describe_cluster(&environment.cluster)),
            fact("namespaces", aws.find_namespace(&environment.namespace)),
            fact("repositories", repositories(aws, environment)),
            fact("log groups", log_groups(aws, environment)),
        )),
        Box::pin(join3(
            secrets(aws, environment),
            certificates(aws, environment),
            fact("quotas", aws.list_service_quotas()),
        )),
    )
    .await;
    facts.rights = Some(rights);
    facts.landing = Some(match landing {
        Ok(found) => {
            Ok(Landing { ids: found.ids, missing: found.missing.into_iter().map(missing).collect() })
        }
        Err(super::Error::Aws(error)) => Err(unread("the network", &error)),
        Err(error) => Err(Unread { why: error.to_string(), remedy: error.hint() }),
    });
    (facts.balancer, facts.listener, facts.target_groups, facts.names) = front;
    let (cluster, namespace, repositories, log_groups) = ours;
    facts.cluster = Some(cluster.map(|found| found.map(|cluster| cluster.status)));
    facts.namespace = environment.connects().then(|| namespace.map(|found| found.is_some()));
    facts.repositories = Some(repositories);
    facts.log_groups = Some(log_groups);
    (facts.secrets, facts.certificates) = (kept.0, kept.1);
    facts.quotas = Some(kept.2);
    facts.roles = Box::pin(roles(aws, environment, place, facts)).await;
    Box::pin(network(aws, environment, facts)).await;
}

fn unread(what: &str, error: &Error) -> Unread {
    let why = match &error.kind {
        Kind::AccessDenied { action } => format!("not allowed to read {what} ({action})"),
        _ => format!("cannot read {what}: {error}"),
    };
    Unread { why, remedy: error.hint() }
}

async fn fact<T>(what: &str, read: impl Future<Output = Result<T, Error>>) -> Fact<T> {
    read.await.map_err(|error| unread(what, &error))
}

fn missing(missing: super::Missing) -> MissingThing {
    let super::Missing { what, reference, problem, hint } = missing;
    MissingThing { what: format!("{what} {reference}"), problem, hint }
}

async fn simulated(aws: &Aws, principal: &str, questions: &[Question]) -> Fact<Vec<Vec<Decision>>> {
    let all = try_join_all(questions.iter().map(|question| aws.simulate(principal, question)));
    fact(&format!("what {} may do", arn_name(principal)), all).await
}

/// What the caller may do of the printed policy.
async fn rights(
    aws: &Aws,
    environment: &Environment,
    place: Place<'_>,
    caller: &Caller,
) -> Fact<Vec<Vec<Decision>>> {
    let Place { partition, account } = place;
    let resource = caller.arn.splitn(6, ':').nth(5).unwrap_or_default();
    let principal = match resource.split('/').collect::<Vec<_>>()[..] {
        // The session's ARN leaves the role's path out.
        ["assumed-role", role, ..] => match aws.find_role(role).await {
            Ok(Some(role)) => role.arn,
            _ => format!("arn:{partition}:iam::{account}:role/{role}"),
        },
        // SimulatePrincipalPolicy takes users, groups and roles, no sessions.
        ["user", ..] => caller.arn.clone(),
        ["root"] => {
            let why = "policies do not limit the root user of an account".to_owned();
            return Err(Unread { why, remedy: Some("deploy with a role of its own".to_owned()) });
        }
        _ => {
            let why = format!("IAM does not simulate what {} may do", caller.arn);
            return Err(Unread { why, remedy: None });
        }
    };
    let document = policy(environment, place, &needs(environment, false, false, false));
    simulated(aws, &principal, &of_policy(&document)).await
}

type Front = (
    Option<Fact<Option<Balancer>>>,
    Option<Fact<Option<String>>>,
    Option<Fact<TargetGroups>>,
    Option<Fact<Names>>,
);

/// The load balancer, its listener, and what the public name leads to.
async fn front(host: &Host, aws: &Aws, environment: &Environment) -> Front {
    let Some(wanted) = environment.balancer() else { return (None, None, None, None) };
    let (found, groups) = join(
        fact("load balancers", aws.describe_load_balancer(&wanted.name)),
        fact("target groups", aws.list_target_groups()),
    )
    .await;
    let arn = found.as_ref().ok().and_then(|found| Some(found.as_ref()?.state.arn.clone()));
    let listener = async {
        let listeners = fact("listeners", aws.describe_listeners(arn.as_deref()?)).await;
        let on_port = |all: Vec<crate::aws::FoundListener>| {
            all.into_iter().map(|it| it.state.spec).find(|spec| spec.port == wanted.listener.port)
        };
        Some(listeners.map(|all| on_port(all).map(|spec| spec.protocol)))
    };
    let names = async {
        let name = wanted.host.as_ref().filter(|_| environment.kind == Where::Aws)?;
        let balancer = &found.as_ref().ok()?.as_ref()?.state.dns_name;
        let (own, of_balancer) = join(host.http.lookup(name), host.http.lookup(balancer)).await;
        Some(match (own, of_balancer) {
            // A machine that knows no public names says nothing about this one.
            (_, Err(error)) => {
                Err(Unread { why: format!("DNS does not answer here: {balancer}: {error}"), remedy: None })
            }
            (own, Ok(balancer)) => Ok(Names { host: own.unwrap_or_default(), balancer }),
        })
    };
    let (listener, names) = join(listener, names).await;
    let of_balancer = |group: &crate::aws::FoundTargetGroup| {
        arn.as_ref().is_some_and(|arn| group.state.load_balancers.contains(arn))
    };
    let groups = groups.map(|groups| TargetGroups {
        of_balancer: groups.iter().filter(|group| of_balancer(group)).count(),
        names: groups.into_iter().map(|group| group.state.spec.name).collect(),
    });
    let balancer = found.map(|found| {
        found.map(|found| Balancer {
            dns_name: found.state.dns_name,
            vpc: found.state.vpc,
            status: found.status,
            application: found.is_application,
            subnets: found.state.spec.subnets,
            security_groups: found.state.spec.security_groups,
        })
    });
    (Some(balancer), listener, Some(groups), names)
}

async fn repositories(aws: &Aws, environment: &Environment) -> Result<Vec<String>, Error> {
    let wanted = environment.services.iter().filter(|service| service.image.is_none());
    let wanted: BTreeSet<&str> = wanted.map(|service| service.repository.name.as_str()).collect();
    let found = aws.find_repositories(&wanted.into_iter().collect::<Vec<_>>()).await?;
    Ok(found.into_iter().map(|repository| repository.name).collect())
}

async fn log_groups(aws: &Aws, environment: &Environment) -> Result<Vec<String>, Error> {
    let wanted: BTreeSet<&str> =
        environment.services.iter().filter_map(Service::logs).map(|group| group.name.as_str()).collect();
    let found = aws.find_log_groups(&wanted.into_iter().collect::<Vec<_>>()).await?;
    Ok(found.into_iter().map(|group| group.name).collect())
}

async fn secrets(aws: &Aws, environment: &Environment) -> BTreeMap<String, Fact<Option<Option<String>>>> {
    let secrets: BTreeMap<String, SecretVariable> =
        named(environment).into_iter().map(|it| (it.id.clone(), it)).collect();
    let read = async |(id, secret): (String, SecretVariable)| {
        if let Some(owner) = secret.owner(environment) {
            let why = format!("it belongs to account {owner}");
            return (id, Err(Unread { why, remedy: None }));
        }
        let store = secret.store;
        let found = match store {
            Store::SecretsManager => fact("the secret", aws.find_secret(&id)).await,
            Store::ParameterStore => fact("parameters", aws.find_parameter(&id)).await,
        };
        (id, found.map(|found| found.map(|found| found.key)))
    };
    join_all(secrets.into_iter().map(read)).await.into_iter().collect()
}

async fn certificates(
    aws: &Aws,
    environment: &Environment,
) -> BTreeMap<String, Fact<Option<deploy::doctor::Certificate>>> {
    let Some(balancer) = environment.balancer() else { return BTreeMap::new() };
    let listener = &balancer.listener;
    // Certificates of IAM are not in ACM.
    let arns =
        listener.certificate.iter().chain(&listener.further_certificates).filter(|arn| arn.contains(":acm:"));
    let read =
        async |arn: &String| (arn.clone(), fact("the certificate", aws.describe_certificate(arn)).await);
    join_all(arns.map(read)).await.into_iter().collect()
}

/// The roles of tasks, and what they may do of what their tasks need.
async fn roles(
    aws: &Aws,
    environment: &Environment,
    place: Place<'_>,
    facts: &Facts,
) -> BTreeMap<String, Fact<Option<TaskRole>>> {
    let key = |id: &str| {
        let key = facts.secrets.get(id)?.as_ref().ok()?.as_ref()?.clone()?;
        // An id or an alias is one of this account; a simulation asks for ARNs.
        let own = |rest: String| {
            format!("arn:{}:kms:{}:{}:{rest}", place.partition, environment.region, place.account)
        };
        Some(match key.as_str() {
            key if key.starts_with("arn:") => key.to_owned(),
            key if key.starts_with("alias/") => own(key.to_owned()),
            key => own(format!("key/{key}")),
        })
    };
    let wanted: BTreeSet<&Lookup> = environment
        .services
        .iter()
        .flat_map(|service| [service.execution_role(), service.task_role.as_ref()])
        .flatten()
        .collect();
    let read = async |role: &Lookup| {
        let text = role.text().to_owned();
        if text.starts_with("arn:") && arn_account(&text) != place.account {
            let why = format!("it belongs to account {}", arn_account(&text));
            return (text, Err(Unread { why, remedy: None }));
        }
        let found = match fact("the role", aws.find_role(arn_name(&text))).await {
            Ok(Some(found)) => found,
            Ok(None) => return (text, Ok(None)),
            Err(unread) => return (text, Err(unread)),
        };
        let questions = of_role(environment, place, role, key);
        let rights = match questions.is_empty() {
            true => None,
            false => Some(simulated(aws, &found.arn, &questions).await),
        };
        (text, Ok(Some(TaskRole { trust: found.trust, rights })))
    };
    join_all(wanted.into_iter().map(read)).await.into_iter().collect()
}

/// Subnets, their routes, and security groups; only where the VPC is found.
async fn network(aws: &Aws, environment: &Environment, facts: &mut Facts) {
    let Some(Ok(landing)) = &facts.landing else { return };
    let Some(vpc) = landing.ids.get(environment.network.vpc.text()) else { return };
    let balancer = facts.balancer.as_ref().and_then(|found| found.as_ref().ok()?.as_ref());
    let of = |prefix: &str, further: Option<&Vec<String>>| -> BTreeSet<String> {
        let own = landing.ids.values().filter(|id| id.starts_with(prefix));
        own.chain(further.into_iter().flatten()).cloned().collect()
    };
    let subnets = of("subnet-", balancer.map(|it| &it.subnets));
    let mut groups = of("sg-", balancer.map(|it| &it.security_groups));
    let (tables, gateways, endpoints) = join3(
        fact("route tables", aws.describe_route_tables(vpc)),
        fact("NAT gateways", aws.describe_nat_gateways(vpc)),
        fact("endpoints of the VPC", aws.describe_vpc_endpoints(vpc)),
    )
    .await;
    // An endpoint's own groups decide whether tasks reach ECR or the logs through it, on port 443.
    groups.extend(endpoints.iter().flatten().flat_map(|endpoint| endpoint.groups.iter().cloned()));
    let texts = |all: &BTreeSet<String>| all.iter().cloned().collect::<Vec<_>>();
    let (subnets, groups) = (texts(&subnets), texts(&groups));
    let (subnet_ids, group_ids): (Vec<&str>, Vec<&str>) =
        (subnets.iter().map(String::as_str).collect(), groups.iter().map(String::as_str).collect());
    let (subnets, groups) = join(
        fact("subnets", aws.describe_subnets("subnet-id", &subnet_ids)),
        fact("security groups", aws.describe_security_groups("group-id", &group_ids)),
    )
    .await;
    let subnet = |it: crate::aws::Subnet| {
        (it.id, Subnet { zone: it.zone, cidr: it.cidr, free_addresses: it.free_addresses })
    };
    let group = |it: crate::aws::SecurityGroup| {
        (it.id, SecurityGroup { name: it.group_name, ingress: it.ingress, egress: it.egress })
    };
    facts.subnets = Some(subnets.map(|all| all.into_iter().map(subnet).collect()));
    facts.security_groups = Some(groups.map(|all| all.into_iter().map(group).collect()));
    (facts.route_tables, facts.nat_gateways, facts.endpoints) =
        (Some(tables), Some(gateways), Some(endpoints));
}
