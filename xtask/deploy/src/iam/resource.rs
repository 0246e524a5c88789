//! What an action is about, and which ARNs that is here.
//!
//! Source: Service Authorization Reference, the tables of each service. An action whose table names no resource type takes
//! `*` only.

use super::Place;
use crate::model::{Environment, ImageName, Lookup, Service};
use crate::secrets::{Store, named};

/// An action that is called, and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub action: &'static str,
    pub on: Resource,
}

impl Need {
    /// Whether the action reads, by AWS's names for such actions. A registry's token counts as a write: it is asked for to push.
    pub fn reads(&self) -> bool {
        let name = self.action.split_once(':').map_or("", |(_, name)| name);
        ["Describe", "Get", "List", "BatchGet", "Filter", "Simulate"]
            .iter()
            .any(|verb| name.starts_with(verb))
            && self.action != "ecr:GetAuthorizationToken"
    }
}

/// The resources that an action can be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// `*`: the action has no resource-level permission.
    Any,
    /// `*`, limited to the cluster by the condition key `ecs:cluster`.
    InCluster,
    Cluster,
    Service,
    /// The services, their deployments and their revisions.
    ServiceDeployment,
    TaskDefinition,
    Task,
    /// What carries tags in ECS: cluster, services, revisions.
    Tagged,
    /// The repositories that images are pushed to.
    Repository,
    /// The repositories of ECR that images are taken from as they are.
    Pulled,
    /// The log groups and their streams.
    LogGroup,
    /// The secrets of Secrets Manager that containers get.
    Secret,
    /// The parameters of Systems Manager that containers get.
    Parameter,
    /// The load balancer with its listeners and rules, and the target groups.
    LoadBalancing,
    ScalableTarget,
    Namespace,
    /// The roles that tasks get.
    Role,
}

/// The ids of the secrets of one store.
fn secrets(environment: &Environment, store: Store) -> Vec<String> {
    named(environment).into_iter().filter(|it| it.store == store).map(|it| it.id).collect()
}

impl Resource {
    pub(super) fn arns(self, place: Place<'_>, environment: &Environment) -> Vec<String> {
        let Place { partition, account } = place;
        let region = &environment.region;
        let cluster = &environment.cluster;
        let arn =
            |service: &str, rest: String| format!("arn:{partition}:{service}:{region}:{account}:{rest}");
        let ecs = |rest: String| arn("ecs", rest);
        let services = |kind: &str, end: &str| {
            let one = |name: &String| ecs(format!("{kind}/{cluster}/{name}{end}"));
            environment.services.iter().map(|service| one(&service.name)).collect::<Vec<_>>()
        };
        let families =
            || environment.services.iter().map(|it| ecs(format!("task-definition/{}:*", it.family)));
        let mut arns = match self {
            Self::Any | Self::InCluster => vec!["*".to_owned()],
            Self::Cluster => vec![ecs(format!("cluster/{cluster}"))],
            Self::Service => services("service", ""),
            Self::ServiceDeployment => [
                services("service", ""),
                services("service-deployment", "/*"),
                services("service-revision", "/*"),
            ]
            .concat(),
            Self::TaskDefinition => families().collect(),
            Self::Task => vec![ecs(format!("task/{cluster}/*"))],
            Self::Tagged => {
                let cluster = ecs(format!("cluster/{cluster}"));
                families().chain(services("service", "")).chain([cluster]).collect()
            }
            Self::Repository => environment
                .services
                .iter()
                .filter(|service| service.image.is_none())
                .map(|service| arn("ecr", format!("repository/{}", service.repository.name)))
                .collect(),
            Self::Pulled => {
                let names = environment.services.iter().filter_map(Service::image_name);
                let pulled = |name: ImageName| {
                    let (account, region) = name.ecr()?;
                    Some(format!("arn:{partition}:ecr:{region}:{account}:repository/{}", name.repository))
                };
                names.filter_map(pulled).collect()
            }
            Self::LogGroup => environment
                .services
                .iter()
                .filter_map(Service::logs)
                .map(|group| arn("logs", format!("log-group:{}", group.name)))
                .flat_map(|group| [format!("{group}:*"), group])
                .collect(),
            Self::Secret => secrets(environment, Store::SecretsManager),
            Self::Parameter => secrets(environment, Store::ParameterStore)
                .iter()
                .map(|id| match id.starts_with("arn:") {
                    true => id.clone(),
                    false => arn("ssm", format!("parameter/{}", id.trim_start_matches('/'))),
                })
                .collect(),
            Self::LoadBalancing => {
                // Of an ARN, the name in it.
                let named = environment.load_balancer.name.rsplit("loadbalancer/app/").next();
                let balancer = named.map_or("*", |rest| rest.split('/').next().unwrap_or(rest));
                let kinds = ["loadbalancer", "listener", "listener-rule"];
                let elb = |rest: String| arn("elasticloadbalancing", rest);
                let parts = kinds.into_iter().map(|kind| elb(format!("{kind}/app/{balancer}/*")));
                let groups = environment.services.iter().filter_map(Service::group);
                let groups = groups.map(|group| elb(format!("targetgroup/{}/*", group.name)));
                parts.chain(groups).collect()
            }
            Self::ScalableTarget => vec![arn("application-autoscaling", "scalable-target/*".to_owned())],
            Self::Namespace => vec![arn("servicediscovery", "namespace/*".to_owned())],
            Self::Role => roles(place, environment),
        };
        arns.sort();
        arns.dedup();
        arns
    }
}

/// Roles by ARN, or by name wherever their path is.
fn roles(place: Place<'_>, environment: &Environment) -> Vec<String> {
    let roles = environment
        .services
        .iter()
        .flat_map(|service| [service.execution_role(), service.task_role.as_ref()])
        .flatten();
    let arns = |role: &Lookup| match role.text() {
        text if text.starts_with("arn:") => vec![text.to_owned()],
        name => {
            let role = format!("arn:{}:iam::{}:role/", place.partition, place.account);
            vec![format!("{role}{name}"), format!("{role}*/{name}")]
        }
    };
    let endpoints = environment.services.iter().flat_map(Service::endpoints);
    let tls = endpoints.filter_map(|endpoint| endpoint.offer.tls.as_ref()?.role.clone());
    roles.flat_map(arns).chain(tls).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_allowed_by_name_wherever_its_path_is_and_by_arn_as_it_is() {
        let text = include_str!("../../tests/fixtures/ielts.toml");
        let mut environment = crate::config::load("deploy.toml", text, Some("prod")).unwrap().environment;
        let exact = "arn:aws:iam::111122223333:role/apps/ielts/execution";
        for service in &mut environment.services {
            service.execution_role = Lookup::parse(exact);
        }
        let place = Place { partition: "aws", account: "111122223333" };
        assert_eq!(
            Resource::Role.arns(place, &environment),
            [
                "arn:aws:iam::111122223333:role/*/ielts-prod-task-role",
                exact,
                "arn:aws:iam::111122223333:role/ielts-prod-task-role",
            ]
        );
    }
}
