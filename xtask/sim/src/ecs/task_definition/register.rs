//! RegisterTaskDefinition: a new revision on every call, even of an identical definition.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::families::{TaskDefinition, view};
use super::spec::{ContainerSpec, TaskSpec, Volume};
use super::{dependencies, fargate};
use crate::base::{Millis, Tag, tags};
use crate::ecs::errors::client;
use crate::ecs::region::Region;
use crate::identity::caller_arn;
use crate::wire::{Api, ApiError, ApiRequest, Outcome, params};

#[derive(Deserialize)]
struct Tagged {
    #[serde(default)]
    tags: Vec<Tag>,
}

/// The request's members that a definition keeps.
#[rustfmt::skip]
const KEPT: [&str; 15] = [
    "family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions",
    "volumes", "placementConstraints", "requiresCompatibilities", "cpu", "memory",
    "pidMode", "ipcMode", "ephemeralStorage", "runtimePlatform", "enableFaultInjection",
];

pub(in crate::ecs) fn register(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let mut spec: TaskSpec = params(request)?;
    let Tagged { tags } = params(request)?;
    tags::check(Api::Ecs, &tags)?;
    check_family(&spec.family)?;
    check_containers(&spec)?;
    dependencies::check(&mut spec)?;
    spec.volumes.iter().try_for_each(check_volume)?;
    let fargate = spec.requires_compatibilities.iter().any(|what| what == "FARGATE");
    let size = if fargate { check_fargate(&spec, &request.params)? } else { loose_size(&spec)? };

    let given = request.params.as_object().into_iter().flatten();
    let kept = given.filter(|(name, _)| KEPT.contains(&name.as_str()));
    let mut document: Map<String, Value> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    fill_defaults(&mut document);
    // Normalised: "1 vCPU" and "2 GB" are accepted, and numbers are shown (RegisterTaskDefinition).
    if fargate {
        document.insert("cpu".to_owned(), json!(size.0.to_string()));
        document.insert("memory".to_owned(), json!(size.1.to_string()));
    }
    // Also for the same content as before: RegisterTaskDefinition never finds an existing revision.
    let revision = region.ecs.families.next_revision(&spec.family);
    let arn = region.base.arn("ecs", &format!("task-definition/{}:{revision}", spec.family));
    let definition = TaskDefinition {
        arn: arn.clone(),
        revision,
        active: true,
        registered_at: now,
        registered_by: caller_arn(region.base, region.identity, request.access_key.as_deref()),
        deregistered_at: None,
        delete_requested_at: None,
        document,
        spec,
        size,
    };
    let shown = view(&definition);
    region.ecs.families.add(definition);
    region.base.tags.put(&arn, tags.clone());
    Ok(json!({ "taskDefinition": shown, "tags": tags }))
}

/// What DescribeTaskDefinition shows although nobody gave it.
fn fill_defaults(document: &mut Map<String, Value>) {
    let fill = |members: &mut Map<String, Value>, name: &str, value: Value| {
        members.entry(name.to_owned()).or_insert(value);
    };
    fill(document, "volumes", json!([]));
    fill(document, "placementConstraints", json!([]));
    if let Some(Value::Array(volumes)) = document.get_mut("volumes") {
        for volume in volumes.iter_mut().filter_map(Value::as_object_mut) {
            fill(volume, "host", json!({}));
        }
    }
    let Some(Value::Array(containers)) = document.get_mut("containerDefinitions") else { return };
    for container in containers.iter_mut().filter_map(Value::as_object_mut) {
        for name in ["portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"] {
            fill(container, name, json!([]));
        }
        fill(container, "cpu", json!(0));
        fill(container, "essential", json!(true));
        if let Some(Value::Array(mappings)) = container.get_mut("portMappings") {
            for mapping in mappings.iter_mut().filter_map(Value::as_object_mut) {
                if let Some(port) = mapping.get("containerPort").cloned() {
                    // awsvpc: the host port is the container port.
                    fill(mapping, "hostPort", port);
                }
                fill(mapping, "protocol", json!("tcp"));
            }
        }
        if let Some(Value::Object(check)) = container.get_mut("healthCheck") {
            fill(check, "interval", json!(30));
            fill(check, "timeout", json!(5));
            fill(check, "retries", json!(3));
        }
    }
}

