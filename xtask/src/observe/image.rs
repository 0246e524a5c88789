//! Images that others build: which digest their tags name now.

use deploy::event::Kind;
use deploy::model::{Environment, ImageDigest, ImageName, Observed, Platform, Release, Service};
use deploy::plan::Refusal;
use futures_util::future::join_all;

use crate::aws::{self, Aws};
use crate::host::{Host, HttpError};
use crate::image;
use crate::image::registry::{self, Access, Credential, Error as RegistryError, PushEvent, Registry};
use crate::report::Recorder;

/// An image that deploy.toml names, and what it is for.
struct Asked<'a> {
    service: &'a Service,
    /// The container that runs it.
    container: &'a str,
    written: &'a str,
    name: ImageName,
}

impl<'a> Asked<'a> {
    fn of(service: &'a Service, container: &'a str, written: Option<&'a String>) -> Option<Self> {
        let written = written?;
        Some(Self { service, container, written, name: ImageName::parse(written).ok()? })
    }

    /// The key of deploy.toml that names it.
    fn key(&self) -> String {
        match self.service.is_sidecar(self.container) {
            true => format!("{}.sidecar.{}", self.service.key, self.container),
            false => self.service.key.to_string(),
        }
    }
}

/// Adds to the release what others build, unless it is there, and gives what cannot be resolved. A digest is taken as it is
/// written: its registry is asked for nothing, and may be one that only ECS has the password of.
pub async fn resolve(
    host: &Host,
    aws: &Aws,
    events: &Recorder,
    environment: &Environment,
    observed: &Observed,
    release: &mut Release,
) -> Vec<Refusal> {
    let own = environment.services.iter().filter(|service| !release.images.contains_key(&service.key));
    let own = own.filter_map(|it| Asked::of(it, &it.container.name, it.image.as_ref()));
    let beside = environment.services.iter().flat_map(|service| {
        let named = service.sidecars.iter().filter_map(|it| {
            let asked = Asked::of(service, &it.container.name, it.image.as_ref())?;
            Some(asked).filter(|it| it.name.digest.is_none() && !release.tagged.contains_key(it.written))
        });
        named.collect::<Vec<_>>()
    });
    let asked = own.chain(beside).map(|asked| async move {
        let found = match (&asked.name.digest, &asked.name.tag) {
            (None, Some(tag)) => ask(host, aws, events, observed, &asked, tag).await,
            (digest, _) => Ok(digest.clone().unwrap_or_else(|| ImageDigest(String::new()))),
        };
        (found.map_err(|why| why.refusal(&asked)), asked)
    });
    let mut refusals = Vec::new();
    for (found, asked) in join_all(asked).await {
        let sidecar = asked.service.is_sidecar(asked.container);
        match found {
            Ok(digest) if sidecar => drop(release.tagged.insert(asked.written.to_owned(), digest)),
            Ok(digest) => drop(release.images.insert(asked.service.key.clone(), digest)),
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals
}

/// Why a tag names no image that can run.
pub(super) enum Unresolved {
    Missing,
    Hidden(String),
    Login(aws::Error),
    Platform { lacks: Platform, has: Vec<Platform> },
    Failed(String),
}

async fn ask(
    host: &Host,
    aws: &Aws,
    events: &Recorder,
    observed: &Observed,
    asked: &Asked<'_>,
    tag: &str,
) -> Result<ImageDigest, Unresolved> {
    let name = &asked.name;
    let base_url = registry::base_url(&name.host);
    let credential = credential(host, aws, name, &base_url).await?;
    let registry = Registry { base_url, repository: name.repository.clone(), credential };
    let running = running(observed, asked);
    let on_event =
        |event: PushEvent| event.warning().into_iter().for_each(|text| events.emit(Kind::Warned { text }));
    let found = registry::find(host, &registry, tag, running.as_ref(), &on_event).await;
    let found = found.map_err(|error| match error {
        RegistryError::Unauthorized { said, .. } | RegistryError::Denied { said, .. } => {
            Unresolved::Hidden(said)
        }
        error => Unresolved::Failed(error.to_string()),
    })?;
    let found = found.ok_or(Unresolved::Missing)?;
    let lacks = image::platform(asked.service.architecture);
    if found.platforms.is_empty() || found.platforms.contains(&lacks) {
        return Ok(found.digest);
    }
    Err(Unresolved::Platform { lacks, has: found.platforms })
}

/// The credential to read with: the caller's, for ECR in any account and region; none elsewhere.
pub(super) async fn credential(
    host: &Host,
    aws: &Aws,
    name: &ImageName,
    base_url: &str,
) -> Result<Option<Credential>, Unresolved> {
    let login = |login: aws::RegistryLogin| Credential::of_header(login.authorization.expose());
    // GetAuthorizationToken is asked in the image's region: its token reaches all registries there that the caller may read.
    if let Some((_, region)) = name.ecr() {
        let token = aws.registry_login(Some(region)).await.map_err(Unresolved::Login)?;
        return Ok(Some(login(token)));
    }
    let unreachable = |error: HttpError| Unresolved::Failed(format!("cannot reach {}: {error}", name.host));
    match registry::access(host, base_url, &name.repository).await.map_err(unreachable)? {
        Access::Open => Ok(None),
        Access::Token(credential) => Ok(Some(credential)),
        // The account's own registry under another host name, as the embedded cloud has one.
        Access::Password => {
            let own = aws.registry_login(None).await.ok();
            let here =
                |login: &aws::RegistryLogin| login.proxy_endpoint.ends_with(&format!("//{}", name.host));
            Ok(own.filter(here).map(login))
        }
    }
}

/// The image of this name that the container runs.
fn running(observed: &Observed, asked: &Asked<'_>) -> Option<ImageDigest> {
    let spec = &observed.services.get(&asked.service.key)?.task_definition.spec;
    let (written, digest) = spec.of_container(asked.container, "image")?.as_str()?.split_once('@')?;
    (written == asked.name.written).then(|| ImageDigest(digest.to_owned()))
}

impl Unresolved {
    fn refusal(self, asked: &Asked<'_>) -> Refusal {
        let (Asked { service, name, .. }, key) = (asked, asked.key());
        let host = &name.host;
        let pinned = format!("name it by its digest: `image = \"{}@sha256:…\"`", name.written);
        let (what, remedy) = match self {
            Self::Missing => {
                (format!("{host} has no such image"), format!("correct `image` of `{key}` in deploy.toml"))
            }
            Self::Hidden(said) if name.ecr().is_some() => (
                format!("{host} does not let this role read it: {said}"),
                "allow the role ecr:BatchGetImage on the repository; one of another account must allow it in its \
                 repository policy too"
                    .to_owned(),
            ),
            Self::Hidden(said) => (
                format!("{host} shows it to nobody without a password, or does not have it: {said}"),
                format!(
                    "correct the name, or {pinned}: then ECS alone reads it, by `repositoryCredentials` in \
                     `[service.{key}.aws{}]`",
                    if service.is_sidecar(asked.container) { "" } else { ".container" }
                ),
            ),
            Self::Login(error) => (
                format!("cannot log in to {host}: {error}"),
                format!("allow the role ecr:GetAuthorizationToken, or {pinned}"),
            ),
            Self::Platform { lacks, has } => {
                let words = |platform: &Platform| format!("{}/{}", platform.os, platform.architecture);
                let has: Vec<String> = has.iter().map(words).collect();
                (
                    format!("it is not made for {}, only for {}", words(&lacks), has.join(", ")),
                    format!("set `architecture` of `{}` to one of these, or name another image", service.key),
                )
            }
            Self::Failed(why) => (why, format!("run it again, or {pinned}")),
        };
        Refusal { what: format!("{key}: cannot resolve the image {name}: {what}"), remedy }
    }
}
