//! The production environment in small, and accounts for it: empty, and as desired.

use std::collections::BTreeMap;

use super::super::{service_spec, task_definition_spec, wanted};
use crate::model::spec::{LoadBalancerSpec, LogGroupSpec, TaskDefinitionSpec};
use crate::model::{
    Alias, Build, ClusterState, Connect, Container, Deployment, Desired, Environment, HealthCheck,
    ImageDigest, ListenerState, LoadBalancer, LoadBalancerState, LogGroup, Lookup, Metric, NamespaceState,
    Network, Observed, Offer, Owner, Patience, Policy, Release, Repository, RepositoryState, Route,
    RuleState, Scaling, ScalingState, Service, ServiceKey, ServiceState, TargetGroup, TargetGroupState,
    TaskDefinitionState,
};

pub(super) fn digest(fill: char) -> ImageDigest {
    ImageDigest(format!("sha256:{}", fill.to_string().repeat(64)))
}

fn name(text: &str) -> Lookup {
    Lookup::Name(text.to_owned())
}

fn service(key: &str, port: u16, health: &str, path: &str, priority: u32, depends_on: &[&str]) -> Service {
    Service {
        key: ServiceKey(key.into()),
        name: format!("ielts-{key}-service"),
        family: format!("ielts-{key}"),
        build: Build { cargo: Some(key.into()), ..Build::default() },
        repository: Repository { name: format!("ielts/{key}"), immutable_tags: true, keep_images: 20 },
        container: Container {
            name: key.into(),
            port,
            port_name: key.into(),
            environment: BTreeMap::from([("PORT".into(), port.to_string())]),
            ..Container::default()
        },
        execution_role: name("exec"),
        log_group: LogGroup {
            name: format!("/ecs/ielts-{key}"),
            stream_prefix: key.into(),
            ..LogGroup::default()
        },
        security_groups: vec![name("sg")],
        keep_revisions: 20,
        connect: Some(Connect {
            own: Offer {
                discovery_name: key.into(),
                alias: Alias { port, dns: format!("{key}.ielts.local") },
                ..Offer::default()
            },
            ..Connect::default()
        }),
        target_group: TargetGroup {
            name: format!("ielts-{key}-tg"),
            health: HealthCheck { path: health.into(), timeout_secs: 5, ..HealthCheck::default() },
            ..TargetGroup::default()
        },
        routes: vec![Route::of_path(health, priority / 10), Route::of_path(path, priority)],
        deployment: Deployment {
            health_check_grace_secs: 30,
            patience: Patience { roll_secs: 600, back_secs: 300, finish_secs: 60 },
            ..Deployment::default()
        },
        scaling: Some(Scaling {
            min: 2,
            max: 10,
            policies: vec![Policy {
                name: format!("{key}-cpu-scaling"),
                metric: Some(Metric::Cpu),
                target: 70.0,
                ..Policy::default()
            }],
            schedules: Vec::new(),
        }),
        depends_on: depends_on.iter().map(|key| ServiceKey((*key).to_owned())).collect(),
        ..Service::default()
    }
}

pub(super) fn desired() -> Desired {
    let environment = Environment {
        name: "prod".into(),
        app: "ielts".into(),
        region: "ap-southeast-1".into(),
        confirm: true,
        cluster: "ielts-prod-cluster".into(),
        namespace: "ielts.local".into(),
        network: Network { vpc: name("vpc"), subnets: vec![name("a"), name("b")], assign_public_ip: false },
        load_balancer: LoadBalancer {
            name: "ielts-prod-alb".into(),
            subnets: vec![name("pa"), name("pb")],
            security_groups: vec![name("alb")],
            ..LoadBalancer::default()
        },
        services: vec![
            service("backend", 8080, "/actuator/health", "/api/*", 100, &[]),
            service("frontend", 3000, "/api/health", "/*", 200, &["backend"]),
        ],
        ..Environment::default()
    };
    let images = [("backend", 'a'), ("frontend", 'b')];
    let release = Release {
        id: "20261123-080012-3f2a9c1".into(),
        commit: Some("3f2a9c1".into()),
        actor: "somebody".into(),
        images: images.map(|(key, fill)| (ServiceKey(key.into()), digest(fill))).into(),
        ..Release::default()
    };
    Desired { environment, release }
}

