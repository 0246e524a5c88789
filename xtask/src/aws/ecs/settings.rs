//! A service's settings between ECS's form and ours.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Deployment, DeploymentCircuitBreaker, DeploymentConfiguration,
    DeploymentEarlySuccessCriteria, LoadBalancer, NetworkConfiguration, PropagateTags, Service,
    ServiceConnectClientAlias, ServiceConnectConfiguration, ServiceConnectService, ServiceRevisionCleanup,
    ThresholdConfiguration, ThresholdType,
};
use aws_smithy_types::error::operation::BuildError;
use deploy::model::spec::{
    ConnectServiceSpec, ConnectSpec, EarlySuccessSpec, LoadBalancerBinding, Member, Members, ServiceSpec,
    ThresholdSpec,
};
use serde_json::{Value, json};

use crate::aws::names::{arn_name, count, port, target_group_name, wire};

/// What a service refers to by name in a spec and by ARN on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arns {
    /// Target groups: name to ARN.
    pub target_groups: BTreeMap<String, String>,
    /// Namespaces: name to ARN. A name alone can be ambiguous to ECS.
    pub namespaces: BTreeMap<String, String>,
}

impl Arns {
    /// A namespace's name by its ARN or name; an unknown ARN stays as it is, so that it differs from any name.
    fn namespace_name(&self, reference: &str) -> String {
        let known = self.namespaces.iter().find(|(_, arn)| *arn == reference);
        known.map_or(reference, |(name, _)| name).to_owned()
    }
}

pub(super) fn network(spec: &ServiceSpec) -> Result<NetworkConfiguration, BuildError> {
    let public = if spec.assign_public_ip { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled };
    // As a whole: the subnets are required whichever member changes (ECS API, AwsVpcConfiguration).
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(spec.subnets.clone()))
        .set_security_groups(Some(spec.security_groups.clone()))
        .assign_public_ip(public)
        .build()?;
    Ok(NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
}

/// Empty for none, which removes all. `Err` names a target group whose ARN is not known.
pub(super) fn load_balancers(spec: &ServiceSpec, arns: &Arns) -> Result<Vec<LoadBalancer>, String> {
    let entry = |binding: &LoadBalancerBinding| {
        let arn =
            arns.target_groups.get(&binding.target_group).ok_or_else(|| binding.target_group.clone())?;
        Ok(LoadBalancer::builder()
            .target_group_arn(arn)
            .container_name(&binding.container)
            .container_port(i32::from(binding.port))
            .build())
    };
    spec.load_balancers.iter().map(entry).collect()
}

/// Switched off explicitly when the spec has none.
pub(super) fn connect(spec: &ServiceSpec, arns: &Arns) -> Result<ServiceConnectConfiguration, BuildError> {
    let Some(connect) = &spec.connect else {
        // UpdateService keeps a configuration that is left out.
        return Ok(ServiceConnectConfiguration::builder().enabled(false).build());
    };
    let service = |service: &ConnectServiceSpec| {
        let alias = ServiceConnectClientAlias::builder()
            .port(i32::from(service.alias_port))
            .dns_name(&service.alias_dns)
            .build()?;
        ServiceConnectService::builder()
            .port_name(&service.name)
            .discovery_name(&service.discovery_name)
            .client_aliases(alias)
            .build()
    };
    let services: Vec<_> = connect.services.iter().map(service).collect::<Result<_, _>>()?;
    Ok(ServiceConnectConfiguration::builder()
        .enabled(true)
        .namespace(arns.namespaces.get(&connect.namespace).unwrap_or(&connect.namespace))
        // Left out for a client: it offers no endpoint, and the namespace alone gives its tasks the proxy.
        .set_services((!services.is_empty()).then_some(services))
        .build())
}

