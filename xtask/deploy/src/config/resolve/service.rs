//! One service's settings → [`Service`].

use std::collections::BTreeMap;

use super::Needs;
use super::build::build;
use super::patience::patience;
use crate::config::connect::{alias_dns, alias_port, discovery_name, port_name};
use crate::config::diagnostic::Diagnostic;
use crate::config::raw;
use crate::config::routing::taken;
use crate::config::rules::Scope;
use crate::config::setting::Setting;
use crate::model::{
    CircuitBreaker, Connect, Container, ContainerHealthCheck, Deployment, EarlySuccess, HealthCheck,
    LogGroup, Lookup, Metric, Policy, Repository, Route, Scaling, Service, ServiceKey, SmokeCheck,
    TargetGroup,
};

/// The variable by which the application learns where to listen.
const PORT_VARIABLE: &str = "PORT";

/// How many revisions of a service are kept where the file says nothing.
const KEEP_REVISIONS: u32 = 20;

pub(super) fn service(
    scope: &Scope<'_>,
    key: &Setting<String>,
    setting: &Setting<raw::Service>,
    found: &mut Vec<Diagnostic>,
) -> Service {
    let raw = &setting.value;
    let mut needs = Needs::default();
    let resolved = Service {
        key: ServiceKey(key.value.clone()),
        name: needs.take("name", &raw.name),
        family: needs.take("family", &raw.family),
        build: build(&raw.build.value, &mut needs),
        repository: repository(&raw.repository.value, &mut needs),
        container: container(raw, &mut needs),
        keep_revisions: keep_revisions(raw),
        cpu: raw.cpu.value,
        memory_mib: raw.memory_mib.value,
        architecture: raw.architecture.value,
        execution_role: needs.lookup("execution-role", &raw.execution_role),
        task_role: raw.task_role.as_ref().map(|role| Lookup::parse(&role.value)),
        log_group: log_group(&raw.log_group.value, &mut needs),
        security_groups: needs.lookups("security-groups", &raw.security_groups),
        desired_count: raw.desired_count.value,
        enable_execute_command: raw.enable_execute_command.value,
        connect: connect(scope, raw),
        target_group: target_group(&raw.target_group.value, &mut needs),
        routes: routes(scope, key, raw, found),
        deployment: deployment(scope, raw),
        scaling: raw.scaling.as_ref().map(|scaling| self::scaling(&scaling.value, &mut needs)),
        depends_on: raw.depends_on.iter().map(|wait| ServiceKey(wait.value.clone())).collect(),
        smoke: smoke(scope, key, raw, found),
    };
    needs.report(&format!("service `{}`", key.value), setting, "here or in `[every-service]`", found);
    resolved
}

fn repository(repository: &raw::Repository, needs: &mut Needs) -> Repository {
    Repository {
        name: needs.take("repository.name", &repository.name),
        immutable_tags: repository.immutable_tags.value,
        keep_images: repository.keep_images.value,
    }
}

/// Images expire by their number too: a revision is worth keeping no longer than its image.
fn keep_revisions(service: &raw::Service) -> u32 {
    let images = service.repository.value.keep_images.value;
    service.keep_revisions.as_ref().map_or(KEEP_REVISIONS.min(images), |keep| keep.value)
}

fn log_group(group: &raw::LogGroup, needs: &mut Needs) -> LogGroup {
    LogGroup { name: needs.take("log-group.name", &group.name), retention_days: group.retention_days.value }
}

fn container(service: &raw::Service, needs: &mut Needs) -> Container {
    let container = &service.container.value;
    let plain =
        |(name, value): (&Setting<String>, &Setting<String>)| (name.value.clone(), value.value.clone());
    let port = needs.take("container.port", &container.port);
    let mut environment: BTreeMap<_, _> = container.environment.iter().map(plain).collect();
    environment.entry(PORT_VARIABLE.to_owned()).or_insert_with(|| port.to_string());
    Container {
        name: needs.take("container.name", &container.name),
        port,
        port_name: port_name(service).unwrap_or_default().to_owned(),
        environment,
        secrets: container.secrets.iter().map(plain).collect(),
        health_check: container.health_check.as_ref().map(|health| container_health(&health.value, needs)),
        stop_timeout_secs: container.stop_timeout_secs.value,
        readonly_root: container.readonly_root.value,
        tmp: container.tmp.value,
    }
}

fn container_health(health: &raw::ContainerHealthCheck, needs: &mut Needs) -> ContainerHealthCheck {
    let command = needs.take("container.health-check.command", &health.command);
    ContainerHealthCheck {
        command: command.into_iter().map(|word| word.value).collect(),
        interval_secs: health.interval_secs.value,
        timeout_secs: health.timeout_secs.value,
        retries: health.retries.value,
        start_period_secs: health.start_period_secs.value,
    }
}

