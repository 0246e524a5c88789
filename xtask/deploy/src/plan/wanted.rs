//! The wanted side in normal form.

mod scaling;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(super) use scaling::{policies, scalable_target, schedules};

use super::services::live;
use crate::model::spec::{
    COMMIT_VARIABLE, ConnectServiceSpec, ConnectSpec, EarlySuccessSpec, HealthCheckSpec, ListenerSpec,
    LoadBalancerBinding, LogGroupSpec, Member, Members, RepositorySpec, RuleAction, RuleSpec, ServiceSpec,
    TargetGroupSpec, TaskDefinitionSpec, ThresholdSpec, image_reference,
};
use crate::model::{
    Architecture, CapacityProvider, Connect, Desired, Environment, Listener, Lookup, Observed, Protocol,
    Service,
};

/// The id that a reference resolved to. Observation refuses an account in which one is missing, so the
/// reference itself only stands in where nothing was looked up.
fn id(observed: &Observed, reference: &Lookup) -> String {
    observed.ids.get(reference.text()).cloned().unwrap_or_else(|| reference.text().to_owned())
}

pub(super) fn ids(observed: &Observed, references: &[Lookup]) -> Vec<String> {
    let mut list: Vec<_> = references.iter().map(|reference| id(observed, reference)).collect();
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
    list.sort_by_key(|rule| rule.priority);
    list
}

/// The revision that `service` should run.
#[must_use]
pub fn task_definition_spec(desired: &Desired, service: &Service, observed: &Observed) -> TaskDefinitionSpec {
    let container = &service.container;
    let mut environment = container.environment.clone();
    let commit = desired.release.commit.as_deref().unwrap_or("unknown");
    let dirty = if desired.release.dirty { "-dirty" } else { "" };
    environment.entry(COMMIT_VARIABLE.to_owned()).or_insert_with(|| format!("{commit}{dirty}"));
    let repository = &service.repository.name;
    let pushed_to = observed.repositories.get(repository).map_or(repository, |repository| &repository.uri);
    let uri = service.image_name().map_or_else(|| pushed_to.clone(), |name| name.written);
    let image = desired.release.images.get(&service.key);
    let mounts = mounts(service);
    let own = json!({
        "name": container.name,
        "image": image.map_or_else(|| uri.clone(), |digest| image_reference(&uri, digest)),
        "portMappings": (container.port != 0).then(|| json!([{
            "containerPort": container.port,
            "name": port_name(desired, service, observed),
            "appProtocol": app_protocol(service, observed),
        }])),
        "command": container.command,
        "entryPoint": container.entry_point,
        "user": container.user,
        "workingDirectory": container.working_directory,
        "environment": pairs("value", &environment),
        "secrets": pairs("valueFrom", &container.secrets),
        "healthCheck": container.health_check.as_ref().map(|check| json!({
            "command": check.command,
            "interval": check.interval_secs,
            "timeout": check.timeout_secs,
            "retries": check.retries,
            "startPeriod": check.start_period_secs,
        })),
        "logConfiguration": service.logs().map(|group| json!({
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": group.name,
                "awslogs-region": desired.environment.region,
                "awslogs-stream-prefix": group.stream_prefix,
            },
        })),
        "stopTimeout": container.stop_timeout_secs,
        "readonlyRootFilesystem": container.readonly_root,
        "mountPoints": pairs_by("containerPath", "sourceVolume", &mounts),
        // Reaps what commands leave behind: the application is not made for being process 1 of others.
        "linuxParameters": { "initProcessEnabled": service.enable_execute_command },
    });
    let mut definition = Members::of(json!({
        "family": service.family,
        "cpu": service.cpu.to_string(),
        "memory": service.memory_mib.to_string(),
        "ephemeralStorage": { "sizeInGiB": service.ephemeral_storage_gib },
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {
            "cpuArchitecture": match service.architecture {
                Architecture::X86_64 => "X86_64",
                Architecture::Arm64 => "ARM64",
            },
        },
        "executionRoleArn": service.execution_role().map(|role| id(observed, role)),
        "taskRoleArn": service.task_role.as_ref().map(|role| id(observed, role)),
        "volumes": mounts.values().map(|volume| json!({ "name": volume })).collect::<Vec<_>>(),
        "containerDefinitions": [own],
    }));
    definition.lay(&service.aws.task_definition);
    let path = ["containerDefinitions", &container.name];
    // Another log driver takes none of the options of awslogs.
    if service.aws.container.get(&["logConfiguration", "logDriver"]).is_some_and(|driver| driver != "awslogs")
    {
        definition.take(&["containerDefinitions", &container.name, "logConfiguration"]);
    }
    definition.put(&path, (&service.aws.container).into());
    TaskDefinitionSpec::of(definition)
}