/// Every member is sent: one that is left out keeps its old value.
pub(super) fn deployment(spec: &ServiceSpec) -> Result<DeploymentConfiguration, BuildError> {
    let threshold = &spec.circuit_breaker_threshold;
    let threshold = ThresholdConfiguration::builder()
        .r#type(ThresholdType::from(threshold.kind.as_str()))
        .value(wire(threshold.value))
        .build()?;
    // `enable` and `rollback` are both required (ECS API, DeploymentCircuitBreaker).
    let breaker = DeploymentCircuitBreaker::builder()
        .enable(spec.circuit_breaker)
        .rollback(spec.circuit_breaker_rollback)
        .threshold_configuration(threshold)
        .reset_on_healthy_task(spec.circuit_breaker_reset)
        .build();
    let early = DeploymentEarlySuccessCriteria::builder().enable(spec.early_success.is_some());
    let early = match &spec.early_success {
        Some(criteria) => early
            .healthy_percent(wire(criteria.healthy_percent))
            .source_service_revision_cleanup(ServiceRevisionCleanup::from(criteria.cleanup.as_str())),
        None => early,
    };
    Ok(DeploymentConfiguration::builder()
        .minimum_healthy_percent(wire(spec.minimum_healthy_percent))
        .maximum_percent(wire(spec.maximum_percent))
        .deployment_circuit_breaker(breaker)
        .early_success_criteria(early.build())
        .build())
}

/// What the SDK's types do not hold of the members that are sent.
pub(super) fn extra(spec: &ServiceSpec, arns: &Arns, sent: &BTreeSet<Member>) -> Members {
    let mut all = all_extra(spec, arns);
    // The launch type is no member of UpdateService, and an empty strategy brings it back only for a service that was created
    // with it. A strategy of the same meaning does for each.
    if all.get(&[Member::STRATEGY]).is_none() {
        let on_demand =
            json!({ Member::STRATEGY: [{ "capacityProvider": FARGATE, "weight": 1, "base": 0 }] });
        all.lay(&Members::of(on_demand));
    }
    let names: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
    for name in names {
        let member = match name.as_str() {
            "networkConfiguration" => Member::NetworkConfiguration,
            "deploymentConfiguration" => Member::DeploymentConfiguration,
            "loadBalancers" => Member::LoadBalancers,
            "serviceConnectConfiguration" => Member::ServiceConnectConfiguration,
            other => Member::Extra(other.to_owned()),
        };
        if !sent.contains(&member) {
            all.take(&[&name]);
        }
    }
    all
}

/// What the SDK's types do not hold of a service.
pub(super) fn all_extra(spec: &ServiceSpec, arns: &Arns) -> Members {
    let mut all = spec.extra.clone();
    for binding in spec.load_balancers.iter().filter(|binding| !binding.extra.is_empty()) {
        if let Some(arn) = arns.target_groups.get(&binding.target_group) {
            all.put(&["loadBalancers", arn], (&binding.extra).into());
        }
    }
    if let Some(connect) = &spec.connect {
        let services = connect.services.iter().filter(|service| !service.extra.is_empty());
        for service in services {
            let path = ["serviceConnectConfiguration", "services", &service.discovery_name];
            all.put(&path, (&service.extra).into());
        }
        if !connect.extra.is_empty() {
            all.put(&["serviceConnectConfiguration"], (&connect.extra).into());
        }
    }
    all
}