pub(super) fn empty() -> Observed {
    let ids = ["vpc", "a", "b", "sg", "exec", "pa", "pb", "alb"];
    Observed { ids: ids.map(|id| (id.to_owned(), format!("id-{id}"))).into(), ..Default::default() }
}

pub(super) fn revision(spec: TaskDefinitionSpec, number: u32) -> TaskDefinitionState {
    let arn = format!("arn:aws:ecs:r:a:task-definition/{}:{number}", spec.family());
    TaskDefinitionState { arn, spec, active: true, ..TaskDefinitionState::default() }
}

/// An account in which everything is as [`desired`] has it.
pub(super) fn converged() -> Observed {
    let desired = desired();
    let environment = &desired.environment;
    let mut observed = empty();
    observed.cluster = Some(ClusterState {
        arn: "cluster".into(),
        status: "ACTIVE".into(),
        capacity_providers: Vec::new(),
        default_strategy: Vec::new(),
        tags: Some(BTreeMap::new()),
        active: (2, 4),
    });
    observed.namespace = Some(NamespaceState { arn: "ns".into(), id: "ns".into() });
    observed.load_balancer = Some(LoadBalancerState {
        arn: "lb".into(),
        dns_name: "lb.example".into(),
        spec: LoadBalancerSpec {
            attributes: BTreeMap::new(),
            name: "ielts-prod-alb".into(),
            subnets: vec!["id-pa".into(), "id-pb".into()],
            security_groups: vec!["id-alb".into()],
            internal: false,
        },
        vpc: "id-vpc".into(),
    });
    let listener = wanted::listener(&environment.load_balancer.listener, "ielts-prod-alb");
    observed.listener = Some(ListenerState { arn: "listener".into(), spec: listener });
    let rule =
        |spec: crate::model::spec::RuleSpec| RuleState { arn: format!("rule-{}", spec.priority), spec };
    observed.rules = wanted::rules(environment).into_iter().map(rule).collect();
    for service in &environment.services {
        let spec = wanted::repository(service);
        let holds = Some(vec![desired.release.images[&service.key].clone()]);
        let uri = format!("registry/{}", spec.name);
        observed.repositories.insert(spec.name.clone(), RepositoryState { spec, uri, holds });
        let log_group = LogGroupSpec { name: service.log_group.name.clone(), retention_days: Some(30) };
        observed.log_groups.insert(log_group.name.clone(), log_group);
        if let Some(spec) = wanted::target_group(environment, service, &observed) {
            let load_balancers = vec!["lb".to_owned()];
            let state = TargetGroupState { arn: spec.name.clone(), spec, load_balancers };
            observed.target_groups.insert(state.spec.name.clone(), state);
        }
        let task_definition = revision(task_definition_spec(&desired, service, &observed), 1);
        observed.latest.insert(service.key.clone(), task_definition.clone());
        let state = ServiceState {
            arn: service.name.clone(),
            status: "ACTIVE".into(),
            spec: service_spec(environment, service, &observed),
            task_definition,
            primary: Some("ecs-svc/1".into()),
            rollout: Some("COMPLETED".into()),
            service_deployment: None,
            desired: 2,
            running: 2,
            deployments: 1,
            foreign_way: None,
            deployed_at_ms: None,
            endpoints_since_ms: None,
        };
        observed.services.insert(service.key.clone(), state);
        let scaling = service.scaling.as_ref().unwrap();
        let state = ScalingState {
            arn: Some(format!("target-{}", service.key)),
            target: Some(wanted::scalable_target(environment, service, scaling)),
            policies: wanted::policies(environment, service, &observed, scaling),
            schedules: Vec::new(),
            suspended: Vec::new(),
        };
        observed.scaling.insert(service.key.clone(), state);
    }
    observed.made =
        Some(everything(&observed).into_iter().map(|arn| (arn, Owner::of(environment))).collect());
    observed
}

/// ARNs of all that an account holds and can be tagged.
fn everything(observed: &Observed) -> Vec<String> {
    let mut arns: Vec<String> = ["cluster", "ns", "lb", "listener"].map(str::to_owned).into();
    arns.extend(observed.rules.iter().map(|rule| rule.arn.clone()));
    arns.extend(observed.target_groups.values().map(|group| group.arn.clone()));
    arns.extend(observed.services.values().map(|service| service.arn.clone()));
    arns.extend(observed.latest.values().map(|revision| revision.arn.clone()));
    arns.extend(observed.scaling.values().filter_map(|scaling| scaling.arn.clone()));
    arns
}
