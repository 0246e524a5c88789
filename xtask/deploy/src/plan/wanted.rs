//! The wanted side in normal form.

mod definition;
mod scaling;

use serde_json::{Value, json};

pub use definition::task_definition_spec;
pub(super) use definition::{EXEC_PATHS, spoken};
pub(super) use scaling::{policies, scalable_target, schedules};

use super::services::live;
use crate::model::spec::{
    ConnectServiceSpec, ConnectSpec, EarlySuccessSpec, HealthCheckSpec, ListenerSpec, LoadBalancerBinding,
    LogGroupSpec, Member, Members, RepositorySpec, RuleAction, RuleSpec, ServiceSpec, TargetGroupSpec,
    ThresholdSpec,
};
use crate::model::{CapacityProvider, Environment, Listener, Lookup, Observed, Offer, Protocol, Service};

/// The id that a reference resolved to. Observation refuses an account in which one is missing, so the reference itself is
/// only used where nothing was looked up, as in tests.
fn id(observed: &Observed, reference: &Lookup) -> String {
    observed.ids.get(reference.text()).cloned().unwrap_or_else(|| reference.text().to_owned())
}

pub(super) fn ids(observed: &Observed, references: &[Lookup]) -> Vec<String> {
    let mut list: Vec<_> = references.iter().map(|reference| id(observed, reference)).collect();
    // As observed: AWS returns ids in no fixed order.
    list.sort();
    list
}

pub(super) fn repository(service: &Service) -> RepositorySpec {
    RepositorySpec {
        name: service.repository.name.clone(),
        immutable_tags: service.repository.immutable_tags,
        keep_images: Some(service.repository.keep_images).filter(|keep| *keep > 0),
    }
}

pub(super) fn log_group(service: &Service) -> Option<LogGroupSpec> {
    let group = service.logs()?;
    let days = Some(group.retention_days).filter(|days| *days > 0);
    Some(LogGroupSpec { name: group.name.clone(), retention_days: days })
}

pub(super) fn target_group(
    environment: &Environment,
    service: &Service,
    observed: &Observed,
) -> Option<TargetGroupSpec> {
    let group = service.group()?;
    let health = &group.health;
    Some(TargetGroupSpec {
        name: group.name.clone(),
        vpc: id(observed, &environment.network.vpc),
        port: service.container.port,
        // Tasks of Fargate have addresses of their own, and ECS refuses target groups of another type for
        // them (CreateService).
        target_type: "ip".to_owned(),
        protocol: "HTTP".to_owned(),
        protocol_version: service.target_group.protocol_version.wire().to_owned(),
        health: HealthCheckSpec {
            path: health.path.clone(),
            port: health.port,
            matcher: health.matcher.clone(),
            interval_secs: health.interval_secs,
            timeout_secs: health.timeout_secs,
            healthy_threshold: health.healthy_threshold,
            unhealthy_threshold: health.unhealthy_threshold,
        },
        attributes: service
            .aws
            .target_group_attributes
            .clone()
            .into_iter()
            .chain(group.attributes())
            .collect(),
    })
}

pub(super) fn listener(listener: &Listener, load_balancer: &str) -> ListenerSpec {
    let protocol = match listener.protocol {
        Protocol::Http => "HTTP",
        Protocol::Https => "HTTPS",
    };
    let mut further_certificates = listener.further_certificates.clone();
    // Their order means nothing to a listener, so it must be no difference.
    further_certificates.sort();
    ListenerSpec {
        load_balancer: load_balancer.to_owned(),
        port: listener.port,
        protocol: protocol.to_owned(),
        certificate: listener.certificate.clone(),
        further_certificates,
        ssl_policy: listener.ssl_policy.clone(),
        redirect_to: None,
    }
}

/// The second listener, when port 80 is to redirect to the first.
pub(super) fn redirect(listener: &Listener, load_balancer: &str) -> Option<ListenerSpec> {
    (listener.redirect_http == Some(true)).then(|| ListenerSpec {
        load_balancer: load_balancer.to_owned(),
        port: Listener::REDIRECT_PORT,
        protocol: "HTTP".to_owned(),
        certificate: None,
        further_certificates: Vec::new(),
        ssl_policy: None,
        redirect_to: Some(listener.port),
    })
}

