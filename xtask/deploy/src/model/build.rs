//! `build`: how a service's image is made.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ServiceKey;

/// How an image is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Build {
    /// Compile this package of the workspace into a static binary and put it into an image at `/app/PACKAGE`.
    #[schemars(length(min = 1, max = 64))]
    pub cargo: Option<String>,
    /// Have docker, podman or buildah build this Dockerfile instead; its path is from the top of the workspace.
    #[schemars(length(min = 1))]
    pub dockerfile: Option<String>,
    /// Use the image of this service, and build none: such as a worker that has another `command`.
    pub same_as: Option<ServiceKey>,
    /// The folder that the Dockerfile may copy from; its own when omitted.
    #[schemars(length(min = 1))]
    pub context: String,
    /// The Dockerfile's stage; the last one when omitted.
    #[schemars(length(min = 1))]
    pub target: Option<String>,
    /// Values of the Dockerfile's `ARG`s. They stay readable in the image: no secrets.
    pub args: BTreeMap<String, String>,
    /// Secrets for the Dockerfile's `RUN --mount=type=secret,id=ID`: ID = `{ env = "VARIABLE" }` or `{ file = "PATH" }`. They
    /// reach no image, argument or log. Docker needs BuildKit for them.
    pub secrets: BTreeMap<String, BuildSecret>,
    /// The image's platform, such as `linux/amd64`: that of `architecture` when omitted, which it may only make narrower
    /// (`linux/amd64/v3`).
    #[schemars(length(min = 1))]
    pub platform: Option<String>,
    /// Caches outside the engine, for machines that begin without one.
    pub cache: BuildCache,
    /// Who builds the Dockerfile; the first that is installed of `docker`, `podman` and `buildah` when omitted.
    pub engine: Option<Engine>,
}

impl Build {
    /// The Dockerfile's path; empty where a package is compiled.
    pub fn file(&self) -> &str {
        self.dockerfile.as_deref().unwrap_or_default()
    }
}

/// Where a build's secret is read from when the build begins: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct BuildSecret {
    /// The environment variable that holds it where the tool runs.
    #[schemars(length(min = 1, max = 255))]
    pub env: Option<String>,
    /// The file that holds it, as it is; its path is from the top of the workspace.
    #[schemars(length(min = 1, max = 4096))]
    pub file: Option<String>,
}

/// Caches outside the engine, in the words of `docker buildx build --cache-from` and `--cache-to`, such as `type=gha` or
/// `type=registry,ref=HOST/NAME`. A cache changes no image: builders that cannot use one say so and build without it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct BuildCache {
    /// Where layers of earlier builds are read from.
    #[schemars(length(max = 20))]
    pub from: Vec<String>,
    /// Where the layers are kept for the next build.
    #[schemars(length(max = 20))]
    pub to: Vec<String>,
}

/// The container engine that builds a Dockerfile.
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

    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Buildah => "buildah",
        }
    }
}

/// The ECR repository that holds a service's images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Repository {
    /// The repository's name, which may contain slashes.
    pub name: String,
    /// Whether a tag can be pushed once only.
    pub immutable_tags: bool,
    /// How many images are kept, 5 at least. Each release pushes at most one: this is how far back `rollback` can go. 0 leaves
    /// the repository's lifecycle policy as it is.
    #[schemars(range(min = 0, max = 1000))]
    pub keep_images: u32,
}

impl Default for Repository {
    fn default() -> Self {
        Self { name: String::new(), immutable_tags: true, keep_images: 30 }
    }
}