fn connect(scope: &Scope<'_>, service: &raw::Service) -> Option<Connect> {
    service.connect.as_ref()?;
    // What these are derived from is a required key: where it is missing, that is reported.
    Some(Connect {
        discovery_name: discovery_name(service).unwrap_or_default().to_owned(),
        alias_port: alias_port(service).unwrap_or_default(),
        alias_dns: alias_dns(scope.settings, service).unwrap_or_default(),
    })
}

fn target_group(group: &raw::TargetGroup, needs: &mut Needs) -> TargetGroup {
    let health = &group.health.value;
    TargetGroup {
        name: needs.take("target-group.name", &group.name),
        health: HealthCheck {
            path: needs.take("target-group.health.path", &health.path),
            matcher: health.matcher.value.clone(),
            interval_secs: health.interval_secs.value,
            timeout_secs: health.timeout_secs.value,
            healthy_threshold: health.healthy_threshold.value,
            unhealthy_threshold: health.unhealthy_threshold.value,
        },
        deregistration_delay_secs: group.deregistration_delay_secs.value,
    }
}

/// Its routes and its health route, in the order in which the listener tries them.
fn routes(
    scope: &Scope<'_>,
    key: &Setting<String>,
    service: &raw::Service,
    found: &mut Vec<Diagnostic>,
) -> Vec<Route> {
    for route in &service.routes {
        let mut needs = Needs::default();
        needs.take("path", &route.value.path);
        needs.take("priority", &route.value.priority);
        needs.report("a route", route, "here", found);
    }
    let own = scope.listener.iter().filter(|rule| rule.service == key.value);
    own.map(|rule| Route { path: rule.pattern.clone(), priority: rule.priority }).collect()
}

fn deployment(scope: &Scope<'_>, service: &raw::Service) -> Deployment {
    let deployment = &service.deployment.value;
    let breaker = &deployment.circuit_breaker.value;
    Deployment {
        minimum_healthy_percent: deployment.minimum_healthy_percent.value,
        maximum_percent: deployment.maximum_percent.value,
        circuit_breaker: CircuitBreaker {
            enable: breaker.enable.value,
            rollback: breaker.rollback.value,
            threshold: breaker.threshold.value,
            reset_on_healthy_task: breaker.reset_on_healthy_task.value,
        },
        health_check_grace_secs: deployment.health_check_grace_secs.value,
        early_success: deployment.early_success.as_ref().map(|early| EarlySuccess {
            healthy_percent: early.value.healthy_percent.value,
            cleanup: early.value.cleanup.value,
        }),
        patience: patience(scope, service),
        bake_secs: deployment.bake_secs.value,
        on_plain_cause: deployment.on_plain_cause.value,
    }
}

fn scaling(scaling: &raw::Scaling, needs: &mut Needs) -> Scaling {
    let policy = |(name, policy): (&Setting<String>, &Setting<raw::Policy>)| {
        let policy = &policy.value;
        let missing = |key: &str| format!("scaling.policy.{}.{key}", name.value);
        let metric = policy.metric.as_ref().map(|metric| metric.value);
        if metric.is_none() {
            needs.missing.push(missing("metric"));
        }
        Policy {
            name: name.value.clone(),
            metric: metric.or(Some(Metric::Cpu)),
            custom_metric: None,
            target: needs.take(&missing("target"), &policy.target),
            scale_out_cooldown_secs: policy.scale_out_cooldown_secs.value,
            scale_in_cooldown_secs: policy.scale_in_cooldown_secs.value,
            disable_scale_in: false,
        }
    };
    let policies = scaling.policy.iter().map(policy).collect();
    Scaling {
        min: needs.take("scaling.min", &scaling.min),
        max: needs.take("scaling.max", &scaling.max),
        policies,
        schedules: Vec::new(),
    }
}

/// The smoke checks; where none is written, one of the health path if the listener leads it to this service.
fn smoke(
    scope: &Scope<'_>,
    key: &Setting<String>,
    service: &raw::Service,
    found: &mut Vec<Diagnostic>,
) -> Vec<SmokeCheck> {
    if let Some(checks) = &service.smoke {
        let check = |check: &Setting<raw::SmokeCheck>| {
            let mut needs = Needs::default();
            let path = needs.take("path", &check.value.path);
            needs.report("a smoke check", check, "here", found);
            let identity = check.value.identity.as_ref().map(|identity| identity.value.clone());
            SmokeCheck { path, status: check.value.status.value, identity }
        };
        return checks.iter().map(check).collect();
    }
    let health = service.target_group.value.health.value.path.as_ref();
    let reached = health
        .filter(|path| taken(&scope.listener, &path.value).is_some_and(|rule| rule.service == key.value));
    let derived = |path: &Setting<String>| SmokeCheck {
        path: path.value.clone(),
        status: 200,
        identity: Some(key.value.clone()),
    };
    reached.map(derived).into_iter().collect()
}
