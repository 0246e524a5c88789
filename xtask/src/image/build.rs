//! From services to images: compile each package, then assemble its image; Dockerfiles are an engine's work, at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use deploy::model::{Architecture, Container, Service, ServiceKey};
use futures_util::future::{try_join, try_join_all};

use super::cargo::{self, Executable};
use super::{BuildEvent, Built, Error, Image, Shared, assemble, elf, engine, layout, platform};
use crate::host::Host;

/// Builds the images of `services`; cargo compiles nothing that is up to date. A copy of each is left in
/// `target/image/oci/<service>` as an OCI layout, which other tools can read.
///
/// A Dockerfile whose inputs are those of the image that is there is not built, nor one whose image is in the registry, as far as
/// `shared` knows; `no_cache` has it built all the same, and without the engine's own cache.
///
/// `on_event` gets the compiler's and the engines' lines as they come.
///
/// # Errors
/// [`Error`]; a compiler's diagnostics are in it as they were printed.
pub async fn build(
    host: &Host,
    workspace: &Path,
    services: &[&Service],
    no_cache: bool,
    shared: Option<&Shared<'_>>,
    on_event: &(dyn Fn(BuildEvent<'_>) + Sync),
) -> Result<BTreeMap<ServiceKey, Built>, Error> {
    let on_line = |line: &str| on_event(BuildEvent::Line { service: None, line });
    let wanted: Vec<Wanted> = services.iter().filter_map(|service| Wanted::of(service)).collect();
    let engines = services.iter().filter(|service| service.builds() && service.build.dockerfile.is_some());
    // Engines and cargo at the same time: neither waits for the other's locks.
    let built = engines.map(|service| async move {
        let (key, dockerfile, architecture) = (&service.key, &service.build, service.architecture);
        let job = engine::Job { workspace, service: key, dockerfile, architecture, no_cache };
        let built = engine::build(host, &job, shared, on_event).await?;
        if let Built::Here(image) = &built
            && let Some(text) = undeclared_tmp(&service.container, image)
        {
            on_event(BuildEvent::Noted { service: key, text });
        }
        Ok::<_, Error>((key.clone(), built))
    });
    let (made, built) = try_join(make(host, workspace, &wanted, &on_line), try_join_all(built)).await?;
    let made = made.into_iter().map(|(key, image)| (key, Built::Here(Box::new(image))));
    let mut images: BTreeMap<_, _> = made.chain(built).collect();
    for service in services {
        let source = service.build.same_as.as_ref().and_then(|source| images.get(source).cloned());
        images.extend(source.map(|image| (service.key.clone(), image)));
    }
    Ok(images)
}

/// A note on an image whose `/tmp` would belong to root on Fargate.
fn undeclared_tmp(container: &Container, image: &Image) -> Option<&'static str> {
    (container.tmp && container.readonly_root && !image.declares_tmp()).then_some(
        "the image does not declare /tmp as a volume, so on Fargate only root can write to it: add \
         `RUN mkdir -p /tmp && chmod 1777 /tmp` and `VOLUME /tmp` to the last stage of its Dockerfile",
    )
}

/// What an image is to be.
#[derive(Clone, Debug)]
struct Wanted {
    service: ServiceKey,
    package: String,
    port: u16,
    tmp: bool,
    architecture: Architecture,
}

impl Wanted {
    fn of(service: &Service) -> Option<Self> {
        Some(Self {
            service: service.key.clone(),
            package: service.build.cargo.clone().filter(|_| service.builds())?,
            port: service.container.port,
            tmp: service.container.tmp,
            architecture: service.architecture,
        })
    }
}

async fn make(
    host: &Host,
    workspace: &Path,
    wanted: &[Wanted],
    on_line: &(dyn Fn(&str) + Sync),
) -> Result<BTreeMap<ServiceKey, Image>, Error> {
    let mut images = BTreeMap::new();
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        let wanted = || wanted.iter().filter(|wanted| wanted.architecture == architecture);
        let packages: BTreeSet<&str> = wanted().map(|wanted| wanted.package.as_str()).collect();
        let mut executables: BTreeMap<String, Executable> = BTreeMap::new();
        // One after the other: they share a target folder, which cargo locks.
        for package in packages {
            executables.extend(cargo::compile(host, workspace, architecture, package, on_line).await?);
        }
        let jobs = wanted().filter_map(|wanted| {
            let executable = executables.get(&wanted.package)?.clone();
            let layout = workspace.join("target").join("image").join("oci").join(&wanted.service.0);
            let job = Job { wanted: wanted.clone(), executable, layout };
            Some(async move {
                // Hashing and compressing take tenths of a second of a whole core each.
                let finished = tokio::task::spawn_blocking(move || job.run()).await;
                let image = finished.map_err(|_| Error::Interrupted(wanted.package.clone()))??;
                Ok::<_, Error>((wanted.service.clone(), image))
            })
        });
        images.extend(try_join_all(jobs).await?);
    }
    Ok(images)
}

/// The making of one image from one executable.
struct Job {
    wanted: Wanted,
    executable: Executable,
    layout: PathBuf,
}

impl Job {
    fn run(self) -> Result<Image, Error> {
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        let Wanted { package, port, tmp, architecture, .. } = &self.wanted;
        let bytes = std::fs::read(&self.executable.path).map_err(file(&self.executable.path))?;
        elf::check(&bytes, *architecture)
            .map_err(|fault| Error::Executable { package: package.clone(), fault })?;
        let recipe = assemble::Recipe {
            package,
            version: &self.executable.version,
            port: *port,
            platform: &platform::platform(*architecture),
            tmp: *tmp,
            executable: &bytes,
        };
        let image = assemble::assemble_with(&recipe, &layout::layers(&self.layout))
            .map_err(|source| Error::Assemble { package: package.clone(), source })?;
        layout::write(&self.layout, &image).map_err(file(&self.layout))?;
        Ok(image)
    }
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
