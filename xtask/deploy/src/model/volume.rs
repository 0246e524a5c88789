//! `[service.NAME.volume.NAME]`: volumes that a service's containers mount.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A folder of an EFS file system; or without `efs` an empty one that its task's containers share, and that is gone with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Volume {
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    pub name: String,
    /// The file system, such as `fs-0123456789abcdef0`. Traffic to it is encrypted. Empty: none, such as in `[env.local]`.
    #[schemars(length(max = 128))]
    pub efs: String,
    /// The folder of the file system that is mounted; its root when omitted. An access point has a folder of its own.
    #[schemars(length(min = 1, max = 4096))]
    pub path: Option<String>,
    /// The access point, such as `fsap-0123456789abcdef0`.
    #[schemars(length(min = 1, max = 128))]
    pub access_point: Option<String>,
    /// Whether the file system's policy decides by the task role.
    pub iam: bool,
    /// Where the service's own container has it, such as `/data`. Sidecars say it in `mounts`.
    #[schemars(length(min = 1, max = 4096))]
    pub mount: Option<String>,
    /// Whether containers can only read it.
    pub read_only: bool,
}

impl Volume {
    /// Whether it is a folder of a file system.
    pub fn is_efs(&self) -> bool {
        !self.efs.is_empty()
    }
}
