//! What ECS itself reads of a task definition. The rest is kept as it was given and shown again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::workload::{EXEC_PATHS, LogRouter};

/// A task definition's members that decide how its tasks run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct TaskSpec {
    pub(in crate::ecs) family: String,
    pub(in crate::ecs) task_role_arn: Option<String>,
    pub(in crate::ecs) execution_role_arn: Option<String>,
    pub(in crate::ecs) network_mode: Option<String>,
    pub(in crate::ecs) container_definitions: Vec<ContainerSpec>,
    pub(in crate::ecs) requires_compatibilities: Vec<String>,
    pub(in crate::ecs) cpu: Option<String>,
    pub(in crate::ecs) memory: Option<String>,
    pub(in crate::ecs) runtime_platform: RuntimePlatform,
    pub(in crate::ecs) ephemeral_storage: Option<EphemeralStorage>,
    pub(in crate::ecs) volumes: Vec<Volume>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct RuntimePlatform {
    pub(in crate::ecs) cpu_architecture: Option<String>,
    pub(in crate::ecs) operating_system_family: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct EphemeralStorage {
    #[serde(rename = "sizeInGiB")]
    pub(in crate::ecs) size_in_gib: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct ContainerSpec {
    pub(in crate::ecs) name: String,
    pub(in crate::ecs) image: String,
    pub(in crate::ecs) essential: Option<bool>,
    pub(in crate::ecs) port_mappings: Vec<PortMapping>,
    pub(in crate::ecs) environment: Vec<Variable>,
    pub(in crate::ecs) entry_point: Vec<String>,
    pub(in crate::ecs) command: Vec<String>,
    pub(in crate::ecs) health_check: Option<HealthCheck>,
    pub(in crate::ecs) log_configuration: Option<LogConfiguration>,
    /// In seconds; Fargate takes 2 to 120.
    pub(in crate::ecs) start_timeout: Option<u64>,
    /// In seconds; Fargate takes 2 to 120.
    pub(in crate::ecs) stop_timeout: Option<u64>,
    pub(in crate::ecs) depends_on: Vec<Dependency>,
    pub(in crate::ecs) firelens_configuration: Option<LogRouter>,
    pub(in crate::ecs) environment_files: Vec<EnvironmentFile>,
    pub(in crate::ecs) secrets: Vec<SecretReference>,
    pub(in crate::ecs) memory: Option<u32>,
    pub(in crate::ecs) user: Option<String>,
    pub(in crate::ecs) working_directory: Option<String>,
    pub(in crate::ecs) readonly_root_filesystem: Option<bool>,
    pub(in crate::ecs) mount_points: Vec<MountPoint>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct MountPoint {
    pub(in crate::ecs) source_volume: String,
    pub(in crate::ecs) container_path: String,
    pub(in crate::ecs) read_only: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct Volume {
    pub(in crate::ecs) name: String,
    pub(in crate::ecs) efs_volume_configuration: Option<Efs>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct Efs {
    pub(in crate::ecs) file_system_id: String,
    pub(in crate::ecs) root_directory: Option<String>,
    pub(in crate::ecs) transit_encryption: Option<String>,
    pub(in crate::ecs) authorization_config: Option<EfsAuthorization>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct EfsAuthorization {
    pub(in crate::ecs) access_point_id: Option<String>,
    pub(in crate::ecs) iam: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct PortMapping {
    pub(in crate::ecs) container_port: Option<i64>,
    pub(in crate::ecs) host_port: Option<i64>,
    pub(in crate::ecs) name: Option<String>,
    pub(in crate::ecs) protocol: Option<String>,
    pub(in crate::ecs) app_protocol: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::ecs) struct Variable {
    pub(in crate::ecs) name: String,
    #[serde(default)]
    pub(in crate::ecs) value: String,
}

/// A container that has to come as far as `condition` before another one starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct Dependency {
    pub(in crate::ecs) container_name: String,
    /// `START`, `COMPLETE`, `SUCCESS` or `HEALTHY`.
    pub(in crate::ecs) condition: String,
}

/// A file of variables in S3.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::ecs) struct EnvironmentFile {
    pub(in crate::ecs) value: String,
    #[serde(rename = "type")]
    pub(in crate::ecs) kind: String,
}

/// A variable whose value is kept elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct SecretReference {
    pub(in crate::ecs) name: String,
    /// A parameter's name or ARN, or a secret's ARN with or without `:json-key:version-stage:version-id`.
    pub(in crate::ecs) value_from: String,
}

/// A container's own health check. Times are in seconds; the defaults are the API's.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct HealthCheck {
    pub(in crate::ecs) command: Vec<String>,
    #[serde(default = "thirty")]
    pub(in crate::ecs) interval: u64,
    #[serde(default = "five")]
    pub(in crate::ecs) timeout: u64,
    #[serde(default = "three")]
    pub(in crate::ecs) retries: u32,
    #[serde(default)]
    pub(in crate::ecs) start_period: u64,
}

fn thirty() -> u64 {
    30
}

fn five() -> u64 {
    5
}

fn three() -> u32 {
    3
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct LogConfiguration {
    pub(in crate::ecs) log_driver: String,
    pub(in crate::ecs) options: BTreeMap<String, String>,
}

impl ContainerSpec {
    /// A container is essential unless it says otherwise.
    pub(in crate::ecs) fn is_essential(&self) -> bool {
        self.essential.unwrap_or(true)
    }

    /// Whether ECS Exec's agent can write what it has to. Where it cannot, it stops soon after
    /// the task's start (aws/containers-roadmap#1359, amazon-ecs-exec-checker#21).
    pub(in crate::ecs) fn carries_exec_agent(&self) -> bool {
        let mounted = |path: &&str| self.mount_points.iter().any(|mount| mount.container_path == *path);
        self.readonly_root_filesystem != Some(true) || EXEC_PATHS.iter().all(mounted)
    }

    /// `stopTimeout` in seconds, 30 where none is given.
    pub(in crate::ecs) fn stop_timeout(&self) -> u64 {
        self.stop_timeout.unwrap_or(30)
    }

    /// The container ports, in definition order.
    pub(in crate::ecs) fn ports(&self) -> Vec<u16> {
        self.port_mappings.iter().filter_map(PortMapping::port).collect()
    }

    /// `awslogs-group` and the stream of the task, `<prefix>/<container>/<task id>`.
    pub(in crate::ecs) fn log_stream(&self, task: &str) -> Option<(String, String)> {
        let log = self.log_configuration.as_ref().filter(|log| log.log_driver == "awslogs")?;
        let group = log.options.get("awslogs-group")?.clone();
        let prefix = log.options.get("awslogs-stream-prefix")?;
        Some((group, format!("{prefix}/{}/{task}", self.name)))
    }

    /// The options of `awsfirelens`, where the lines are for a log router.
    pub(in crate::ecs) fn routed(&self) -> Option<&BTreeMap<String, String>> {
        let log = self.log_configuration.as_ref().filter(|log| log.log_driver == "awsfirelens")?;
        Some(&log.options)
    }

    /// Whether the log driver makes a missing log group (`awslogs-create-group`).
    pub(in crate::ecs) fn creates_log_group(&self) -> bool {
        let log = self.log_configuration.as_ref();
        log.and_then(|log| log.options.get("awslogs-create-group")).is_some_and(|value| value == "true")
    }
}

impl PortMapping {
    /// The container port, when it is one.
    pub(in crate::ecs) fn port(&self) -> Option<u16> {
        self.container_port.and_then(|port| u16::try_from(port).ok())
    }
}

impl TaskSpec {
    pub(in crate::ecs) fn container(&self, name: &str) -> Option<&ContainerSpec> {
        self.container_definitions.iter().find(|container| container.name == name)
    }

    /// Whether a container waits for the end of the one with this name.
    pub(in crate::ecs) fn is_awaited(&self, name: &str) -> bool {
        let mut dependencies = self.container_definitions.iter().flat_map(|container| &container.depends_on);
        dependencies.any(|on| on.container_name == name && matches!(&*on.condition, "COMPLETE" | "SUCCESS"))
    }

    /// The container port of a `portName`.
    pub(in crate::ecs) fn named_port(&self, port_name: &str) -> Option<u16> {
        let mappings = self.container_definitions.iter().flat_map(|container| &container.port_mappings);
        mappings.filter(|mapping| mapping.name.as_deref() == Some(port_name)).find_map(PortMapping::port)
    }

    /// `appProtocol` of a `portName`; none means TCP.
    pub(in crate::ecs) fn app_protocol(&self, port_name: &str) -> Option<&str> {
        let mut mappings = self.container_definitions.iter().flat_map(|container| &container.port_mappings);
        mappings.find(|mapping| mapping.name.as_deref() == Some(port_name))?.app_protocol.as_deref()
    }

    /// The operating system and architecture that the tasks run on, in the image format's words.
    pub(in crate::ecs) fn platform(&self) -> (&'static str, &'static str) {
        let family = self.runtime_platform.operating_system_family.as_deref().unwrap_or("LINUX");
        let os = if family.starts_with("WINDOWS") { "windows" } else { "linux" };
        match self.runtime_platform.cpu_architecture.as_deref() {
            Some("ARM64") => (os, "arm64"),
            _ => (os, "amd64"),
        }
    }
}
