//! Why an engine gave no image.

use std::path::PathBuf;

use deploy::model::Engine;

use super::steps::{self, Failed};
use crate::host::ProcessError;

/// How Docker says that its daemon is not there, and Podman that its machine is not; versions differ in the capitals.
const STOPPED: [&str; 4] = [
    "cannot connect to the docker daemon",
    "failed to connect to the docker api",
    "docker daemon is not running",
    "cannot connect to podman",
];
/// How Docker says that its socket is somebody else's.
const NOT_ALLOWED: [&str; 2] = [
    "permission denied while trying to connect to the docker daemon",
    "permission denied while trying to connect to the docker api",
];

/// An engine gave no image.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("there is no container engine on PATH: neither docker, nor podman, nor buildah")]
    None,
    /// The one that deploy.toml names is not installed.
    #[error("{} is not installed, or not on PATH", .0.program())]
    NotInstalled(Engine),
    /// The engine's daemon or machine does not answer.
    #[error("{} is installed, and {} does not answer", .0.program(), server(*.0))]
    Stopped(Engine),
    /// The daemon is not this user's to talk to.
    #[error("docker is installed, and this user may not talk to its daemon")]
    NotAllowed,
    /// The Dockerfile or its context is not there.
    #[error("there is no {}", .0.display())]
    Nothing(PathBuf),
    /// A builder without secrets is to use some.
    #[error("the Dockerfile is to get secrets, and Docker's classic builder knows none: BuildKit is needed")]
    ClassicSecrets,
    /// A secret has no value.
    #[error("the build's secret `{id}` is not there: {why}")]
    Secret { id: String, why: String, remedy: String },
    /// A step of the build failed.
    #[error("{} could not build it; {}:\n{}", engine.program(), failing(step.as_deref()), last.join("\n"))]
    Build {
        engine: Engine,
        /// The step that failed, such as `[2/3] RUN npm ci`.
        step: Option<String>,
        /// The last lines that it printed.
        last: Vec<String>,
    },
    /// The program could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl Failure {
    /// What the lines of an engine that failed mean. That a daemon is gone is said in words only.
    pub(super) fn of(engine: Engine, lines: &[String]) -> Self {
        // Steps may print the same words of a daemon that is none of ours.
        let Failed { step, last } = steps::failed(lines);
        let lines: Vec<String> = last.iter().map(|line| line.to_lowercase()).collect();
        let says = |words: &[&str]| {
            step.is_none() && words.iter().any(|text| lines.iter().any(|line| line.contains(text)))
        };
        match engine {
            Engine::Docker if says(&NOT_ALLOWED) => Self::NotAllowed,
            Engine::Docker | Engine::Podman if says(&STOPPED) => Self::Stopped(engine),
            _ => Self::Build { engine, step, last },
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::None => {
                Some("install Docker, Podman or Buildah, or build a package: `build = { cargo = \"…\" }`")
            }
            Self::NotInstalled(_) => Some("install it, or take `engine` out of deploy.toml"),
            Self::Stopped(Engine::Podman) => Some("start it: `podman machine start`"),
            Self::Stopped(_) => Some("start it: `sudo systemctl start docker`, or Docker Desktop"),
            Self::NotAllowed => {
                Some("join its group: `sudo usermod -aG docker $USER`, and log in again; or install Podman")
            }
            Self::Build { last, .. } if last.iter().any(|line| line.contains("requires BuildKit")) => {
                Some("install buildx: package docker-buildx or docker-buildx-plugin")
            }
            Self::Nothing(_) => Some("`dockerfile` and `context` are paths from the top of the workspace"),
            Self::ClassicSecrets => Some(
                "install buildx (package docker-buildx or docker-buildx-plugin) and leave DOCKER_BUILDKIT unset, or name \
                 another `engine`",
            ),
            Self::Secret { remedy, .. } => Some(remedy),
            Self::Build { .. } | Self::Process(_) => None,
        }
    }
}

fn server(engine: Engine) -> &'static str {
    if engine == Engine::Podman { "its machine" } else { "its daemon" }
}

fn failing(step: Option<&str>) -> String {
    step.map_or_else(|| "its last lines".to_owned(), |step| format!("the step `{step}` failed"))
}
