//! What each engine is asked, as command lines. They hold no secret.

use std::path::Path;

use deploy::model::{Architecture, Dockerfile, Engine};

use super::Found;
use crate::host::Program;
use crate::image::platform;

/// Builds, and writes the image's id to `id_file`.
pub(super) fn build(
    found: &Found,
    dockerfile: &Dockerfile,
    architecture: Architecture,
    id_file: &Path,
) -> Program {
    let id_file = id_file.display().to_string();
    let mut args = vec!["build".to_owned(), "--file".to_owned(), dockerfile.file.clone()];
    args.extend(["--iidfile".to_owned(), id_file]);
    if let Some(target) = &dockerfile.target {
        args.extend(["--target".to_owned(), target.clone()]);
    }
    for (name, value) in &dockerfile.args {
        args.extend(["--build-arg".to_owned(), format!("{name}={value}")]);
    }
    // The builder of Docker without buildx takes no platform; its own is the machine's.
    if !is_native(architecture) {
        let platform = platform(architecture);
        args.extend(["--platform".to_owned(), format!("{}/{}", platform.os, platform.architecture)]);
    }
    if found.engine != Engine::Docker {
        // Docker's images are what everybody runs; OCI's leave the health check out.
        args.extend(["--format".to_owned(), "docker".to_owned(), "--layers".to_owned()]);
    }
    args.push(dockerfile.context.clone());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // An attestation would make an index of the image, with a time in it.
    Program::new(&found.program, &args).env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1")
}

/// Writes an image to a file, in the format of `docker save`.
pub(super) fn save(found: &Found, id: &str, file: &Path) -> Program {
    let file = file.display().to_string();
    let to = format!("docker-archive:{file}");
    let args: Vec<&str> = match found.engine {
        Engine::Docker => vec!["save", "--output", &file, id],
        Engine::Podman => vec!["save", "--format", "docker-archive", "--output", &file, id],
        Engine::Buildah => vec!["push", id, &to],
    };
    Program::new(&found.program, &args)
}

/// Whether the tool, and so the engine, runs on such a machine.
fn is_native(architecture: Architecture) -> bool {
    match architecture {
        Architecture::X86_64 => cfg!(target_arch = "x86_64"),
        Architecture::Arm64 => cfg!(target_arch = "aarch64"),
    }
}
