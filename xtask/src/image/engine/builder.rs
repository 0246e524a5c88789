//! Which program builds, and what it is capable of.
//!
//! Docker has three builders behind one command: buildx, a plugin of its client; BuildKit from within a client before 23; and
//! the classic one. Asking a client without the plugin for BuildKit is an error of its own, so what is there is looked for
//! first.

use std::path::PathBuf;

use deploy::model::Engine;

use super::Failure;
use crate::host::{Host, Program, Shell};

/// The first version of Docker's client whose BuildKit is the plugin.
const PLUGIN_SINCE: u32 = 23;

/// An engine, and where its program is.
#[derive(Clone, Debug)]
pub(super) struct Builder {
    /// What it was found as.
    pub(super) engine: Engine,
    pub(super) kind: Kind,
    pub(super) program: PathBuf,
}

/// What a build is carried out by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Buildx,
    /// BuildKit, through an older client of Docker that needs no plugin.
    BuildKit,
    /// Docker's builder from before BuildKit.
    Classic,
    /// Buildah, also from within Podman.
    Buildah,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Buildx => "buildx",
            Self::BuildKit => "Docker's BuildKit without buildx",
            Self::Classic => "Docker's classic builder",
            Self::Buildah => "Buildah",
        }
    }
}

/// The engine that is named, or the first that is installed.
pub(super) async fn choose(host: &Host, named: Option<Engine>) -> Result<Builder, Failure> {
    let find = |engine: Engine| host.shell.find(engine.program()).map(|program| (engine, program));
    let (engine, program) = match named {
        Some(engine) => find(engine).ok_or(Failure::NotInstalled(engine))?,
        None => Engine::ALL.into_iter().find_map(find).ok_or(Failure::None)?,
    };
    let kind = match engine {
        Engine::Podman | Engine::Buildah => Kind::Buildah,
        Engine::Docker => {
            let version = said(&host.shell, &program, &["--version"]).await?.unwrap_or_default();
            // Podman's stand-in for Docker.
            if version.to_ascii_lowercase().contains("podman") {
                return Ok(Builder { engine: Engine::Podman, kind: Kind::Buildah, program });
            }
            let refused = host.env.get("DOCKER_BUILDKIT").is_some_and(|_| !host.env.flag("DOCKER_BUILDKIT"));
            if refused {
                Kind::Classic
            } else if said(&host.shell, &program, &["buildx", "version"]).await?.is_some() {
                Kind::Buildx
            } else {
                match major(&version) {
                    Some(version) if version < PLUGIN_SINCE => Kind::BuildKit,
                    _ => Kind::Classic,
                }
            }
        }
    };
    Ok(Builder { engine, kind, program })
}

/// What the program prints; `None` when it fails.
async fn said(shell: &Shell, program: &PathBuf, args: &[&str]) -> Result<Option<String>, Failure> {
    let output = shell.capture(&Program::new(program, args)).await.map_err(Failure::Process)?;
    Ok(output.exit.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// `20` of `Docker version 20.10.24+dfsg1, build 297e128`.
fn major(version: &str) -> Option<u32> {
    let digits = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.split('.').next()?.parse().ok()
}
