//! What AWS shows as keys of deploy.toml: the inverse of what is wanted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::spec::{Member, PolicySpec, TargetGroupSpec};

/// Where an endpoint of Service Connect is among the members of a service.
pub(super) const ENDPOINT: &str = "serviceConnectConfiguration.services.@.";

/// Keys of `[service.NAME]` for members of the task definition and of the service; `@` is the service's own container, or
/// its endpoint of Service Connect.
const KEYS: &[(&str, &str)] = &[
    ("cpu", "cpu"),
    ("memory", "memory-mib"),
    ("ephemeralStorage.sizeInGiB", "ephemeral-storage-gib"),
    ("executionRoleArn", "execution-role"),
    ("taskRoleArn", "task-role"),
    ("runtimePlatform.cpuArchitecture", "architecture"),
    ("@.command", "container.command"),
    ("@.entryPoint", "container.entry-point"),
    ("@.user", "container.user"),
    ("@.workingDirectory", "container.working-directory"),
    ("@.environmentFiles", "container.environment-files"),
    ("@.stopTimeout", "container.stop-timeout-secs"),
    ("@.readonlyRootFilesystem", "container.readonly-root"),
    ("@.healthCheck.command", "container.health-check.command"),
    ("@.healthCheck.interval", "container.health-check.interval-secs"),
    ("@.healthCheck.timeout", "container.health-check.timeout-secs"),
    ("@.healthCheck.retries", "container.health-check.retries"),
    ("@.healthCheck.startPeriod", "container.health-check.start-period-secs"),
    ("@.logConfiguration.options.awslogs-group", "log-group.name"),
    ("@.logConfiguration.options.awslogs-stream-prefix", "log-group.stream-prefix"),
    ("@.port.name", "container.port-name"),
    ("@.port.appProtocol", "container.app-protocol"),
    ("networkConfiguration.awsvpcConfiguration.subnets", "network.subnets"),
    ("networkConfiguration.awsvpcConfiguration.securityGroups", "security-groups"),
    ("networkConfiguration.awsvpcConfiguration.assignPublicIp", "network.assign-public-ip"),
    ("deploymentConfiguration.minimumHealthyPercent", "deployment.minimum-healthy-percent"),
    ("deploymentConfiguration.maximumPercent", "deployment.maximum-percent"),
    ("deploymentConfiguration.deploymentCircuitBreaker.enable", "deployment.circuit-breaker.enable"),
    ("deploymentConfiguration.deploymentCircuitBreaker.rollback", "deployment.circuit-breaker.rollback"),
    (
        "deploymentConfiguration.deploymentCircuitBreaker.resetOnHealthyTask",
        "deployment.circuit-breaker.reset-on-healthy-task",
    ),
    (
        "deploymentConfiguration.earlySuccessCriteria.healthyPercent",
        "deployment.early-success.healthy-percent",
    ),
    (
        "deploymentConfiguration.earlySuccessCriteria.sourceServiceRevisionCleanup",
        "deployment.early-success.cleanup",
    ),
    ("healthCheckGracePeriodSeconds", "deployment.health-check-grace-secs"),
    ("enableExecuteCommand", "enable-execute-command"),
    ("capacityProviderStrategy", "capacity-providers"),
    ("availabilityZoneRebalancing", "availability-zone-rebalancing"),
    ("deploymentConfiguration.alarms.alarmNames", "deployment.alarms.names"),
    ("deploymentConfiguration.alarms.enable", "deployment.alarms.enable"),
    ("deploymentConfiguration.alarms.rollback", "deployment.alarms.rollback"),
    ("serviceConnectConfiguration.services.@.portName", "container.port-name"),
    ("serviceConnectConfiguration.services.@.discoveryName", "connect.discovery-name"),
    ("serviceConnectConfiguration.services.@.clientAliases", "connect.alias"),
    (
        "serviceConnectConfiguration.services.@.timeout.perRequestTimeoutSeconds",
        "connect.request-timeout-secs",
    ),
    ("serviceConnectConfiguration.services.@.timeout.idleTimeoutSeconds", "connect.idle-timeout-secs"),
    (
        "serviceConnectConfiguration.services.@.tls.issuerCertificateAuthority.awsPcaAuthorityArn",
        "connect.tls.issuer",
    ),
    ("serviceConnectConfiguration.services.@.tls.kmsKey", "connect.tls.kms-key"),
    ("serviceConnectConfiguration.services.@.tls.roleArn", "connect.tls.role"),
];

