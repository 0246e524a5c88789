//! A task definition revision in normal form.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::ImageDigest;

/// Tells the application the commit that it was released from. It is release metadata: a revision that
/// differs in nothing else is not worth a roll, so comparisons leave it out.
pub const COMMIT_VARIABLE: &str = "APP_COMMIT";

/// `<registry>/<repository>@<digest>`: a reference that cannot move.
#[must_use]
pub fn image_reference(repository_uri: &str, digest: &ImageDigest) -> String {
    format!("{repository_uri}@{digest}")
}

/// A task definition as RegisterTaskDefinition takes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskDefinitionSpec {
    /// The family.
    pub family: String,
    /// CPU units; on the wire a string.
    pub cpu: u32,
    /// Memory in MiB; on the wire a string.
    pub memory_mib: u32,
    /// `runtimePlatform.cpuArchitecture`.
    pub architecture: String,
    /// `runtimePlatform.operatingSystemFamily`.
    pub operating_system: String,
    /// The execution role's ARN.
    pub execution_role: Option<String>,
    /// The task role's ARN.
    pub task_role: Option<String>,
    /// The containers, sorted by name.
    pub containers: Vec<ContainerSpec>,
}

/// A container definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// `<registry>/<repository>@<digest>`.
    pub image: String,
    /// `portMappings[0].containerPort`, protocol tcp.
    pub port: Option<u16>,
    /// `portMappings[0].name`.
    pub port_name: Option<String>,
    /// `portMappings[0].appProtocol`.
    pub app_protocol: Option<String>,
    /// `environment`.
    pub environment: BTreeMap<String, String>,
    /// `secrets`: variable to `valueFrom`.
    pub secrets: BTreeMap<String, String>,
    /// `healthCheck`.
    pub health_check: Option<HealthCommandSpec>,
    /// `logConfiguration` with driver `awslogs`.
    pub logs: Option<LogSpec>,
    /// `stopTimeout` in seconds.
    pub stop_timeout_secs: Option<u32>,
    /// `readonlyRootFilesystem`.
    pub readonly_root: bool,
    /// `mountPoints` of volumes that live as long as the task: path to the volume's name.
    pub mounts: BTreeMap<String, String>,
    /// `linuxParameters.initProcessEnabled`.
    pub init_process: bool,
    /// `essential`.
    pub essential: bool,
}

/// `healthCheck` of a container definition, with AWS's defaults written out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthCommandSpec {
    /// `["CMD", …]`.
    pub command: Vec<String>,
    /// Seconds.
    pub interval_secs: u32,
    /// Seconds.
    pub timeout_secs: u32,
    /// Failures in a row.
    pub retries: u32,
    /// Seconds; 0 when absent.
    pub start_period_secs: u32,
}

/// `logConfiguration` with driver `awslogs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogSpec {
    /// `awslogs-group`.
    pub group: String,
    /// `awslogs-region`.
    pub region: String,
    /// `awslogs-stream-prefix`.
    pub prefix: String,
}

impl TaskDefinitionSpec {
    /// The same definition without release metadata: two that are equal in this run the same.
    #[must_use]
    pub fn comparable(&self) -> Self {
        let mut spec = self.clone();
        for container in &mut spec.containers {
            container.environment.remove(COMMIT_VARIABLE);
        }
        spec
    }
}
