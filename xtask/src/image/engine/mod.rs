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
mod inputs;
mod secret;
mod steps;

pub use failure::Failure;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use deploy::model::{Architecture, Build, Engine, ServiceKey};

use builder::{Builder, Kind};
use cache::Cache;
use command::Results;
use inputs::{Bases, Common, Inputs};
use secret::Secrets;
use serde_json::Value;

use super::{BuildEvent, Built, Error, Image, Shared, layout};
use crate::host::{Host, Program, Stream};

/// Lines that are kept of a build, to find the failing step in.
const KEPT_LINES: usize = 2000;

/// What one image is built from.
pub(super) struct Job<'a> {
    /// The top of the workspace, from which paths are meant.
    pub(super) workspace: &'a Path,
    pub(super) service: &'a ServiceKey,
    pub(super) dockerfile: &'a Build,
    /// What its tasks run on.
    pub(super) architecture: Architecture,
    /// Whether to build an image that is known already.
    pub(super) no_cache: bool,
}

/// Finds what builds Dockerfiles, and asks whether it answers. Returns its name.
///
/// # Errors
/// [`Failure`] when there is none, or it does not answer.
pub async fn find(host: &Host, named: Option<Engine>) -> Result<String, Failure> {
    let Builder { engine, kind, program } = builder::choose(host, named).await?;
    // A client has a version without its daemon, and no information.
    let info = host.shell.capture(&Program::new(&program, &["info"])).await.map_err(Failure::Process)?;
    if info.exit.success() {
        return Ok(format!("{} at {}", kind.name(), program.display()));
    }
    let lines: Vec<String> = String::from_utf8_lossy(&info.stderr).lines().map(str::to_owned).collect();
    Err(match Failure::of(engine, &lines) {
        Failure::Build { .. } => Failure::Stopped(engine),
        failure => failure,
    })
}