pub(super) fn key_of(member: &str) -> Option<&'static str> {
    KEYS.iter().find(|(name, _)| *name == member).map(|(_, key)| *key)
}

/// A member's value as its key has it.
pub(super) fn typed(key: &str, value: Value) -> Value {
    match (key, value) {
        // Sizes are texts on the wire and numbers in deploy.toml.
        ("cpu" | "memory-mib", Value::String(text)) => text.parse::<u32>().map_or(json!(text), Value::from),
        ("network.assign-public-ip" | "availability-zone-rebalancing", value) => json!(value == "ENABLED"),
        ("capacity-providers", Value::Object(shares)) => shares
            .iter()
            .map(|(name, share)| json!({ "name": name, "base": share["base"], "weight": share["weight"] }))
            .collect(),
        ("deployment.early-success.cleanup", Value::String(text)) => json!(text.to_ascii_lowercase()),
        ("connect.alias", value) => json!({ "port": value[0]["port"], "dns": value[0]["dnsName"] }),
        ("container.environment-files", Value::Array(files)) => {
            files.iter().map(|file| file["value"].clone()).collect()
        }
        (_, value) => value,
    }
}

/// A target group's settings as keys of `target-group`.
pub(super) fn group_keys(group: &TargetGroupSpec) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    let health = serde_json::to_value(&group.health).unwrap_or_default();
    for (field, value) in health.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        keys.insert(format!("health.{}", field.replace('_', "-")), value.clone());
    }
    keys.insert("protocol-version".to_owned(), json!(group.protocol_version));
    let attribute = |name: &str| group.attributes.get(name);
    let secs = |name: &str| attribute(name).and_then(|value| value.parse::<u32>().ok());
    if let Some(secs) = secs(TargetGroupSpec::DEREGISTRATION_DELAY) {
        keys.insert("deregistration-delay-secs".to_owned(), json!(secs));
    }
    if let Some(secs) = secs("slow_start.duration_seconds").filter(|secs| *secs > 0) {
        keys.insert("slow-start-secs".to_owned(), json!(secs));
    }
    let sticky = attribute("stickiness.enabled").is_some_and(|on| on == "true");
    if sticky && attribute("stickiness.type").is_some_and(|kind| kind == "lb_cookie") {
        keys.insert(
            "stickiness-secs".to_owned(),
            json!(secs("stickiness.lb_cookie.duration_seconds").unwrap_or(86_400)),
        );
    }
    keys
}

/// Attributes of a target group that no key says and that are not as AWS has them by
/// default (ELBv2 API reference, TargetGroupAttribute).
pub(super) fn uncommon_attributes(group: &TargetGroupSpec) -> impl Iterator<Item = (&String, &String)> {
    const COMMON: [(&str, &str); 14] = [
        ("stickiness.enabled", "false"),
        ("stickiness.type", "lb_cookie"),
        ("stickiness.lb_cookie.duration_seconds", "86400"),
        ("stickiness.app_cookie.duration_seconds", "86400"),
        ("stickiness.app_cookie.cookie_name", ""),
        ("load_balancing.algorithm.type", "round_robin"),
        ("load_balancing.algorithm.anomaly_mitigation", "off"),
        ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
        ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
        ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"),
        ("slow_start.duration_seconds", "0"),
        ("waf.fail_open.enabled", "false"),
    ];
    let keys = group_keys(group);
    let said = move |name: &str| match name {
        TargetGroupSpec::DEREGISTRATION_DELAY => true,
        "slow_start.duration_seconds" => keys.contains_key("slow-start-secs"),
        _ => name.starts_with("stickiness.") && keys.contains_key("stickiness-secs"),
    };
    let common = |name: &str, value: &str| COMMON.contains(&(name, value));
    group.attributes.iter().filter(move |(name, value)| !said(name) && !common(name, value))
}

