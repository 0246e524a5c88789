//! Task definitions between ECS's form and ours.
//!
//! Reading takes each member that a spec covers out of a copy, and whatever is then left over is something that
//! the tool cannot express: the whole definition then has no spec, and a plan says so instead of losing it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{
    ApplicationProtocol, Compatibility, ContainerDefinition, HealthCheck, KeyValuePair, LinuxParameters,
    LogConfiguration, LogDriver, MountPoint, NetworkMode, PortMapping, Secret, TaskDefinition,
    TransportProtocol, Volume,
};
use deploy::model::spec::{ContainerSpec, HealthCommandSpec, LogSpec, TaskDefinitionSpec};

use crate::aws::names::{count, port, wire};

/// A container definition as RegisterTaskDefinition takes it. `Err` names the member that the SDK misses.
pub(super) fn write_container(
    spec: &ContainerSpec,
) -> Result<ContainerDefinition, aws_smithy_types::error::operation::BuildError> {
    let mapping = spec.port.map(|port| {
        PortMapping::builder()
            .container_port(i32::from(port))
            .protocol(TransportProtocol::Tcp)
            .set_name(spec.port_name.clone())
            .set_app_protocol(spec.app_protocol.as_deref().map(ApplicationProtocol::from))
            .build()
    });
    let variables =
        spec.environment.iter().map(|(name, value)| KeyValuePair::builder().name(name).value(value).build());
    let secrets =
        spec.secrets.iter().map(|(name, from)| Secret::builder().name(name).value_from(from).build());
    let health = spec.health_check.as_ref().map(|health| {
        HealthCheck::builder()
            .set_command(Some(health.command.clone()))
            .interval(wire(health.interval_secs))
            .timeout(wire(health.timeout_secs))
            .retries(wire(health.retries))
            .set_start_period((health.start_period_secs > 0).then(|| wire(health.start_period_secs)))
            .build()
    });
    let logs = spec.logs.as_ref().map(|logs| {
        LogConfiguration::builder()
            .log_driver(LogDriver::Awslogs)
            .options("awslogs-group", &logs.group)
            .options("awslogs-region", &logs.region)
            .options("awslogs-stream-prefix", &logs.prefix)
            .build()
    });
    let mounts = spec
        .mounts
        .iter()
        .map(|(path, volume)| MountPoint::builder().container_path(path).source_volume(volume).build());
    Ok(ContainerDefinition::builder()
        .name(&spec.name)
        .image(&spec.image)
        .essential(spec.essential)
        .set_port_mappings(mapping.map(|mapping| vec![mapping]))
        .set_environment(some(variables.collect()))
        .set_secrets(some(secrets.collect::<Result<_, _>>()?))
        .set_health_check(health.transpose()?)
        .set_log_configuration(logs.transpose()?)
        .set_stop_timeout(spec.stop_timeout_secs.map(wire))
        .readonly_root_filesystem(spec.readonly_root)
        .set_mount_points(some(mounts.collect()))
        .set_linux_parameters(
            spec.init_process.then(|| LinuxParameters::builder().init_process_enabled(true).build()),
        )
        .build())
}

/// The volumes that the containers mount: empty ones, which live as long as the task.
pub(super) fn write_volumes(spec: &TaskDefinitionSpec) -> Option<Vec<Volume>> {
    some(volumes(&spec.containers).into_iter().map(|name| Volume::builder().name(name).build()).collect())
}

fn volumes(containers: &[ContainerSpec]) -> BTreeSet<&str> {
    containers.iter().flat_map(|container| container.mounts.values()).map(String::as_str).collect()
}

/// A revision's content; `None` when it holds something that a spec cannot express.
pub(super) fn read_task_definition(found: &TaskDefinition) -> Option<TaskDefinitionSpec> {
    let mut rest = found.clone();
    let platform = rest.runtime_platform.take();
    let (mut architecture, mut operating_system) = ("X86_64".to_owned(), "LINUX".to_owned());
    if let Some(platform) = platform {
        architecture = platform.cpu_architecture.map_or(architecture, |value| value.as_str().to_owned());
        operating_system =
            platform.operating_system_family.map_or(operating_system, |value| value.as_str().to_owned());
    }
    let fargate = rest.requires_compatibilities.take().unwrap_or_default() == [Compatibility::Fargate];
    let awsvpc = rest.network_mode.take() == Some(NetworkMode::Awsvpc);
    let containers = rest.container_definitions.take().unwrap_or_default();
    let mut spec = TaskDefinitionSpec {
        family: rest.family.take()?,
        cpu: rest.cpu.take()?.parse().ok()?,
        memory_mib: rest.memory.take()?.parse().ok()?,
        architecture,
        operating_system,
        execution_role: rest.execution_role_arn.take(),
        task_role: rest.task_role_arn.take(),
        containers: containers.into_iter().map(read_container).collect::<Option<_>>()?,
    };
    let found = rest.volumes.take().unwrap_or_default();
    if !found.iter().all(lives_with_the_task)
        || volumes(&spec.containers) != found.iter().filter_map(Volume::name).collect()
    {
        return None;
    }
    spec.containers.sort_by(|one, other| one.name.cmp(&other.name));
    forget_registration(&mut rest);
    (fargate && awsvpc && rest == TaskDefinition::builder().build()).then_some(spec)
}

/// Whether a volume is empty at the task's start and goes with it. `host` without a path says the same as nothing.
fn lives_with_the_task(volume: &Volume) -> bool {
    let mut rest = volume.clone();
    rest.host.take_if(|host| host.source_path.is_none());
    rest.configured_at_launch.take_if(|at_launch| !*at_launch);
    rest.name = None;
    rest == Volume::builder().build()
}

