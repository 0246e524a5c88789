//! What a task's containers are started from: images resolved and pinned, log groups looked for.

use serde_json::json;

use super::secrets;
use crate::clock::Millis;
use crate::ecr::{self, ResolvedImage};
use crate::ecs::connect::configuration::ConnectConfiguration;
use crate::ecs::region::Region;
use crate::ecs::task_definition::families::revision_of;
use crate::ecs::task_definition::spec::{ContainerSpec, MountPoint, TaskSpec};
use crate::logs;
use crate::wire::{self, Api, ApiRequest};
use crate::workload::{ContainerStart, Mount, TaskId, TaskStart};

/// All that the workload needs in order to start the task, or the `stoppedReason` for which it cannot be.
pub(super) fn prepare(region: &mut Region<'_>, now: Millis, id: &TaskId) -> Result<TaskStart, String> {
    let missing = || "TaskFailedToStart: the task is gone.".to_owned();
    let task = region.ecs.tasks.get(id).ok_or_else(missing)?.clone();
    // A task of RunTask has no service, and with it no Service Connect.
    let service = region.ecs.services.get(&task.service);
    let spec = service.and_then(|service| Some(&service.revision(&task.revision)?.spec));
    let connect = spec.is_some_and(|spec| ConnectConfiguration::enabled(spec.connect.as_ref()).is_some());
    let known = service.and_then(|it| Some(it.deployment(&task.deployment)?.endpoints.as_slice()));
    let endpoints = known.unwrap_or_default().iter().map(|it| (it.dns_name.clone(), it.port)).collect();
    let definition = region.ecs.families.by_arn(&task.task_definition).ok_or_else(missing)?;
    let applied = task.overrides.apply(&definition.spec, definition.size);
    let (definition, (cpu, memory_mib)) = applied.map_err(|error| error.message)?;
    // As on Fargate before any image is pulled.
    check_storage(&definition, &region.base.settings.region)?;
    let secrets = secrets::resolve(region, &definition)?;
    let mut containers = Vec::new();
    for (container, secrets) in definition.container_definitions.iter().zip(secrets) {
        let (repository, digest) = resolve(region, id, container, definition.platform())?;
        ensure_log_group(region, now, container)?;
        containers.push(ContainerStart {
            name: container.name.clone(),
            essential: container.is_essential(),
            comes_first: definition.is_awaited(&container.name),
            image: container.image.clone(),
            repository,
            digest,
            entry_point: container.entry_point.clone(),
            command: container.command.clone(),
            environment: container.environment.iter().map(|v| (v.name.clone(), v.value.clone())).collect(),
            secrets,
            memory_mib: container.memory,
            user: container.user.clone(),
            working_directory: container.working_directory.clone(),
            readonly_root: container.readonly_root_filesystem.unwrap_or_default(),
            mounts: container.mount_points.iter().map(mount).collect(),
            ports: container.ports(),
            logs: container.log_stream(id),
            routed: container.routed().cloned(),
            router: container.firelens_configuration.clone(),
        });
    }
    Ok(TaskStart {
        task: id.clone(),
        task_arn: task.arn,
        cluster: task.service.cluster,
        service: task.service.service,
        task_definition: revision_of(&task.task_definition).to_owned(),
        private_ip: task.interface.ip.unwrap_or_default(),
        cpu,
        memory_mib,
        containers,
        connect,
        endpoints,
    })
}

fn mount(point: &MountPoint) -> Mount {
    let MountPoint { source_volume, container_path, read_only } = point.clone();
    Mount { volume: source_volume, path: container_path, read_only: read_only.unwrap_or_default() }
}

/// What this account does not have: file systems, and files in S3. The words are those of
/// tasks on Fargate (copilot-cli#5419, aws-cli#6470).
fn check_storage(definition: &TaskSpec, region: &str) -> Result<(), String> {
    let mounted = |name: &str| {
        let mut mounts =
            definition.container_definitions.iter().flat_map(|container| &container.mount_points);
        mounts.any(|mount| mount.source_volume == name)
    };
    let efs = definition.volumes.iter().filter(|volume| mounted(&volume.name));
    if let Some(efs) = efs.filter_map(|volume| volume.efs_volume_configuration.as_ref()).next() {
        return Err(format!(
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to \
             resolve \"{}.efs.{region}.amazonaws.com\" - check that your file system ID is correct, and ensure that the VPC \
             has an EFS mount target for this file system ID. : unsuccessful EFS utils command execution; code: 1",
            efs.file_system_id
        ));
    }
    let mut files =
        definition.container_definitions.iter().flat_map(|container| &container.environment_files);
    match files.next() {
        Some(file) => Err(format!(
            "ResourceInitializationError: failed to download env files: file download command: non empty error stream: \
             NoSuchBucket: The specified bucket does not exist: {}",
            file.value
        )),
        None => Ok(()),
    }
}