pub(super) fn rules(environment: &Environment) -> Vec<RuleSpec> {
    let balanced =
        environment.services.iter().filter_map(|service| Some((service.group()?, &service.routes)));
    let rules = balanced.flat_map(|(group, routes)| {
        routes.iter().map(move |route| RuleSpec {
            priority: route.priority,
            conditions: route.conditions(),
            action: RuleAction::Forward(group.name.clone()),
        })
    });
    let own = environment.load_balancer.routes.iter().filter_map(|route| {
        Some(RuleSpec { priority: route.priority, conditions: route.conditions(), action: route.action()? })
    });
    let mut list: Vec<_> = rules.chain(own).collect();
    // As the listener asks them: the lowest number first.
    list.sort_by_key(|rule| rule.priority);
    list
}

/// What the file says of an endpoint apart from its names.
fn endpoint(offer: &Offer) -> Members {
    let tls = offer.tls.as_ref().map(|tls| {
        json!({
            "issuerCertificateAuthority": { "awsPcaAuthorityArn": tls.issuer },
            "kmsKey": tls.kms_key,
            "roleArn": tls.role,
        })
    });
    let timeout = json!({
        "perRequestTimeoutSeconds": offer.request_timeout_secs,
        "idleTimeoutSeconds": offer.idle_timeout_secs,
    });
    Members::of(json!({ "timeout": timeout, "tls": tls })).without_defaults()
}

const THRESHOLD: [&str; 3] =
    ["deploymentConfiguration", "deploymentCircuitBreaker", "thresholdConfiguration"];

/// After how many failed tasks the circuit breaker trips: by the `aws` table, which can say what the key cannot, or by the key.
pub fn breaker_threshold(service: &Service) -> ThresholdSpec {
    let over = service.aws.service.get(&THRESHOLD).cloned();
    let own =
        || ThresholdSpec { kind: "COUNT".to_owned(), value: service.deployment.circuit_breaker.threshold };
    over.and_then(|it| serde_json::from_value(it).ok()).unwrap_or_else(own)
}

/// The settings that `service` should have.
pub fn service_spec(environment: &Environment, service: &Service, observed: &Observed) -> ServiceSpec {
    let running = live(observed, service).map(|state| &state.spec);
    spec_over(running, environment, service, observed)
}

/// The settings that deploy.toml says, without what an update keeps beside them.
pub(super) fn bare_service_spec(
    environment: &Environment,
    service: &Service,
    observed: &Observed,
) -> ServiceSpec {
    spec_over(None, environment, service, observed)
}