/// Members of a service that are read as they are. Most of them only its deployments show.
const AS_THEY_ARE: [&str; 8] = [
    "availabilityZoneRebalancing",
    "gatewayConnectors",
    "monitoring",
    "placementConstraints",
    "placementStrategy",
    "serviceRegistries",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// The capacity providers of Fargate.
const FARGATE: &str = "FARGATE";
const SPOT: &str = "FARGATE_SPOT";

/// The strategy, by provider; none where it says what the launch type says.
fn read_strategy(shown: &Value) -> Members {
    let strategy = shown.get(Member::STRATEGY).cloned().unwrap_or_default();
    let strategy = Members::of(json!({ Member::STRATEGY: strategy }));
    let providers = strategy.get(&[Member::STRATEGY]).and_then(Value::as_object);
    let spot = providers.is_some_and(|providers| providers.contains_key(SPOT));
    if spot { strategy } else { Members::default() }
}

/// The launch type, or what a service runs on that has a strategy instead.
fn launch_type(found: &Service) -> String {
    let providers = found.capacity_provider_strategy().iter().map(|item| item.capacity_provider());
    match found.launch_type() {
        Some(launch_type) => launch_type.as_str().to_owned(),
        None if providers.clone().all(|provider| [FARGATE, SPOT].contains(&provider)) => FARGATE.to_owned(),
        None => format!("the capacity provider {}", providers.collect::<Vec<_>>().join(" and ")),
    }
}

/// What a service shows that no field covers, or that is more than AWS's default.
fn read_extra(shown: &Value, primary: &Value) -> Members {
    let mut all = read_strategy(shown);
    for name in AS_THEY_ARE {
        let value = shown.get(name).or_else(|| primary.get(name));
        // ECS shows an empty list where nothing was set, and a plan must not differ by it.
        if let Some(value) = value.filter(|value| value.as_array().is_none_or(|list| !list.is_empty())) {
            all.put(&[name], value.clone());
        }
    }
    let network = shown["networkConfiguration"]["awsvpcConfiguration"].clone();
    // What is left over is a member that this tool has no field for: it is sent back as it was, because ECS wants
    // `awsvpcConfiguration` whole.
    let network = without(network, &["subnets", "securityGroups", "assignPublicIp"]);
    if !network.is_empty() {
        all.put(&["networkConfiguration", "awsvpcConfiguration"], (&network).into());
    }
    let mut rolling = shown["deploymentConfiguration"].clone();
    if let Some(breaker) = rolling.get_mut("deploymentCircuitBreaker") {
        let known = ["enable", "rollback", "thresholdConfiguration", "resetOnHealthyTask"];
        *breaker = Value::from(&without(breaker.take(), &known));
    }
    let known = ["minimumHealthyPercent", "maximumPercent", "earlySuccessCriteria", "strategy"];
    let alarms = rolling.get("alarms").filter(|alarms| alarms["enable"] == true).cloned();
    let mut rolling = without(rolling, &known).without_defaults();
    if let Some(alarms) = alarms {
        // As a whole: all of its members are required.
        rolling.put(&["alarms"], alarms);
    }
    if !rolling.is_empty() {
        all.put(&["deploymentConfiguration"], (&rolling).into());
    }
    all
}

/// The members of an object but for those that fields cover.
fn without(object: Value, known: &[&str]) -> Members {
    let mut rest = Members::of(object);
    for member in known {
        rest.take(&[member]);
    }
    rest
}

/// Seconds, where ECS takes them: only a service with a load balancer may have a grace period.
pub(super) fn grace(spec: &ServiceSpec) -> Option<i32> {
    (!spec.load_balancers.is_empty() || spec.health_check_grace_secs > 0)
        .then(|| wire(spec.health_check_grace_secs))
}

/// A service's settings with AWS's defaults written out.
pub(super) fn read(found: &Service, shown: &Value, arns: &Arns) -> ServiceSpec {
    let is_primary = |deployment: &&Value| deployment["status"] == "PRIMARY";
    let shown_primary = shown["deployments"].as_array().and_then(|all| all.iter().find(is_primary));
    let shown_primary = shown_primary.unwrap_or(&Value::Null);
    let balancers = found.load_balancers().iter().enumerate();
    let vpc = found.network_configuration().and_then(NetworkConfiguration::awsvpc_configuration);
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list
    };
    let rolling = found.deployment_configuration();
    let breaker = rolling.and_then(DeploymentConfiguration::deployment_circuit_breaker);
    ServiceSpec {
        name: found.service_name().unwrap_or_default().to_owned(),
        cluster: arn_name(found.cluster_arn().unwrap_or_default()).to_owned(),
        launch_type: launch_type(found),
        platform_version: platform_version(found).to_owned(),
        subnets: sorted(vpc.map(AwsVpcConfiguration::subnets).unwrap_or_default()),
        security_groups: sorted(vpc.map(AwsVpcConfiguration::security_groups).unwrap_or_default()),
        assign_public_ip: vpc.and_then(|vpc| vpc.assign_public_ip()) == Some(&AssignPublicIp::Enabled),
        load_balancers: balancers.map(|(n, it)| read_binding(it, &shown["loadBalancers"][n])).collect(),
        connect: primary(found)
            .and_then(|primary| read_connect(primary, &shown_primary["serviceConnectConfiguration"], arns)),
        // AWS's defaults for replicas, where a reply leaves them out (ECS API, DeploymentConfiguration).
        minimum_healthy_percent: rolling.and_then(|it| it.minimum_healthy_percent()).map_or(100, count),
        maximum_percent: rolling.and_then(|it| it.maximum_percent()).map_or(200, count),
        circuit_breaker: breaker.is_some_and(DeploymentCircuitBreaker::enable),
        circuit_breaker_rollback: breaker.is_some_and(DeploymentCircuitBreaker::rollback),
        circuit_breaker_threshold: breaker.and_then(threshold).unwrap_or_default(),
        // A member of July 2026, true by default (ECS developer guide, "Deployment circuit breaker").
        circuit_breaker_reset: breaker.and_then(|breaker| breaker.reset_on_healthy_task()).unwrap_or(true),
        early_success: rolling.and_then(early_success),
        health_check_grace_secs: found.health_check_grace_period_seconds().map_or(0, count),
        enable_execute_command: found.enable_execute_command(),
        // AWS's default, where a reply leaves it out (ECS API, Service).
        propagate_tags: found.propagate_tags().map_or("NONE", PropagateTags::as_str).to_owned(),
        managed_tags: found.enable_ecs_managed_tags(),
        extra: read_extra(shown, shown_primary),
    }
}

