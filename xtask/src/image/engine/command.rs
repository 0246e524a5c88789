//! What each engine is asked, as command lines. They hold no secret.

use std::path::Path;

use deploy::model::{Architecture, Build, Engine};

use super::builder::{Builder, Kind};
use super::cache::Cache;
use super::{Job, secret};
use crate::host::Program;
use crate::image;

/// Files that a build writes besides the image.
pub(super) struct Results<'a> {
    pub(super) id: &'a Path,
    /// For what buildx says of the image.
    pub(super) metadata: &'a Path,
}

/// Builds, and writes the image's id.
pub(super) fn build(builder: &Builder, job: &Job<'_>, cache: Cache<'_>, results: &Results<'_>) -> Program {
    let Job { dockerfile, architecture, no_cache, .. } = *job;
    let mut args = Args::default();
    match builder.kind {
        // `docker build` would pass over the builder that `docker buildx use` chose, which may be the one with a cache.
        Kind::Buildx => args.words(&["buildx", "build", "--load", "--progress=plain"]),
        Kind::BuildKit => args.words(&["build", "--progress=plain"]),
        Kind::Classic | Kind::Buildah => args.words(&["build"]),
    }
    args.pair("--file", dockerfile.file());
    args.pair("--iidfile", &results.id.display().to_string());
    if builder.kind == Kind::Buildx {
        args.pair("--metadata-file", &results.metadata.display().to_string());
    }
    if no_cache {
        args.words(&["--no-cache"]);
    }
    if let Some(target) = &dockerfile.target {
        args.pair("--target", target);
    }
    for (name, value) in &dockerfile.args {
        args.pair("--build-arg", &format!("{name}={value}"));
    }
    for (id, secret) in &dockerfile.secrets {
        args.pair("--secret", &secret::option(id, secret));
    }
    // Old daemons refuse the classic builder any platform; its own is the machine's.
    if builder.kind != Kind::Classic || dockerfile.platform.is_some() || !is_native(architecture) {
        args.pair("--platform", &platform(dockerfile, architecture));
    }
    for from in cache.from {
        args.pair("--cache-from", from);
    }
    for to in cache.to {
        args.pair("--cache-to", to);
    }
    if builder.kind == Kind::Buildah {
        // Docker's images are what everybody runs; OCI's leave the health check out.
        args.words(&["--format", "docker", "--layers"]);
    }
    args.words(&[&dockerfile.context]);
    let program = args.of(builder);
    match builder.kind {
        // An attestation would make an index of the image, with a time in it.
        Kind::Buildx => program.env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1"),
        Kind::BuildKit => program.env("DOCKER_BUILDKIT", "1"),
        Kind::Classic => program.env("DOCKER_BUILDKIT", "0"),
        Kind::Buildah => program,
    }
}

/// The platform to build for, such as `linux/amd64`.
pub(super) fn platform(dockerfile: &Build, architecture: Architecture) -> String {
    let own = || {
        let platform = image::platform(architecture);
        format!("{}/{}", platform.os, platform.architecture)
    };
    dockerfile.platform.clone().unwrap_or_else(own)
}

/// Prints an image's id for its id or its digest, and fails for an image that the engine does not have.
pub(super) fn inspect(builder: &Builder, image: &str) -> Program {
    let mut args = Args::default();
    match builder.engine {
        Engine::Docker | Engine::Podman => args.words(&["image", "inspect", "--format", "{{.Id}}", image]),
        Engine::Buildah => args.words(&["inspect", "--type", "image", "--format", "{{.FromImageID}}", image]),
    }
    args.of(builder)
}

/// Prints the digests that an image has in registries, as far as the engine knows them, and fails as [`inspect`] does.
pub(super) fn inspect_digests(builder: &Builder, image: &str) -> Program {
    let mut args = Args::default();
    match builder.engine {
        Engine::Docker | Engine::Podman => {
            args.words(&["image", "inspect", "--format", "{{json .RepoDigests}}", image]);
        }
        Engine::Buildah => {
            args.words(&["inspect", "--type", "image", "--format", "{{.FromImageDigest}}", image]);
        }
    }
    args.of(builder)
}

/// Writes an image to a file, in the format of `docker save`.
pub(super) fn save(builder: &Builder, id: &str, file: &Path) -> Program {
    let file = file.display().to_string();
    let mut args = Args::default();
    match builder.engine {
        Engine::Docker => args.words(&["save", "--output", &file, id]),
        Engine::Podman => args.words(&["save", "--format", "docker-archive", "--output", &file, id]),
        Engine::Buildah => args.words(&["push", id, &format!("docker-archive:{file}")]),
    }
    args.of(builder)
}

/// A command line that grows.
#[derive(Default)]
struct Args(Vec<String>);

impl Args {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(|word| (*word).to_owned()));
    }

    fn pair(&mut self, option: &str, value: &str) {
        self.words(&[option, value]);
    }

    fn of(&self, builder: &Builder) -> Program {
        let args: Vec<&str> = self.0.iter().map(String::as_str).collect();
        Program::new(&builder.program, &args)
    }
}

/// Whether the tool, and so the engine, runs on such a machine.
fn is_native(architecture: Architecture) -> bool {
    match architecture {
        Architecture::X86_64 => cfg!(target_arch = "x86_64"),
        Architecture::Arm64 => cfg!(target_arch = "aarch64"),
    }
}
