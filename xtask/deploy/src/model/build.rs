//! How an image is made.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an image is made.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Build {
    /// Compile this workspace package into a static binary and assemble the image in-process.
    Cargo {
        /// The package's name.
        package: String,
    },
    /// Have a container engine build a Dockerfile.
    Dockerfile(Dockerfile),
}

/// What a container engine builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dockerfile {
    /// The Dockerfile, from the top of the workspace.
    pub file: String,
    /// The folder that it may copy from, from the top of the workspace.
    pub context: String,
    /// The stage; the last one when `None`.
    pub target: Option<String>,
    /// Values of its `ARG`s.
    pub args: BTreeMap<String, String>,
    /// What its `RUN --mount=type=secret` mounts may read, by id.
    pub secrets: BTreeMap<String, BuildSecret>,
    /// `os/architecture[/variant]` of the image; the service's when `None`.
    pub platform: Option<String>,
    /// Where layers of earlier builds are read from and kept.
    pub cache: BuildCache,
    /// Who builds; found by itself when `None`.
    pub engine: Option<Engine>,
}

/// Where the value of a build's secret is read from, when the build begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildSecret {
    /// An environment variable of the tool.
    Env(String),
    /// A file, from the top of the workspace.
    File(String),
}

/// Caches outside the engine, as `docker buildx build` names them in `--cache-from` and `--cache-to`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BuildCache {
    /// What to read.
    pub from: Vec<String>,
    /// What to write.
    pub to: Vec<String>,
}

/// A container engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Docker, with BuildKit where buildx is installed.
    Docker,
    /// Podman.
    Podman,
    /// Buildah.
    Buildah,
}

impl Engine {
    /// All, in the order in which they are looked for.
    pub const ALL: [Self; 3] = [Self::Docker, Self::Podman, Self::Buildah];

    /// Its program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Buildah => "buildah",
        }
    }
}