/// Only Service Connect needs a name. A port that runs without one keeps none: a name alone is not worth a roll.
fn port_name(desired: &Desired, service: &Service, observed: &Observed) -> Option<String> {
    let container = &service.container;
    let written = format!("service.{}.container.port-name", service.key);
    let named = || {
        let running = live(observed, service)?;
        let path = ["containerDefinitions", &container.name, "portMappings", &container.port.to_string()];
        let mapping = running.task_definition.spec.members().get(&path)?;
        Some(mapping.get("name").is_some())
    };
    let needed = service.endpoint().is_some() || desired.environment.written.contains(&written);
    (needed || named() != Some(false)).then(|| container.port_name.clone())
}

fn pairs(value: &str, pairs: &BTreeMap<String, String>) -> Vec<Value> {
    pairs_by("name", value, pairs)
}

/// A list of pairs as ECS has it.
fn pairs_by(key: &str, value: &str, pairs: &BTreeMap<String, String>) -> Vec<Value> {
    pairs.iter().map(|(name, of)| json!({ key: name, value: of })).collect()
}

/// What ECS Exec's agent writes to. With a read-only root and without these it stops soon after the task's start, for good
/// (aws/containers-roadmap#1359).
pub(super) const EXEC_PATHS: [&str; 3] = ["/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"];

/// The writable paths of a read-only root, each a volume of its own.
fn mounts(service: &Service) -> BTreeMap<String, String> {
    let exec = EXEC_PATHS.iter().filter(|_| service.enable_execute_command);
    let paths = exec.chain(service.container.tmp.then_some(&"/tmp"));
    let paths = paths.filter(|_| service.container.readonly_root);
    paths.map(|path| ((*path).to_owned(), path[1..].replace('/', "-"))).collect()
}

/// `http` gives Service Connect its per-request retries and metrics. In a service of Service Connect it cannot change
/// (UpdateService refuses), so what runs keeps what it has.
fn app_protocol(service: &Service, observed: &Observed) -> Option<String> {
    let given = service.container.app_protocol.map(|protocol| protocol.wire().map(str::to_owned));
    let derived = || service.endpoint().map(|_| "http".to_owned());
    given.or_else(|| spoken(service, observed)).unwrap_or_else(derived)
}

/// What a service of Service Connect speaks that runs; no protocol is TCP.
pub(super) fn spoken(service: &Service, observed: &Observed) -> Option<Option<String>> {
    let running = live(observed, service).filter(|state| state.spec.connect.is_some())?;
    let mut ports = running.task_definition.spec.ports();
    let port = ports.find(|port| port["name"] == service.container.port_name.as_str())?;
    Some(port["appProtocol"].as_str().map(str::to_owned))
}

/// What the file says of an endpoint beside its names.
fn endpoint(connect: &Connect) -> Members {
    let tls = connect.tls.as_ref().map(|tls| {
        json!({
            "issuerCertificateAuthority": { "awsPcaAuthorityArn": tls.issuer },
            "kmsKey": tls.kms_key,
            "roleArn": tls.role,
        })
    });
    let timeout = json!({
        "perRequestTimeoutSeconds": connect.request_timeout_secs,
        "idleTimeoutSeconds": connect.idle_timeout_secs,
    });
    Members::of(json!({ "timeout": timeout, "tls": tls })).without_defaults()
}

