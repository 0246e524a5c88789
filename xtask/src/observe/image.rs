//! Images that others build: which digest their tags name now.

use std::collections::BTreeMap;

use deploy::event::Kind;
use deploy::model::{Environment, ImageDigest, ImageName, Observed, Platform, Service, ServiceKey};
use deploy::plan::Refusal;
use futures_util::future::join_all;

use crate::aws::{self, Aws};
use crate::host::{Host, HttpError};
use crate::image;
use crate::image::registry::{self, Access, Credential, Error as RegistryError, PushEvent, Registry};
use crate::report::Recorder;

/// Adds to `images` those that others build, unless they are there, and gives what cannot be resolved. A digest is taken as
/// it is written: its registry is asked for nothing, and may be one that only ECS has the password of.
pub async fn resolve(
    host: &Host,
    aws: &Aws,
    events: &Recorder,
    environment: &Environment,
    observed: &Observed,
    images: &mut BTreeMap<ServiceKey, ImageDigest>,
) -> Vec<Refusal> {
    let open = environment.services.iter().filter(|service| !images.contains_key(&service.key));
    let asked = open.filter_map(|service| Some((service, service.image_name()?)));
    let asked = asked.map(|(service, name)| async move {
        let found = match (&name.digest, &name.tag) {
            (None, Some(tag)) => ask(host, aws, events, observed, service, &name, tag).await,
            (digest, _) => Ok(digest.clone().unwrap_or_else(|| ImageDigest(String::new()))),
        };
        (service, found.map_err(|why| why.refusal(service, &name)))
    });
    let mut refusals = Vec::new();
    for (service, found) in join_all(asked).await {
        match found {
            Ok(digest) => drop(images.insert(service.key.clone(), digest)),
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals
}

/// Why a tag names no image that can run.
enum Unresolved {
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
    service: &Service,
    name: &ImageName,
    tag: &str,
) -> Result<ImageDigest, Unresolved> {
    let base_url = registry::base_url(&name.host);
    let credential = credential(host, aws, name, &base_url).await?;
    let registry = Registry { base_url, repository: name.repository.clone(), credential };
    let running = running(observed, service, name);
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
    let lacks = image::platform(service.architecture);
    if found.platforms.is_empty() || found.platforms.contains(&lacks) {
        return Ok(found.digest);
    }
    Err(Unresolved::Platform { lacks, has: found.platforms })
}

/// The credential to read with: the caller's, for ECR in any account and region; none elsewhere.
async fn credential(
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

/// The image of this name that the service runs.
fn running(observed: &Observed, service: &Service, name: &ImageName) -> Option<ImageDigest> {
    let spec = &observed.services.get(&service.key)?.task_definition.spec;
    let (written, digest) = spec.of_container(&service.container.name, "image")?.as_str()?.split_once('@')?;
    (written == name.written).then(|| ImageDigest(digest.to_owned()))
}

impl Unresolved {
    fn refusal(self, service: &Service, name: &ImageName) -> Refusal {
        let (key, host) = (&service.key, &name.host);
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
                     `[service.{key}.aws.container]`"
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
                    format!("set `architecture` of `{key}` to one of these, or name another image"),
                )
            }
            Self::Failed(why) => (why, format!("run it again, or {pinned}")),
        };
        Refusal { what: format!("{key}: cannot resolve the image {name}: {what}"), remedy }
    }
}