fn spec_over(
    running: Option<&ServiceSpec>,
    environment: &Environment,
    service: &Service,
    observed: &Observed,
) -> ServiceSpec {
    let endpoints = service.endpoints().map(|endpoint| ConnectServiceSpec {
        name: endpoint.port_name.to_owned(),
        discovery_name: endpoint.offer.discovery_name.clone(),
        alias_port: endpoint.offer.alias.port,
        alias_dns: endpoint.offer.alias.dns.clone(),
        extra: Members::default(),
    });
    let mut endpoints: Vec<_> = endpoints.collect();
    // As observed: their order means nothing.
    endpoints.sort_by(|one, other| one.discovery_name.cmp(&other.discovery_name));
    // Container and port must be in the revision that is sent with it, or UpdateService refuses (ECS API, UpdateService).
    let group = service.group().map(|group| LoadBalancerBinding {
        target_group: group.name.clone(),
        container: service.container.name.clone(),
        port: service.container.port,
        extra: Members::default(),
    });
    // Members of an `aws` table that have a field here: the field takes the value, so that it is compared once.
    let mut over = service.aws.service.clone();
    over.take(&THRESHOLD);
    let text = |value: Option<Value>, default: &str| {
        value.as_ref().and_then(Value::as_str).unwrap_or(default).to_owned()
    };
    let spec = ServiceSpec {
        name: service.name.clone(),
        cluster: environment.cluster.clone(),
        // Compared and never updated: `launchType` is no member of UpdateService.
        launch_type: "FARGATE".to_owned(),
        // ECS resolves LATEST when a deployment starts, and the service keeps that version until the next
        // one.
        platform_version: text(over.take(&["platformVersion"]), "LATEST"),
        subnets: ids(observed, environment.subnets(service)),
        security_groups: ids(observed, &service.security_groups),
        assign_public_ip: service.network.assign_public_ip.unwrap_or(environment.network.assign_public_ip),
        load_balancers: group.into_iter().collect(),
        connect: service.connects().then(|| ConnectSpec {
            namespace: environment.namespace.clone(),
            services: endpoints,
            extra: Members::default(),
        }),
        minimum_healthy_percent: service.deployment.minimum_healthy_percent,
        maximum_percent: service.deployment.maximum_percent,
        circuit_breaker: service.deployment.circuit_breaker.enable,
        circuit_breaker_rollback: service.deployment.circuit_breaker.rollback,
        circuit_breaker_threshold: breaker_threshold(service),
        circuit_breaker_reset: service.deployment.circuit_breaker.reset_on_healthy_task,
        early_success: service.deployment.early_success.map(|early| EarlySuccessSpec {
            healthy_percent: early.healthy_percent,
            cleanup: early.cleanup.wire().to_owned(),
        }),
        health_check_grace_secs: grace(service, observed),
        enable_execute_command: service.enable_execute_command,
        // By default a task has no tags (CreateService): neither a bill nor a person could see which release
        // it belongs to.
        propagate_tags: text(over.take(&["propagateTags"]), "TASK_DEFINITION"),
        managed_tags: over.take(&["enableECSManagedTags"]) != Some(Value::Bool(false)),
        extra: Members::default(),
    };
    let mut spec = match running {
        Some(running) => spec.with_extra_of(running),
        None => spec,
    };
    // The order is the precedence: what runs, then the `aws` table, then the file's own keys.
    spec.extra = spec.extra.laid(&over).laid(&chosen(service));
    // The file decides alone: a strategy that runs is not kept where the file has none.
    spec.extra.take(&[Member::STRATEGY]);
    spec.extra.lay(&strategy(service));
    if let Some(connect) = &mut spec.connect {
        let mut over = service.aws.connect.clone();
        // An entry with the name of a port holds for all endpoints of the port that have none of their own.
        let services = Members::of(over.take(&["services"]).unwrap_or_default());
        connect.extra = connect.extra.laid(&over);
        for endpoint in &mut connect.services {
            let entry = services.get(&[&endpoint.discovery_name]).or(services.get(&[&endpoint.name]));
            let mut over = Members::of(entry.cloned().unwrap_or_default());
            over.take(&["portName"]);
            over.take(&["discoveryName"]);
            let mut offered = service.endpoints();
            let typed = offered.find(|it| it.offer.discovery_name == endpoint.discovery_name);
            let typed = typed.map(|it| self::endpoint(it.offer)).unwrap_or_default();
            endpoint.extra = endpoint.extra.laid(&over).laid(&typed);
        }
    }
    spec
}

/// Members for keys that the file may leave out: then they stay as they are.
fn chosen(service: &Service) -> Members {
    let mut all = Members::default();
    if let Some(balanced) = service.availability_zone_rebalancing {
        let word = if balanced { "ENABLED" } else { "DISABLED" };
        all.put(&["availabilityZoneRebalancing"], word.into());
    }
    if let Some(alarms) = &service.deployment.alarms {
        let wire =
            json!({ "alarmNames": alarms.names, "enable": alarms.enable, "rollback": alarms.rollback });
        all.put(&["deploymentConfiguration", "alarms"], wire);
    }
    all
}

fn strategy(service: &Service) -> Members {
    let share = |provider: &CapacityProvider| {
        let CapacityProvider { name, base, weight } = provider;
        json!({ "capacityProvider": name.wire(), "base": base, "weight": weight })
    };
    // ECS refuses a request with both a launch type and a strategy (CreateService, `capacityProviderStrategy`).
    let shares = service.capacity_providers.iter().filter(|_| service.uses_spot()).map(share);
    let shares: Vec<Value> = shares.collect();
    Members::of(if shares.is_empty() { json!({}) } else { json!({ Member::STRATEGY: shares }) })
}

/// ECS refuses a grace period without a load balancer. A service that had one keeps its value.
fn grace(service: &Service, observed: &Observed) -> u32 {
    let found = observed.services.get(&service.key).map_or(0, |state| state.spec.health_check_grace_secs);
    if service.load_balancer { service.deployment.health_check_grace_secs } else { found }
}