/// What ECS adds when a definition is registered, and what is the same as nothing.
fn forget_registration(rest: &mut TaskDefinition) {
    rest.task_definition_arn = None;
    rest.revision = 0;
    rest.status = None;
    rest.requires_attributes = None;
    rest.compatibilities = None;
    rest.registered_at = None;
    rest.registered_by = None;
    rest.deregistered_at = None;
    rest.delete_requested_at = None;
    rest.enable_fault_injection.take_if(|enabled| !*enabled);
    none_if_empty(&mut rest.placement_constraints);
    none_if_empty(&mut rest.inference_accelerators);
}

fn read_container(mut rest: ContainerDefinition) -> Option<ContainerSpec> {
    let mapping = match rest.port_mappings.take().unwrap_or_default().as_mut_slice() {
        [] => None,
        [mapping] => Some(read_mapping(mapping)?),
        _ => return None,
    };
    let (port, port_name, app_protocol) = mapping.unwrap_or_default();
    let mount = |mut mount: MountPoint| {
        mount.read_only.take_if(|read_only| !*read_only);
        let pair = (mount.container_path.take()?, mount.source_volume.take()?);
        (mount == MountPoint::builder().build()).then_some(pair)
    };
    let mounts = rest.mount_points.take().unwrap_or_default().into_iter().map(mount);
    let mounts = mounts.collect::<Option<_>>()?;
    let init = LinuxParameters::builder().init_process_enabled(true).build();
    let init_process = rest.linux_parameters.take_if(|parameters| *parameters == init).is_some();
    let variable = |pair: KeyValuePair| Some((pair.name?, pair.value.unwrap_or_default()));
    let spec = ContainerSpec {
        name: rest.name.take()?,
        image: rest.image.take()?,
        port,
        port_name,
        app_protocol,
        environment: rest.environment.take().unwrap_or_default().into_iter().filter_map(variable).collect(),
        secrets: rest
            .secrets
            .take()
            .unwrap_or_default()
            .into_iter()
            .map(|it| (it.name, it.value_from))
            .collect(),
        health_check: rest.health_check.take().map(read_health),
        logs: match rest.log_configuration.take() {
            Some(logs) => Some(read_logs(logs)?),
            None => None,
        },
        stop_timeout_secs: rest.stop_timeout.take().map(count),
        readonly_root: rest.readonly_root_filesystem.take().unwrap_or(false),
        mounts,
        init_process,
        // AWS's default.
        essential: rest.essential.take().unwrap_or(true),
    };
    forget_defaults(&mut rest);
    (rest == ContainerDefinition::builder().build()).then_some(spec)
}

/// What ECS writes out where nothing was given.
fn forget_defaults(rest: &mut ContainerDefinition) {
    for flag in
        [&mut rest.disable_networking, &mut rest.privileged, &mut rest.interactive, &mut rest.pseudo_terminal]
    {
        flag.take_if(|set| !*set);
    }
    for list in [
        &mut rest.links,
        &mut rest.entry_point,
        &mut rest.command,
        &mut rest.dns_servers,
        &mut rest.dns_search_domains,
        &mut rest.docker_security_options,
        &mut rest.credential_specs,
    ] {
        none_if_empty(list);
    }
    none_if_empty(&mut rest.environment_files);
    none_if_empty(&mut rest.volumes_from);
    none_if_empty(&mut rest.depends_on);
    none_if_empty(&mut rest.extra_hosts);
    none_if_empty(&mut rest.ulimits);
    none_if_empty(&mut rest.system_controls);
    none_if_empty(&mut rest.resource_requirements);
    rest.docker_labels.take_if(|labels| labels.is_empty());
}

type Mapping = (Option<u16>, Option<String>, Option<String>);

fn read_mapping(found: &PortMapping) -> Option<Mapping> {
    let mut rest = found.clone();
    let container_port = rest.container_port.take()?;
    // In awsvpc mode the host port is the container's; ECS writes it out, and 0 for none.
    rest.host_port.take_if(|host| *host == container_port || *host == 0);
    rest.protocol.take_if(|protocol| *protocol == TransportProtocol::Tcp);
    let name = rest.name.take();
    let app_protocol = rest.app_protocol.take().map(|protocol| protocol.as_str().to_owned());
    (rest == PortMapping::builder().build()).then(|| (Some(port(container_port)), name, app_protocol))
}

fn read_health(found: HealthCheck) -> HealthCommandSpec {
    // AWS's defaults: every 30 s, 5 s long, 3 failures, no start period.
    HealthCommandSpec {
        command: found.command,
        interval_secs: found.interval.map_or(30, count),
        timeout_secs: found.timeout.map_or(5, count),
        retries: found.retries.map_or(3, count),
        start_period_secs: found.start_period.map_or(0, count),
    }
}

fn read_logs(found: LogConfiguration) -> Option<LogSpec> {
    let secret = found.secret_options.is_some_and(|options| !options.is_empty());
    let mut options: BTreeMap<String, String> = found.options.unwrap_or_default().into_iter().collect();
    let spec = LogSpec {
        group: options.remove("awslogs-group")?,
        region: options.remove("awslogs-region")?,
        prefix: options.remove("awslogs-stream-prefix")?,
    };
    (found.log_driver == LogDriver::Awslogs && options.is_empty() && !secret).then_some(spec)
}

fn none_if_empty<T>(list: &mut Option<Vec<T>>) {
    list.take_if(|list| list.is_empty());
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
#[path = "containers/tests.rs"]
mod tests;
