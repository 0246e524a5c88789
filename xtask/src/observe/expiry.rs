//! Images that run and that the repository's lifecycle policy will soon expire.
//!
//! The policy counts pushes and knows nothing of use (ECR user guide, lifecycle policies): an image that was rolled back to keeps
//! its old push date, and so does one that runs while others are pushed and fail. Another tag does not renew the date
//! (aws/containers-roadmap#2746), so that nothing but a larger count keeps the image.

use std::collections::BTreeMap;

use deploy::model::{Environment, ImageDigest, RepositoryState, Service, ServiceKey, ServiceState};
use futures_util::future::join_all;

use crate::aws::Aws;

/// So few further pushes before an image expires are worth a warning: a day's failed attempts.
const NEAR: usize = 5;

/// Warnings about running images that few further pushes would expire. They are also what a failed release returns to.
/// What cannot be read is one of the warnings: a release does not depend on it. Notes in `repositories` which of these images
/// they hold.
pub(super) async fn expiring(
    aws: &Aws,
    environment: &Environment,
    repositories: &mut BTreeMap<String, RepositoryState>,
    services: &BTreeMap<ServiceKey, ServiceState>,
) -> Vec<String> {
    let running = |service: &Service| running(service, repositories, services);
    let asked = environment.services.iter().filter_map(|service| Some((service, running(service)?)));
    let asked = asked.map(async |(service, image)| {
        let newer = aws.pushed_since(&service.repository.name, &image).await;
        (service, image, newer)
    });
    let mut warnings = Vec::new();
    for (service, image, newer) in join_all(asked).await {
        let name = &service.repository.name;
        match newer {
            // Expired already, or never pushed there: the plan says so where it matters.
            Ok(None) => {}
            Ok(Some(newer)) => {
                warnings.extend(warning(service, newer));
                let repository = repositories.get_mut(name);
                repository.into_iter().flat_map(|it| &mut it.holds).for_each(|held| held.push(image.clone()));
            }
            Err(error) => {
                warnings.push(format!("cannot say when {name} expires the image that runs: {error}"));
            }
        }
    }
    warnings
}

/// The image that a service runs, when it is one of its own repository.
fn running(
    service: &Service,
    repositories: &BTreeMap<String, RepositoryState>,
    services: &BTreeMap<ServiceKey, ServiceState>,
) -> Option<ImageDigest> {
    let uri = &repositories.get(&service.repository.name)?.uri;
    let spec = &services.get(&service.key)?.task_definition.spec;
    let image = spec.of_container(&service.container.name, "image")?.as_str()?;
    let (repository, digest) = image.split_once('@')?;
    (repository == uri).then(|| ImageDigest(digest.to_owned()))
}

fn warning(service: &Service, newer: usize) -> Option<String> {
    let (key, name, keep) = (&service.key, &service.repository.name, service.repository.keep_images as usize);
    let left = keep.saturating_sub(newer);
    let when = match left {
        0 => "it expires within a day".to_owned(),
        1 => "the next push expires it".to_owned(),
        left => format!("{left} more pushes expire it"),
    };
    // A small count has few pushes left from the beginning.
    // At 0 the policy is somebody else's.
    (keep > 0 && left <= NEAR.min(keep / 2)).then(|| {
        format!(
            "{key}: {newer} images of {name} are newer than the one that runs, and {keep} are kept: {when}, and then no \
             task can start from it; raise `repository.keep-images` in deploy.toml"
        )
    })
}
