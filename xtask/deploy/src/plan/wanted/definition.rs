//! The task definition that a service should run, in normal form.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::id;
use crate::model::spec::{COMMIT_VARIABLE, Members, TaskDefinitionSpec, image_reference};
use crate::model::{AppProtocol, Architecture, Container, Desired, Observed, Service, Sidecar};
use crate::plan::services::live;

/// The revision that `service` should run.
pub fn task_definition_spec(desired: &Desired, service: &Service, observed: &Observed) -> TaskDefinitionSpec {
    let region = &desired.environment.region;
    // One image for the whole definition: sidecars that name none run the same as the service.
    let image = own_image(desired, service, observed);
    let commit = desired.release.commit.as_deref().unwrap_or("unknown");
    let commit = format!("{commit}{}", if desired.release.dirty { "-dirty" } else { "" });
    let mut own = Members::of(container(region, service, &service.container, &image, Some(&commit)));
    own.lay(&Members::of(json!({
        "portMappings": ports(desired, service, observed),
        // Reaps the processes that ECS Exec's commands leave behind: an application as process 1 does not.
        "linuxParameters": { "initProcessEnabled": service.enable_execute_command },
    })));
    let beside = service.sidecars.iter().map(|it| {
        let named = it.image.as_deref().map(|written| desired.release.reference(written));
        let (image, commit) = named.as_ref().map_or((&image, Some(commit.as_str())), |named| (named, None));
        sidecar(region, service, it, image, commit)
    });
    let containers: Vec<Value> = [own.wire()].into_iter().chain(beside).collect();
    let mut definition = Members::of(json!({
        "family": service.family,
        // Strings, also where they are numbers (ECS API, RegisterTaskDefinition).
        "cpu": service.cpu.to_string(),
        "memory": service.memory_mib.to_string(),
        // Left out where the file gives none: 20 GiB are there, and asking for them is refused (21 to 200,
        // RegisterTaskDefinition).
        "ephemeralStorage": { "sizeInGiB": service.ephemeral_storage_gib },
        // The only network mode of Fargate.
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {
            "cpuArchitecture": match service.architecture {
                Architecture::X86_64 => "X86_64",
                Architecture::Arm64 => "ARM64",
            },
        },
        // Without it Fargate neither pulls from ECR nor reads secrets nor writes logs.
        "executionRoleArn": service.execution_role().map(|role| id(observed, role)),
        "taskRoleArn": service.task_role.as_ref().map(|role| id(observed, role)),
        "volumes": volumes(service),
        "containerDefinitions": containers,
    }));
    definition.lay(&service.aws.task_definition);
    let tables = service.sidecars.iter().map(|it| (&it.container.name, &it.aws));
    for (name, table) in [(&service.container.name, &service.aws.container)].into_iter().chain(tables) {
        // The merge would keep the options of awslogs, which another log driver refuses.
        if table.get(&["logConfiguration", "logDriver"]).is_some_and(|driver| driver != "awslogs") {
            definition.take(&["containerDefinitions", name, "logConfiguration"]);
        }
        definition.put(&["containerDefinitions", name], table.into());
    }
    TaskDefinitionSpec::of(definition)
}

/// The image that is built for a service, or that it names.
fn own_image(desired: &Desired, service: &Service, observed: &Observed) -> String {
    let repository = &service.repository.name;
    let pushed_to = observed.repositories.get(repository).map_or(repository, |repository| &repository.uri);
    let uri = service.image_name().map_or_else(|| pushed_to.clone(), |name| name.written);
    // By digest: a tag can be pushed again between this plan and the next task's start.
    let digest = desired.release.images.get(&service.key);
    digest.map_or_else(|| uri.clone(), |digest| image_reference(&uri, digest))
}

/// What every container of a service has, its own one and its sidecars.
fn container(
    region: &str,
    service: &Service,
    container: &Container,
    image: &str,
    commit: Option<&str>,
) -> Value {
    let mut environment = container.environment.clone();
    if let Some(commit) = commit {
        // The file's own value wins: an application may read the variable as something else.
        environment.entry(COMMIT_VARIABLE.to_owned()).or_insert_with(|| commit.to_owned());
    }
    let output = &container.log_output;
    let routed = (!output.is_empty()).then(|| json!({ "logDriver": "awsfirelens", "options": output }));
    let logs = routed.or_else(|| {
        let group = service.logs()?;
        Some(json!({
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": group.name,
                "awslogs-region": region,
                "awslogs-stream-prefix": group.stream_prefix,
            },
        }))
    });
    let environment_files =
        container.environment_files.iter().map(|file| json!({ "value": file, "type": "s3" }));
    json!({
        "name": container.name,
        "image": image,
        "command": container.command,
        "entryPoint": container.entry_point,
        "user": container.user,
        "workingDirectory": container.working_directory,
        "environment": pairs("name", "value", &environment),
        "secrets": pairs("name", "valueFrom", &container.secrets),
        "environmentFiles": environment_files.collect::<Vec<_>>(),
        "dependsOn": pairs("containerName", "condition", &container.depends_on),
        // ECS ignores the HEALTHCHECK of an image (ECS API, HealthCheck).
        "healthCheck": container.health_check.as_ref().map(|check| json!({
            "command": check.command,
            "interval": check.interval_secs,
            "timeout": check.timeout_secs,
            "retries": check.retries,
            "startPeriod": check.start_period_secs,
        })),
        "logConfiguration": logs,
        "stopTimeout": container.stop_timeout_secs,
        "readonlyRootFilesystem": container.readonly_root,
        "mountPoints": mounts(service, container),
    })
}