/// Builds one Dockerfile. Where its inputs are those of the image that is there, or of one in the registry, the engine is not
/// asked; and a build that gives the image of before is not taken out of the engine again.
///
/// # Errors
/// [`Error::Engine`] without an engine, or when the build fails; [`Error::File`] for files of the build folder.
pub(super) async fn build(
    host: &Host,
    job: &Job<'_>,
    shared: Option<&Shared<'_>>,
    on_event: &(dyn Fn(BuildEvent<'_>) + Sync),
) -> Result<Built, Error> {
    let Job { service, dockerfile, .. } = *job;
    let fails = |failure| Error::Engine { service: service.clone(), failure };
    for path in [dockerfile.file(), &dockerfile.context] {
        if !job.workspace.join(path).exists() {
            return Err(fails(Failure::Nothing(PathBuf::from(path))));
        }
    }
    let builder = builder::choose(host, dockerfile.engine).await.map_err(fails)?;
    let folder = Folder::of(job);
    let before = state(host, job, &builder).await;
    let here = match &before {
        Some((inputs, bases)) if !job.no_cache => folder.image(&folder.inputs, &inputs.digest(bases)),
        _ => None,
    };
    let common = match (&here, &before) {
        (Some(_), _) => None,
        (None, before) => common(shared, before.as_ref().map(|(inputs, _)| inputs)).await,
    };
    let known =
        here.as_ref().and_then(|image| image.inputs.as_ref()).or(common.as_ref().map(|it| &it.digest));
    if let (Some(inputs), Some(shared), false) = (known, shared, job.no_cache) {
        // Also where the image is here: machines with images of their own would replace each other's again and again.
        let there = (shared.made)(service.clone(), inputs.clone()).await;
        if let Some(digest) = there.filter(|digest| here.as_ref().is_none_or(|image| image.digest != *digest))
        {
            on_event(BuildEvent::Unchanged { service });
            return Ok(Built::There(digest));
        }
    }
    if let Some(image) = here {
        on_event(BuildEvent::Unchanged { service });
        return Ok(Built::Here(Box::new(image)));
    }
    std::fs::create_dir_all(&folder.top).map_err(file(&folder.top))?;
    let _ = std::fs::remove_file(&folder.shared);
    let id = ask(host, job, &builder, &folder, on_event).await?;
    let mut image = match folder.image(&folder.id, &id) {
        Some(image) => image,
        None => take(host, job, &builder, &folder, &id).await?,
    };
    // Once more: a file that was saved meanwhile may be in the image or not, and a base image may have been fetched.
    if let (Some((inputs, bases)), Some((inputs_now, bases_now))) = (before, state(host, job, &builder).await)
        && inputs.are(&inputs_now)
        && bases.became(&bases_now)
    {
        let inputs = inputs_now.digest(&bases_now);
        std::fs::write(&folder.inputs, mark(&inputs, &image)).map_err(file(&folder.inputs))?;
        if let Some(before) = common
            && self::common(shared, Some(&inputs_now)).await.as_ref() == Some(&before)
            && inputs_now.took(host, &builder, &before).await
        {
            std::fs::write(&folder.shared, mark(&before.digest, &image)).map_err(file(&folder.shared))?;
            image.inputs = Some(before.digest);
        }
    }
    Ok(Built::Here(Box::new(image)))
}

/// The inputs as every machine has them, where somebody can be asked.
async fn common(shared: Option<&Shared<'_>>, inputs: Option<&Inputs>) -> Option<Common> {
    inputs?.shared(shared?).await
}

/// The inputs as they are at this moment; `None` when they cannot be known.
async fn state(host: &Host, job: &Job<'_>, builder: &Builder) -> Option<(Inputs, Bases)> {
    let (workspace, dockerfile, kind) = (job.workspace.to_owned(), job.dockerfile.clone(), builder.kind);
    let platform = command::platform(job.dockerfile, job.architecture);
    let read = move || Inputs::read(kind, &workspace, &dockerfile, &platform);
    let inputs = tokio::task::spawn_blocking(read).await.ok().flatten()?;
    let bases = inputs.bases(host, builder).await;
    Some((inputs, bases))
}

/// Has the engine build, and gives the name under which it has the image.
async fn ask(
    host: &Host,
    job: &Job<'_>,
    builder: &Builder,
    folder: &Folder,
    on_event: &(dyn Fn(BuildEvent<'_>) + Sync),
) -> Result<String, Error> {
    let Job { workspace, service, dockerfile, .. } = *job;
    let fails = |failure| Error::Engine { service: service.clone(), failure };
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
        // BuildKit sets its steps apart by empty lines, which say nothing where services are mixed.
        if !line.is_empty() {
            on_event(BuildEvent::Line { service: Some(service), line });
        }
    };
    let results = Results { id: &folder.made, metadata: &folder.metadata };
    let program = command::build(builder, job, cache, &results).in_dir(workspace);
    run(host, &program, builder.engine, &secrets, &on_line).await.map_err(fails)?;
    let id = std::fs::read_to_string(&folder.made).map_err(file(&folder.made))?.trim().to_owned();
    known(host, builder, id, &folder.metadata).await.map_err(fails)
}

/// Takes an image out of the engine.
async fn take(
    host: &Host,
    job: &Job<'_>,
    builder: &Builder,
    folder: &Folder,
    id: &str,
) -> Result<Image, Error> {
    let Job { service, .. } = *job;
    // Read while the engine writes.
    let before = folder.layout.clone();
    let before = tokio::task::spawn_blocking(move || layout::read(&before));
    run(host, &command::save(builder, id, &folder.archive), builder.engine, &Secrets::default(), &|_| {})
        .await
        .map_err(|failure| Error::Engine { service: service.clone(), failure })?;
    let before = before.await.map_err(|_| Error::Interrupted(service.0.clone()))?;
    let archive = folder.archive.clone();
    let read = tokio::task::spawn_blocking(move || archive::read(&archive, before.as_ref())).await;
    let read = read.map_err(|_| Error::Interrupted(service.0.clone()))?;
    let image = read.map_err(file(&folder.archive))?;
    layout::write(&folder.layout, &image).map_err(file(&folder.layout))?;
    // Last, as the mark that the layout is whole and of this image.
    std::fs::write(&folder.id, mark(id, &image)).map_err(file(&folder.id))?;
    std::fs::remove_file(&folder.archive).map_err(file(&folder.archive))?;
    Ok(image)
}

/// Where a service's image is kept between builds, all below `target/image`.
struct Folder {
    top: PathBuf,
    layout: PathBuf,
    /// [`mark`] of the engine's id.
    id: PathBuf,
    inputs: PathBuf,
    /// [`mark`] of the inputs as every machine has them.
    shared: PathBuf,
    /// The id that a build gives.
    made: PathBuf,
    /// What buildx says of it.
    metadata: PathBuf,
    archive: PathBuf,
}

impl Folder {
    fn of(job: &Job<'_>) -> Self {
        let top = job.workspace.join("target").join("image");
        let of = |what: &str| top.join(format!("{}.{what}", job.service));
        Self {
            layout: top.join("oci").join(&job.service.0),
            id: of("id"),
            inputs: of("inputs"),
            shared: of("shared-inputs"),
            made: of("new-id"),
            metadata: of("metadata"),
            archive: of("tar"),
            top,
        }
    }

    /// The image that is there, where the file `marked` says that it is the one of `name`. The layout may hold what a
    /// package's build left there since.
    fn image(&self, marked: &Path, name: &str) -> Option<Image> {
        let before = std::fs::read_to_string(marked).ok()?;
        let mut image = layout::read(&self.layout).filter(|image| before == mark(name, image))?;
        let shared = std::fs::read_to_string(&self.shared).unwrap_or_default();
        let inputs = shared.strip_suffix(&image.digest.0).map(|inputs| inputs.trim_end().to_owned());
        image.inputs = inputs;
        Some(image)
    }
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
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

/// What an image was made of or is called by its engine, and the digest that it got here.
fn mark(name: &str, image: &Image) -> String {
    format!("{name} {}", image.digest)
}

async fn run(
    host: &Host,
    program: &Program,
    engine: Engine,
    secrets: &Secrets,
    on_line: &(dyn Fn(&str) + Sync),
) -> Result<(), Failure> {
    let mut last = VecDeque::new();
    let report = |_: Stream, line: &str| {
        let line = secrets.hide(line);
        on_line(&line);
        if last.len() == KEPT_LINES {
            last.pop_front();
        }
        last.push_back(line);
    };
    let exit = host.shell.stream(program, report).await.map_err(Failure::Process)?;
    if exit.success() {
        return Ok(());
    }
    Err(Failure::of(engine, last.make_contiguous()))
}

#[cfg(all(test, unix))]
#[path = "engine_tests.rs"]
mod tests;