fn check_family(family: &str) -> Result<(), ApiError> {
    if family.is_empty() {
        return Err(client("Family can not be blank."));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if family.len() > 255 || !family.chars().all(fits) {
        return Err(client("Family contains invalid characters."));
    }
    Ok(())
}

fn check_containers(spec: &TaskSpec) -> Result<(), ApiError> {
    if spec.container_definitions.is_empty() {
        return Err(client("Container list cannot be empty."));
    }
    let known = |name: &String| spec.volumes.iter().any(|volume| volume.name == *name);
    let mounts = spec.container_definitions.iter().flat_map(|container| &container.mount_points);
    if let Some(unknown) = mounts.map(|mount| &mount.source_volume).find(|name| !known(name)) {
        return Err(client(format!("Unknown volume '{unknown}'.")));
    }
    let mut names = std::collections::BTreeSet::new();
    let mut port_names = std::collections::BTreeSet::new();
    for container in &spec.container_definitions {
        check_container(container)?;
        if !names.insert(&container.name) {
            return Err(client(format!("Container.name '{}' is not unique.", container.name)));
        }
        for name in container.port_mappings.iter().filter_map(|mapping| mapping.name.as_ref()) {
            check_port_name(name)?;
            if !port_names.insert(name) {
                return Err(client(format!("PortMapping name '{name}' is not unique.")));
            }
        }
    }
    if !spec.container_definitions.iter().any(ContainerSpec::is_essential) {
        return Err(client("A task definition must have at least one essential container."));
    }
    Ok(())
}

fn check_container(container: &ContainerSpec) -> Result<(), ApiError> {
    let invalid = |setting: &str, why: &str| {
        client(format!("Invalid '{setting}' setting for container '{}'{why}", container.name))
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if container.name.is_empty() || container.name.len() > 255 || !container.name.chars().all(fits) {
        return Err(client("Container.name contains invalid characters."));
    }
    if container.image.is_empty() {
        return Err(client("Container.image should not be null or empty."));
    }
    for mapping in &container.port_mappings {
        if mapping.port().is_none_or(|port| port == 0) {
            return Err(invalid("containerPort", "."));
        }
    }
    let mut taken: std::collections::BTreeSet<_> =
        container.environment.iter().map(|variable| &variable.name).collect();
    if let Some(twice) = container.secrets.iter().find(|secret| !taken.insert(&secret.name)) {
        return Err(client(format!(
            "The secret name must be unique and not shared with any new or existing environment variables set on the \
             container, such as '{}'.",
            twice.name
        )));
    }
    if let Some(check) = &container.health_check {
        let form = check.command.first().map(String::as_str);
        let fits = matches!(form, Some("CMD" | "CMD-SHELL"))
            && check.command.len() > 1
            && (5..=300).contains(&check.interval)
            && (2..=60).contains(&check.timeout)
            && (1..=10).contains(&check.retries)
            && check.start_period <= 300;
        if !fits {
            return Err(invalid("healthCheck", "."));
        }
    }
    for (name, timeout) in
        [("startTimeout", container.start_timeout), ("stopTimeout", container.stop_timeout)]
    {
        if timeout.is_some_and(|timeout| !(2..=120).contains(&timeout)) {
            return Err(invalid(name, "."));
        }
    }
    if container.environment_files.iter().any(|file| file.kind != "s3" || !file.value.ends_with(".env")) {
        let why = ": a file is the ARN of an object in Amazon S3 whose name ends in '.env'.";
        return Err(invalid("environmentFiles", why));
    }
    for mapping in &container.port_mappings {
        let known = matches!(mapping.app_protocol.as_deref(), None | Some("http" | "http2" | "grpc"));
        if !known || (mapping.app_protocol.is_some() && mapping.name.is_none()) {
            let why = ": it is one of http, http2, grpc, of a port mapping that has a name.";
            return Err(invalid("appProtocol", why));
        }
    }
    Ok(())
}

fn check_volume(volume: &Volume) -> Result<(), ApiError> {
    let Some(efs) = &volume.efs_volume_configuration else { return Ok(()) };
    let authorization = efs.authorization_config.as_ref();
    let point = authorization.is_some_and(|given| given.access_point_id.is_some());
    let encrypted = efs.transit_encryption.as_deref() == Some("ENABLED");
    if !efs.file_system_id.starts_with("fs-") {
        return Err(client(format!("Invalid 'fileSystemId' setting for volume '{}'.", volume.name)));
    }
    if point && efs.root_directory.as_deref().is_some_and(|root| root != "/") {
        return Err(client(
            "When an access point is specified, the root directory must be omitted or set to '/'.",
        ));
    }
    if !encrypted && (point || authorization.is_some_and(|given| given.iam.as_deref() == Some("ENABLED"))) {
        return Err(client(
            "Transit encryption must be enabled if EFS IAM authorization or an access point is used.",
        ));
    }
    Ok(())
}

/// Lowercase letters, digits, `_` and `-`, at most 64, not beginning with `-` (Service Connect).
fn check_port_name(name: &str) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || name.starts_with('-') || !name.chars().all(fits) {
        return Err(client(format!("PortMapping name '{name}' contains invalid characters.")));
    }
    Ok(())
}

fn check_fargate(spec: &TaskSpec, given: &Value) -> Result<(u32, u32), ApiError> {
    // The apostrophes are typographic in AWS's own text.
    if spec.network_mode.as_deref() != Some("awsvpc") {
        return Err(client("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    fargate::supports(given)?;
    let size = fargate::size(spec.cpu.as_deref(), spec.memory.as_deref())?;
    for container in &spec.container_definitions {
        let needs_role = |why: &str| {
            client(format!("Fargate requires task definition to have execution role ARN to support {why}."))
        };
        if spec.execution_role_arn.is_none() {
            if container.image.contains(".dkr.ecr.") {
                return Err(needs_role("ECR images"));
            }
            if container.log_configuration.as_ref().is_some_and(|log| log.log_driver == "awslogs") {
                return Err(needs_role("log driver awslogs"));
            }
            if !container.secrets.is_empty() {
                return Err(needs_role("secrets"));
            }
        }
        let differs = |host: i64, port: Option<i64>| host != 0 && Some(host) != port;
        if container
            .port_mappings
            .iter()
            .any(|m| m.host_port.is_some_and(|host| differs(host, m.container_port)))
        {
            return Err(client(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
            ));
        }
        if let Some(log) = &container.log_configuration {
            check_log(&container.name, &log.log_driver, &log.options)?;
        }
    }
    if spec.ephemeral_storage.as_ref().is_some_and(|storage| !(21..=200).contains(&storage.size_in_gib)) {
        return Err(client("Ephemeral storage size must be between 21 and 200 GiB."));
    }
    Ok(size)
}

fn check_log(
    container: &str,
    driver: &str,
    options: &std::collections::BTreeMap<String, String>,
) -> Result<(), ApiError> {
    if !["awslogs", "splunk", "awsfirelens"].contains(&driver) {
        return Err(client(format!("Fargate does not support log driver {driver}.")));
    }
    let required = ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"];
    if driver == "awslogs" {
        for option in required {
            if !options.contains_key(option) {
                return Err(client(format!(
                    "Log driver awslogs requires option '{option}' for container '{container}'."
                )));
            }
        }
    }
    Ok(())
}

/// Outside Fargate the size may be left to the containers.
fn loose_size(spec: &TaskSpec) -> Result<(u32, u32), ApiError> {
    let read = |text: &Option<String>, unit: &str, what: &str| match text {
        None => Ok(0),
        Some(text) => {
            fargate::amount(text, unit).ok_or_else(|| client(format!("Invalid '{what}' setting for task.")))
        }
    };
    Ok((read(&spec.cpu, "vcpu", "cpu")?, read(&spec.memory, "gb", "memory")?))
}