/// A policy's settings as keys of its table; `None` for one that no keys say.
pub(crate) fn policy_keys(policy: &PolicySpec) -> Option<BTreeMap<String, Value>> {
    let mut keys = BTreeMap::new();
    for (member, value) in policy.configuration.as_object().filter(|_| policy.kind == PolicySpec::TRACKING)? {
        let key = match member.as_str() {
            "TargetValue" => "target",
            "ScaleOutCooldown" => "scale-out-cooldown-secs",
            "ScaleInCooldown" => "scale-in-cooldown-secs",
            "DisableScaleIn" => "disable-scale-in",
            "PredefinedMetricSpecification" => {
                keys.insert("metric".to_owned(), value["PredefinedMetricType"].clone());
                continue;
            }
            "CustomizedMetricSpecification" => {
                keys.insert("custom-metric".to_owned(), custom_metric(value)?);
                continue;
            }
            _ => return None,
        };
        keys.insert(key.to_owned(), value.clone());
    }
    Some(keys)
}

/// `None` for metric math, and for a metric with a unit.
fn custom_metric(metric: &Value) -> Option<Value> {
    let known = ["Namespace", "MetricName", "Dimensions", "Statistic"];
    let members = metric.as_object().filter(|all| all.keys().all(|name| known.contains(&name.as_str())))?;
    let dimensions = members.get("Dimensions").and_then(Value::as_array).into_iter().flatten();
    let dimensions: Map<_, _> =
        dimensions.filter_map(|it| Some((it["Name"].as_str()?.to_owned(), it["Value"].clone()))).collect();
    let (namespace, name) = (members.get("Namespace")?, members.get("MetricName")?);
    let statistic = members.get("Statistic")?;
    Some(json!({ "namespace": namespace, "name": name, "dimensions": dimensions, "statistic": statistic }))
}

/// How a service is where nobody chose anything (ECS and ELBv2 API references).
pub(super) fn chosen_by_nobody() -> Value {
    json!({
        "platformVersion": "LATEST",
        "networkConfiguration": { "awsvpcConfiguration": { "assignPublicIp": "DISABLED" } },
        "deploymentConfiguration": {
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {
                "enable": false,
                "rollback": false,
                "resetOnHealthyTask": true,
                "thresholdConfiguration": { "type": "BOUNDED_PERCENT", "value": 50 },
            },
        },
        "healthCheckGracePeriodSeconds": 0,
        "enableExecuteCommand": false,
        "propagateTags": "NONE",
        "availabilityZoneRebalancing": "ENABLED",
        "enableECSManagedTags": false,
        "target-group": {
            "deregistration-delay-secs": 300,
            "health": {
                "path": "/",
                "matcher": "200",
                "interval-secs": 30,
                "timeout-secs": 5,
                "healthy-threshold": 5,
                "unhealthy-threshold": 2,
            },
        },
    })
}

/// What is compared as a whole: its parts mean nothing alone.
const WHOLES: [&str; 3] = ["thresholdConfiguration", "clientAliases", Member::STRATEGY];
/// What deploy.toml has keys for is said key by key.
const BY_KEY: &[&str] = &[
    "alarms",
    "ephemeralStorage",
    "healthCheck",
    "dependsOn",
    "environment",
    "secrets",
    "port",
    "earlySuccessCriteria",
    "serviceConnectConfiguration",
    "services",
    "@",
    "timeout",
    "tls",
    "issuerCertificateAuthority",
];

/// The members that one has and the other has not, or otherwise: each entry of a list by itself.
pub(super) fn differing(
    path: &mut Vec<String>,
    found: &Value,
    wanted: &Value,
    all: &mut Vec<(Vec<String>, Value)>,
) {
    let Value::Object(members) = found else { return };
    for (name, value) in members {
        path.push(name.clone());
        let part = |list: &[&str]| list.contains(&name.as_str());
        match (value, wanted.get(name)) {
            (_, Some(other)) if other == value => {}
            (Value::Object(_), Some(other @ Value::Object(_))) if !part(&WHOLES) => {
                differing(path, value, other, all);
            }
            (Value::Object(_), None | Some(Value::Null)) if part(BY_KEY) => {
                differing(path, value, &json!({}), all);
            }
            (Value::Null, None) => {}
            (value, _) => all.push((path.clone(), value.clone())),
        }
        path.pop();
    }
}