/// Repository and digest of a container's image. The revision's first task pins the digest for all others.
fn resolve(
    region: &mut Region<'_>,
    id: &TaskId,
    container: &ContainerSpec,
    (os, architecture): (&str, &str),
) -> Result<(Option<String>, Option<String>), String> {
    let Some(task) = region.ecs.tasks.get(id) else { return Ok((None, None)) };
    let (key, revision_arn) = (task.service.clone(), task.revision.clone());
    let service = region.ecs.services.get(&key);
    // `versionConsistency` is on by default: a tag that is pushed again reaches tasks with the next deployment only.
    let pinned = service.and_then(|service| service.revision(&revision_arn)?.digest(&container.name));
    let reference = match pinned {
        Some(digest) => format!("{}@{digest}", repository_of(&container.image)),
        None => container.image.clone(),
    };
    match ecr::resolve_image(region.base, region.ecr, &reference) {
        // Another registry's image: nothing here knows its digest, and the workload finds out whether it can be pulled.
        ResolvedImage::Foreign => Ok((None, None)),
        ResolvedImage::NotFound { reason } => Err(reason),
        ResolvedImage::Found { repository, digest, platforms } => {
            let runs = |(its_os, its_architecture): &(String, String)| {
                its_os == os && its_architecture == architecture
            };
            if !platforms.is_empty() && !platforms.iter().any(runs) {
                return Err(format!(
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does \
                     not contain descriptor matching platform '{os}/{architecture}'"
                ));
            }
            pin(region, id, &container.name, &digest);
            Ok((Some(repository), Some(digest)))
        }
    }
}

fn pin(region: &mut Region<'_>, id: &TaskId, container: &str, digest: &str) {
    let Some(task) = region.ecs.tasks.get_mut(id) else { return };
    if let Some(running) = task.container_mut(container) {
        running.image_digest = Some(digest.to_owned());
    }
    let (key, arn) = (task.service.clone(), task.revision.clone());
    let Some(service) = region.ecs.services.get_mut(&key) else { return };
    let revision = service.revisions.iter_mut().find(|revision| revision.arn == arn);
    let images = revision.map(|revision| revision.images.as_mut_slice()).unwrap_or_default();
    // The first task resolves the tag, and all others of the revision run that digest (ECS developer guide, version
    // consistency).
    for image in images.iter_mut().filter(|image| image.container == container && image.digest.is_none()) {
        image.digest = Some(digest.to_owned());
    }
}

/// An image reference without its tag or digest. A colon before the last slash belongs to a port.
fn repository_of(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// A missing log group keeps a task from starting, unless its log driver may make it.
fn ensure_log_group(region: &mut Region<'_>, now: Millis, container: &ContainerSpec) -> Result<(), String> {
    let Some((group, _)) = container.log_stream("") else { return Ok(()) };
    if region.logs.group_exists(&group) {
        return Ok(());
    }
    if container.creates_log_group() {
        let made = call_logs(region, now, "CreateLogGroup", json!({ "logGroupName": group }));
        return made.map_err(|text| {
            format!("ResourceInitializationError: failed to initialize logging driver: {text}")
        });
    }
    Err("ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: \
         failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. \
         : exit status 1"
        .to_owned())
}

/// Makes a container's log stream: it exists only once the container started.
pub(super) fn create_log_stream(region: &mut Region<'_>, now: Millis, id: &TaskId, container: &str) {
    let Some(task) = region.ecs.tasks.get(id) else { return };
    let Some(definition) = region.ecs.families.by_arn(&task.task_definition) else { return };
    let stream = definition.spec.container(container).and_then(|container| container.log_stream(id));
    if let Some((group, stream)) = stream {
        let members = json!({ "logGroupName": group, "logStreamName": stream });
        // The group may have been deleted meanwhile: the driver then drops what it is given, as on AWS.
        let _ = call_logs(region, now, "CreateLogStream", members);
    }
}

fn call_logs(
    region: &mut Region<'_>,
    now: Millis,
    operation: &str,
    params: serde_json::Value,
) -> Result<(), String> {
    let request = ApiRequest::of(Api::Logs, operation, params);
    let answer = wire::operation(logs::OPERATIONS, &request);
    let answer = answer.and_then(|operation| operation(region.base, region.logs, now, &request));
    answer.map(drop).map_err(|error| format!("{}: {}", error.code, error.message))
}

#[cfg(test)]
mod tests {
    use super::repository_of;

    #[test]
    fn a_registry_port_is_no_tag() {
        assert_eq!(repository_of("127.0.0.1:4566/ielts/backend:v1"), "127.0.0.1:4566/ielts/backend");
        assert_eq!(repository_of("127.0.0.1:4566/ielts/backend"), "127.0.0.1:4566/ielts/backend");
        assert_eq!(repository_of("host/app@sha256:0a"), "host/app");
        assert_eq!(repository_of("host/app:v1@sha256:0a"), "host/app");
        assert_eq!(repository_of("nginx:latest"), "nginx");
    }
}
