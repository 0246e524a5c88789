//! Why an engine gave no image.

use deploy::model::Engine;

use crate::host::ProcessError;

/// An engine gave no image.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No engine is installed.
    #[error("there is no container engine on PATH: neither docker, nor podman, nor buildah")]
    None,
    /// The one that deploy.toml names is not installed.
    #[error("{} is not installed, or not on PATH", .0.program())]
    NotInstalled(Engine),
    /// The engine's daemon does not answer.
    #[error("docker is installed, and its daemon does not answer")]
    Stopped,
    /// A builder without secrets is to use some.
    #[error("the Dockerfile is to get secrets, and Docker's classic builder knows none: BuildKit is needed")]
    ClassicSecrets,
    /// A secret has no value.
    #[error("the build's secret `{id}` is not there: {why}")]
    Secret {
        /// Its id.
        id: String,
        /// Why.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// A step of the build failed.
    #[error("{} could not build it; its last lines:\n{}", engine.program(), last.join("\n"))]
    Build {
        /// Who built.
        engine: Engine,
        /// The last lines that it printed.
        last: Vec<String>,
    },
    /// The program could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl Failure {
    /// What the last lines of an engine that failed mean. Docker tells that its daemon is gone in words only.
    pub(super) fn of(engine: Engine, last: Vec<String>) -> Self {
        let says = |text: &str| last.iter().any(|line| line.contains(text));
        if engine == Engine::Docker
            && (says("Cannot connect to the Docker daemon") || says("docker daemon is not running"))
        {
            return Self::Stopped;
        }
        Self::Build { engine, last }
    }

    /// What to do about it, when that can be told.
    pub(in crate::image) fn hint(&self) -> Option<&str> {
        match self {
            Self::None => {
                Some("install Docker, Podman or Buildah, or build a package: `build = { cargo = \"…\" }`")
            }
            Self::NotInstalled(_) => Some("install it, or take `engine` out of deploy.toml"),
            Self::Stopped => Some("start it: `sudo systemctl start docker`, or Docker Desktop"),
            Self::ClassicSecrets => Some(
                "install buildx (package docker-buildx or docker-buildx-plugin) and leave DOCKER_BUILDKIT unset, or name \
                 another `engine`",
            ),
            Self::Secret { remedy, .. } => Some(remedy),
            Self::Build { .. } | Self::Process(_) => None,
        }
    }
}
