//! `build`: how a service's image is made.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::setting::Setting;
use crate::model::Engine;

/// How an image is made.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Build {
    /// Compile this package of the workspace into a static binary and put it into an image at `/app/PACKAGE`.
    #[schemars(length(min = 1, max = 64))]
    pub(crate) cargo: Option<Setting<String>>,
    /// Have docker, podman or buildah build this Dockerfile instead; its path is from the top of the workspace.
    #[schemars(length(min = 1))]
    pub(crate) dockerfile: Option<Setting<String>>,
    /// The folder that the Dockerfile may copy from; its own when omitted.
    #[schemars(length(min = 1))]
    pub(crate) context: Option<Setting<String>>,
    /// The Dockerfile's stage; the last one when omitted.
    #[schemars(length(min = 1))]
    pub(crate) target: Option<Setting<String>>,
    /// Values of the Dockerfile's `ARG`s. They stay readable in the image: no secrets.
    pub(crate) args: BTreeMap<Setting<String>, Setting<String>>,
    /// Secrets for the Dockerfile's `RUN --mount=type=secret,id=ID`: ID = `{ env = "VARIABLE" }` or `{ file = "PATH" }`. They
    /// reach no image, argument or log. Docker needs BuildKit for them.
    pub(crate) secrets: BTreeMap<Setting<String>, Setting<BuildSecret>>,
    /// The image's platform, such as `linux/amd64`: that of `architecture` when omitted, which it may only make narrower
    /// (`linux/amd64/v3`).
    #[schemars(length(min = 1))]
    pub(crate) platform: Option<Setting<String>>,
    /// Caches outside the engine, for machines that begin without one.
    pub(crate) cache: Setting<BuildCache>,
    /// Who builds the Dockerfile; the first that is installed of `docker`, `podman` and `buildah` when omitted.
    pub(crate) engine: Option<Setting<Engine>>,
}

/// Where a build's secret is read from when the build begins: one of the two.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct BuildSecret {
    /// The environment variable that holds it where the tool runs.
    #[schemars(length(min = 1, max = 255))]
    pub(crate) env: Option<Setting<String>>,
    /// The file that holds it, as it is; its path is from the top of the workspace.
    #[schemars(length(min = 1, max = 4096))]
    pub(crate) file: Option<Setting<String>>,
}

/// Caches outside the engine, in the words of `docker buildx build --cache-from` and `--cache-to`, such as `type=gha` or
/// `type=registry,ref=HOST/NAME`. A cache changes no image: builders that cannot use one say so and build without it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct BuildCache {
    /// Where layers of earlier builds are read from.
    #[schemars(length(max = 20))]
    pub(crate) from: Vec<Setting<String>>,
    /// Where the layers are kept for the next build.
    #[schemars(length(max = 20))]
    pub(crate) to: Vec<Setting<String>>,
}