fn sidecar(region: &str, service: &Service, sidecar: &Sidecar, image: &str, commit: Option<&str>) -> Value {
    let port = sidecar.container.port;
    // `appProtocol` is Service Connect's, which knows ports by their names.
    let name = Some(&sidecar.container.port_name).filter(|name| !name.is_empty());
    let protocol = name.and(sidecar.container.app_protocol).and_then(AppProtocol::wire);
    let mut members = Members::of(container(region, service, &sidecar.container, image, commit));
    members.lay(&Members::of(json!({
        "essential": sidecar.essential,
        "cpu": sidecar.cpu,
        "memory": sidecar.memory_mib,
        "firelensConfiguration": { "type": sidecar.log_router },
        "portMappings": (port != 0).then(|| json!([{
            "containerPort": port, "name": name, "appProtocol": protocol,
        }])),
    })));
    members.wire()
}

fn ports(desired: &Desired, service: &Service, observed: &Observed) -> Vec<Value> {
    let container = &service.container;
    let own = (container.port != 0).then(|| {
        let derived = service.endpoints().any(|it| it.port_name == container.port_name);
        json!({
            "containerPort": container.port,
            "name": port_name(desired, service, observed),
            "appProtocol": app_protocol(container.app_protocol, derived, &container.port_name, service, observed),
        })
    });
    let further = service.further_ports().map(|it| {
        json!({
            "containerPort": it.port,
            "name": it.port_name,
            "appProtocol": app_protocol(it.app_protocol, true, &it.port_name, service, observed),
        })
    });
    own.into_iter().chain(further).collect()
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
    let offered = service.endpoints().any(|it| it.port_name == container.port_name);
    let needed = offered || desired.environment.written.contains(&written);
    (needed || named() != Some(false)).then(|| container.port_name.clone())
}

/// A list of pairs as ECS has it.
fn pairs<T: Serialize>(key: &str, value: &str, pairs: &BTreeMap<String, T>) -> Vec<Value> {
    pairs.iter().map(|(name, of)| json!({ key: name, value: of })).collect()
}

/// What ECS Exec's agent writes to. With a read-only root and without these it stops soon after the
/// task's start, for good (aws/containers-roadmap#1359).
pub(in crate::plan) const EXEC_PATHS: [&str; 3] =
    ["/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"];

/// The writable paths of a container's read-only root, each a volume of its own: no two containers share one.
fn writable(service: &Service, container: &Container) -> BTreeMap<String, String> {
    let exec = EXEC_PATHS.iter().filter(|_| service.enable_execute_command);
    let paths = exec.chain(container.tmp.then_some(&"/tmp")).filter(|_| container.readonly_root);
    let prefix = match container.name == service.container.name {
        true => String::new(),
        false => format!("{}-", container.name),
    };
    paths.map(|path| ((*path).to_owned(), format!("{prefix}{}", path[1..].replace('/', "-")))).collect()
}

fn mounts(service: &Service, container: &Container) -> Vec<Value> {
    let own = writable(service, container);
    let own = own.into_iter().map(|(path, volume)| json!({ "containerPath": path, "sourceVolume": volume }));
    let shared = service.mounts(&container.name).map(|(volume, path)| {
        json!({ "containerPath": path, "sourceVolume": volume.name, "readOnly": volume.read_only })
    });
    own.chain(shared).collect()
}

fn volumes(service: &Service) -> Vec<Value> {
    let own = service.containers().flat_map(|(_, container)| writable(service, container));
    let own = own.map(|(_, volume)| json!({ "name": volume }));
    let shared = service.volumes.iter().map(|volume| {
        let efs = volume.is_efs().then(|| {
            json!({
                "fileSystemId": volume.efs,
                "rootDirectory": volume.path,
                // EFS refuses IAM authorization and access points without it (ECS API, EFSVolumeConfiguration).
                "transitEncryption": "ENABLED",
                "authorizationConfig": {
                    "accessPointId": volume.access_point,
                    "iam": if volume.iam { "ENABLED" } else { "DISABLED" },
                },
            })
        });
        json!({ "name": volume.name, "efsVolumeConfiguration": efs })
    });
    own.chain(shared).collect()
}

/// `http` gives Service Connect its per-request retries and metrics. In a service of Service Connect it cannot change
/// (UpdateService refuses), so what runs keeps what it has.
fn app_protocol(
    given: Option<AppProtocol>,
    has_endpoint: bool,
    port_name: &str,
    service: &Service,
    observed: &Observed,
) -> Option<String> {
    let given = given.map(|protocol| protocol.wire().map(str::to_owned));
    let derived = || has_endpoint.then(|| "http".to_owned());
    given.or_else(|| spoken(service, port_name, observed)).unwrap_or_else(derived)
}

/// What a service of Service Connect that runs speaks at a port; no protocol is TCP.
pub(in crate::plan) fn spoken(
    service: &Service,
    port_name: &str,
    observed: &Observed,
) -> Option<Option<String>> {
    let running = live(observed, service).filter(|state| state.spec.connect.is_some())?;
    let mut ports = running.task_definition.spec.ports();
    let port = ports.find(|port| port["name"] == port_name)?;
    Some(port["appProtocol"].as_str().map(str::to_owned))
}