/// The settings that `service` should have.
#[must_use]
pub fn service_spec(environment: &Environment, service: &Service, observed: &Observed) -> ServiceSpec {
    let endpoint = service.endpoint().map(|connect| ConnectServiceSpec {
        name: service.container.port_name.clone(),
        discovery_name: connect.discovery_name.clone(),
        alias_port: connect.alias.port,
        alias_dns: connect.alias.dns.clone(),
        extra: Members::default(),
    });
    let group = service.group().map(|group| LoadBalancerBinding {
        target_group: group.name.clone(),
        container: service.container.name.clone(),
        port: service.container.port,
        extra: Members::default(),
    });
    // What the file says in AWS's words, and a field covers all the same.
    let mut over = service.aws.service.clone();
    let threshold =
        over.take(&["deploymentConfiguration", "deploymentCircuitBreaker", "thresholdConfiguration"]);
    let text = |value: Option<Value>, default: &str| {
        value.as_ref().and_then(Value::as_str).unwrap_or(default).to_owned()
    };
    let spec = ServiceSpec {
        name: service.name.clone(),
        cluster: environment.cluster.clone(),
        launch_type: "FARGATE".to_owned(),
        platform_version: text(over.take(&["platformVersion"]), "LATEST"),
        subnets: ids(observed, environment.subnets(service)),
        security_groups: ids(observed, &service.security_groups),
        assign_public_ip: service.network.assign_public_ip.unwrap_or(environment.network.assign_public_ip),
        load_balancers: group.into_iter().collect(),
        connect: service.connects().then(|| ConnectSpec {
            namespace: environment.namespace.clone(),
            services: endpoint.into_iter().collect(),
            extra: Members::default(),
        }),
        minimum_healthy_percent: service.deployment.minimum_healthy_percent,
        maximum_percent: service.deployment.maximum_percent,
        circuit_breaker: service.deployment.circuit_breaker.enable,
        circuit_breaker_rollback: service.deployment.circuit_breaker.rollback,
        circuit_breaker_threshold: threshold.and_then(|it| serde_json::from_value(it).ok()).unwrap_or(
            ThresholdSpec { kind: "COUNT".to_owned(), value: service.deployment.circuit_breaker.threshold },
        ),
        circuit_breaker_reset: service.deployment.circuit_breaker.reset_on_healthy_task,
        early_success: service.deployment.early_success.map(|early| EarlySuccessSpec {
            healthy_percent: early.healthy_percent,
            cleanup: early.cleanup.wire().to_owned(),
        }),
        health_check_grace_secs: grace(service, observed),
        enable_execute_command: service.enable_execute_command,
        propagate_tags: text(over.take(&["propagateTags"]), "TASK_DEFINITION"),
        managed_tags: over.take(&["enableECSManagedTags"]) != Some(Value::Bool(false)),
        extra: Members::default(),
    };
    let mut spec = match live(observed, service) {
        Some(running) => spec.with_extra_of(&running.spec),
        None => spec,
    };
    spec.extra = spec.extra.laid(&over).laid(&chosen(service));
    spec.extra.take(&[Member::STRATEGY]);
    spec.extra.lay(&strategy(service));
    if let Some(connect) = &mut spec.connect {
        let mut over = service.aws.connect.clone();
        let services = Members::of(over.take(&["services"]).unwrap_or_default());
        connect.extra = connect.extra.laid(&over);
        for endpoint in &mut connect.services {
            let over = services.get(&[&endpoint.name]).cloned().unwrap_or_default();
            let typed = service.connect.as_ref().map(self::endpoint).unwrap_or_default();
            endpoint.extra = endpoint.extra.laid(&Members::of(over)).laid(&typed);
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
    let shares = service.capacity_providers.iter().filter(|_| service.uses_spot()).map(share);
    let shares: Vec<Value> = shares.collect();
    Members::of(if shares.is_empty() { json!({}) } else { json!({ Member::STRATEGY: shares }) })
}

/// Without a load balancer there is nothing to forgive, and ECS refuses the member: what a service keeps from the time
/// when it had one is left.
fn grace(service: &Service, observed: &Observed) -> u32 {
    let found = observed.services.get(&service.key).map_or(0, |state| state.spec.health_check_grace_secs);
    if service.load_balancer { service.deployment.health_check_grace_secs } else { found }
}
