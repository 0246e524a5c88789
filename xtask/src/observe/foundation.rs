//! What services need first: repositories, log groups, the cluster.

use std::collections::BTreeMap;

use deploy::model::spec::{LogGroupSpec, RepositorySpec};
use deploy::model::{ClusterState, Environment, ImageDigest, Observed, RepositoryState, Service, ServiceKey};
use futures_util::future::{try_join_all, try_join3};

use super::error::Error;
use crate::aws::{self, Aws, FoundRepository};

#[derive(Debug)]
pub(super) struct Foundation {
    pub(super) repositories: BTreeMap<String, RepositoryState>,
    pub(super) log_groups: BTreeMap<String, LogGroupSpec>,
    pub(super) cluster: Option<ClusterState>,
    pub(super) warnings: Vec<String>,
}

pub(super) async fn read(aws: &Aws, environment: &Environment) -> Result<Foundation, Error> {
    let ((repositories, warnings), log_groups, cluster) = try_join3(
        repositories(aws, environment),
        log_groups(aws, environment),
        aws.describe_cluster(&environment.cluster),
    )
    .await?;
    Ok(Foundation { repositories, log_groups, cluster, warnings })
}

type Repositories = (BTreeMap<String, RepositoryState>, Vec<String>);

async fn repositories(aws: &Aws, environment: &Environment) -> Result<Repositories, aws::Error> {
    // Two services may share a repository.
    let wanted: BTreeMap<&str, u32> = environment
        .services
        .iter()
        .filter(|service| service.image.is_none())
        .map(|service| (service.repository.name.as_str(), service.repository.keep_images))
        .collect();
    let names: Vec<&str> = wanted.keys().copied().collect();
    let found = aws.find_repositories(&names).await?;
    let details = found.into_iter().map(|repository| {
        let keep = wanted.get(repository.name.as_str()).copied();
        detail(aws, repository, keep)
    });
    let (states, warnings): (Vec<_>, Vec<_>) = try_join_all(details).await?.into_iter().unzip();
    let named = |state: RepositoryState| (state.spec.name.clone(), state);
    Ok((states.into_iter().map(named).collect(), warnings.into_iter().flatten().collect()))
}

async fn detail(
    aws: &Aws,
    repository: FoundRepository,
    wanted: Option<u32>,
) -> Result<(RepositoryState, Option<String>), aws::Error> {
    let (keep_images, warning) = match aws.get_keep_images(&repository.name).await {
        Ok(keep) => (keep, None),
        // If it cannot be read, assume it is as desired; otherwise every plan would rewrite it.
        Err(error) if error.is_unavailable() => {
            let name = &repository.name;
            let warning = format!("the lifecycle policy of {name} is left as it is: {error}");
            (wanted, Some(warning))
        }
        Err(error) => return Err(error),
    };
    let spec =
        RepositorySpec { name: repository.name, immutable_tags: repository.immutable_tags, keep_images };
    Ok((RepositoryState { spec, uri: repository.uri, holds: Some(Vec::new()) }, warning))
}

async fn log_groups(
    aws: &Aws,
    environment: &Environment,
) -> Result<BTreeMap<String, LogGroupSpec>, aws::Error> {
    let mut names: Vec<&str> =
        environment.services.iter().filter_map(Service::logs).map(|group| group.name.as_str()).collect();
    // Services may share a log group, which is read once.
    names.sort_unstable();
    names.dedup();
    let found = aws.find_log_groups(&names).await?;
    Ok(found.into_iter().map(|group| (group.name.clone(), group)).collect())
}

/// Reads which of the wanted images the observed repositories hold.
///
/// # Errors
/// [`Error::Aws`] when a call fails.
pub async fn held(
    aws: &Aws,
    environment: &Environment,
    observed: &mut Observed,
    images: &BTreeMap<ServiceKey, ImageDigest>,
) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    let mut wanted: BTreeMap<&str, Vec<ImageDigest>> = BTreeMap::new();
    for service in &environment.services {
        let name = service.repository.name.as_str();
        let repository = observed.repositories.get(name);
        // What runs was mostly looked up before, by its age.
        let known = |digest: &&ImageDigest| {
            !repository.and_then(|it| it.holds.as_ref()).is_some_and(|it| it.contains(digest))
        };
        if let (Some(digest), Some(_)) = (images.get(&service.key).filter(known), repository) {
            wanted.entry(name).or_default().push(digest.clone());
        }
    }
    let reads =
        wanted.iter().map(|(name, digests)| async move { (*name, aws.find_images(name, digests).await) });
    for (name, read) in futures_util::future::join_all(reads).await {
        let holds = match read {
            Ok(holds) => Some(holds),
            // The push asks the registry itself before it sends anything.
            Err(error) if error.is_unavailable() => {
                warnings.push(format!("cannot read the images of {name}: {error}"));
                None
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(repository) = observed.repositories.get_mut(name) {
            repository.holds =
                holds.map(|found| [found, repository.holds.take().unwrap_or_default()].concat());
        }
    }
    Ok(warnings)
}