/// A service's deployment controller, strategy or scheduling, where this tool knows none of it. All of them are left out of
/// replies for services that were made before there was a choice.
pub(super) fn foreign_way(found: &Service) -> Option<String> {
    let controller = found.deployment_controller().map(|it| it.r#type().as_str());
    let strategy = found.deployment_configuration().and_then(|it| it.strategy()).map(|it| it.as_str());
    let scheduling = found.scheduling_strategy().map(|it| it.as_str());
    let known = [(controller, "ECS"), (strategy, "ROLLING"), (scheduling, "REPLICA")];
    let foreign = known.into_iter().find_map(|(found, ours)| found.filter(|found| *found != ours));
    foreign.map(str::to_owned)
}

fn threshold(breaker: &DeploymentCircuitBreaker) -> Option<ThresholdSpec> {
    let found = breaker.threshold_configuration()?;
    Some(ThresholdSpec { kind: found.r#type().as_str().to_owned(), value: count(found.value()) })
}

fn early_success(rolling: &DeploymentConfiguration) -> Option<EarlySuccessSpec> {
    let found = rolling.early_success_criteria().filter(|found| found.enable())?;
    Some(EarlySuccessSpec {
        healthy_percent: found.healthy_percent().map_or(100, count),
        cleanup: found
            .source_service_revision_cleanup()
            .map_or("BLOCKING", ServiceRevisionCleanup::as_str)
            .to_owned(),
    })
}

/// What `LATEST` means on Linux.
const LATEST_ON_LINUX: &str = "1.4.0";

/// `LATEST` is resolved when a deployment starts, and the service may show what it was resolved to.
fn platform_version(found: &Service) -> &str {
    found.platform_version().filter(|version| *version != LATEST_ON_LINUX).unwrap_or("LATEST")
}

/// The newest deployment. After a rollback that is the rollback's own, with the old revision.
pub(super) fn primary(found: &Service) -> Option<&Deployment> {
    found.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"))
}

fn read_binding(found: &LoadBalancer, shown: &Value) -> LoadBalancerBinding {
    LoadBalancerBinding {
        target_group: target_group_name(found.target_group_arn().unwrap_or_default()).to_owned(),
        container: found.container_name().unwrap_or_default().to_owned(),
        port: found.container_port().map_or(0, port),
        extra: without(shown.clone(), &["targetGroupArn", "containerName", "containerPort"]),
    }
}

/// Service Connect is a setting of a deployment: the service itself does not show it.
fn read_connect(primary: &Deployment, shown: &Value, arns: &Arns) -> Option<ConnectSpec> {
    let found = primary.service_connect_configuration().filter(|found| found.enabled())?;
    let namespace = arns.namespace_name(found.namespace().unwrap_or_default());
    let service = |(n, service): (usize, &ServiceConnectService)| {
        let shown = &shown["services"][n];
        // AWS's default for the name (ECS API, ServiceConnectService).
        let discovery_name = service.discovery_name().unwrap_or_else(|| service.port_name()).to_owned();
        let alias = service.client_aliases().first();
        let dns = alias.and_then(|alias| alias.dns_name()).map(str::to_owned);
        ConnectServiceSpec {
            name: service.port_name().to_owned(),
            alias_port: alias.map_or(0, |alias| port(alias.port())),
            // AWS's default for the alias.
            alias_dns: dns.unwrap_or_else(|| format!("{discovery_name}.{namespace}")),
            discovery_name,
            extra: without(shown.clone(), &["portName", "discoveryName", "clientAliases"]),
        }
    };
    let mut services: Vec<_> = found.services().iter().enumerate().map(service).collect();
    // A request gives them in any order.
    services.sort_by(|one, other| one.discovery_name.cmp(&other.discovery_name));
    let extra = without(shown.clone(), &["enabled", "namespace", "services"]);
    Some(ConnectSpec { services, namespace, extra })
}
