//! Images from Dockerfiles: an engine builds, and everything after that is the same as for a package.
//!
//! The engine is asked for the built image as an archive. Its layers are compressed here and pushed by this tool, so the
//! engine needs no credentials, the digest is known before the plan is made, and the same content has the same digest
//! whichever engine built it.

mod archive;
mod builder;
mod cache;
mod command;
mod failure;
mod secret;

pub use failure::Failure;

use std::collections::VecDeque;
use std::path::Path;

use deploy::model::{Architecture, Dockerfile, Engine, ServiceKey};

use builder::{Builder, Kind};
use cache::Cache;
use command::Told;
use secret::Secrets;
use serde_json::Value;

use super::{BuildEvent, Error, Image, layout};
use crate::host::{Host, Program, Stream};

/// Lines that are kept of a build that fails.
const LAST_LINES: usize = 20;

/// Builds one Dockerfile. A build that gives the image of before is not taken out of the engine again.
///
/// # Errors
/// [`Error::Engine`] without an engine, or when the build fails; [`Error::File`] for files of the build folder.
pub(super) async fn build(
    host: &Host,
    workspace: &Path,
    service: &ServiceKey,
    dockerfile: &Dockerfile,
    architecture: Architecture,
    on_event: &(dyn Fn(BuildEvent<'_>) + Sync),
) -> Result<Image, Error> {
    let fails = |failure| Error::Engine { service: service.clone(), failure };
    let builder = builder::choose(host, dockerfile.engine).await.map_err(fails)?;
    if builder.kind == Kind::Classic && !dockerfile.secrets.is_empty() {
        return Err(fails(Failure::ClassicSecrets));
    }
    let secrets = Secrets::read(&host.env, workspace, &dockerfile.secrets).map_err(fails)?;
    let cache = Cache::of(builder.kind, &dockerfile.cache);
    if !cache.left.is_empty() {
        let text = format!("{} cannot use the cache {}", builder.kind.name(), cache.left.join(" "));
        on_event(BuildEvent::Noted { service, text: &text });
    }
    let on_line = |line: &str| {
        on_event(BuildEvent::Line { service: Some(service), line });
    };
    let folder = workspace.join("target").join("image");
    let (layout, id_file) = (folder.join("oci").join(&service.0), folder.join(format!("{service}.id")));
    let scratch = |what: &str| folder.join(format!("{service}.{what}"));
    let (made, metadata, archive) = (scratch("new-id"), scratch("metadata"), scratch("tar"));
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    std::fs::create_dir_all(&folder).map_err(file(&folder))?;
    let told = Told { id: &made, metadata: &metadata };
    let program = command::build(&builder, dockerfile, architecture, cache, &told).in_dir(workspace);
    run(host, &program, builder.engine, &secrets, &on_line).await.map_err(fails)?;
    let id = std::fs::read_to_string(&made).map_err(file(&made))?.trim().to_owned();
    let id = known(host, &builder, id, &metadata).await.map_err(fails)?;
    // The layout may hold what a package's build left there since.
    let before = std::fs::read_to_string(&id_file).unwrap_or_default();
    if let Some(image) = layout::read(&layout).filter(|image| before == mark(&id, image)) {
        return Ok(image);
    }
    run(host, &command::save(&builder, &id, &archive), builder.engine, &secrets, &|_| {})
        .await
        .map_err(fails)?;
    let job = {
        let archive = archive.clone();
        move || archive::read(&archive)
    };
    let read = tokio::task::spawn_blocking(job).await.map_err(|_| Error::Interrupted(service.0.clone()))?;
    let image = read.map_err(file(&archive))?;
    layout::write(&layout, &image).map_err(file(&layout))?;
    // Last, as the mark that the layout is whole and of this image.
    std::fs::write(&id_file, mark(&id, &image)).map_err(file(&id_file))?;
    std::fs::remove_file(&archive).map_err(file(&archive))?;
    Ok(image)
}

/// The name by which the engine has the image of `id`. Where Docker keeps its images in containerd, that is the manifest's
/// digest, and buildx may have written the configuration's (docker/buildx#3952).
async fn known(host: &Host, builder: &Builder, id: String, metadata: &Path) -> Result<String, Failure> {
    let said: Option<Value> =
        std::fs::read(metadata).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let digest = said.as_ref().and_then(|said| said["containerimage.digest"].as_str());
    match digest {
        Some(digest) if builder.kind == Kind::Buildx && digest != id => {
            let there = host.shell.capture(&command::inspect(builder, &id)).await?;
            Ok(if there.exit.success() { id } else { digest.to_owned() })
        }
        _ => Ok(id),
    }
}

/// The engine's id of an image, and the digest that it got here.
fn mark(id: &str, image: &Image) -> String {
    format!("{id} {}", image.digest)
}

async fn run(
    host: &Host,
    program: &Program,
    engine: Engine,
    secrets: &Secrets,
    on_line: &(dyn Fn(&str) + Sync),
) -> Result<(), Failure> {
    let mut last = VecDeque::with_capacity(LAST_LINES);
    let told = |_: Stream, line: &str| {
        let line = secrets.hide(line);
        on_line(&line);
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(line);
    };
    let exit = host.shell.stream(program, told).await.map_err(Failure::Process)?;
    if exit.success() {
        return Ok(());
    }
    Err(Failure::of(engine, last.into()))
}

#[cfg(all(test, unix))]
#[path = "engine_tests.rs"]
mod tests;
