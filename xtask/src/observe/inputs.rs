//! Images that other machines built of the same inputs, by the tags that their pushes left.
//!
//! A build asks this before it asks an engine. Whatever cannot be known is a miss: a build too many costs time, a wrong image is a
//! wrong release.

use std::time::Duration;

use deploy::model::{ImageDigest, ImageName};

use super::image::credential;
use crate::aws::{Aws, Error};
use crate::host::Host;
use crate::image::registry::{self, Registry};
use crate::image::{INPUT_TAGS, inputs_tag};

/// As long as a registry may take to name a base image's digest. Longer waits are for those who need the answer: without it the engine
/// builds, which works without a network too.
const PATIENCE: Duration = Duration::from_secs(10);

/// The digest that a base image's name has in its registry now, as the caller may read it.
pub async fn base(host: &Host, aws: &Aws, image: &str) -> Option<ImageDigest> {
    // A name without a tag means `latest` in a Dockerfile.
    let name = ImageName::parse(image).or_else(|_| ImageName::parse(&format!("{image}:latest"))).ok()?;
    if name.digest.is_some() {
        return name.digest;
    }
    let asked = async {
        let base_url = registry::base_url(&name.host);
        let credential = credential(host, aws, &name, &base_url).await.ok()?;
        let registry = Registry { base_url, repository: name.repository.clone(), credential };
        registry::digest(host, &registry, name.tag.as_deref()?, &|_| {}).await.ok().flatten()
    };
    tokio::select! {
        digest = asked => digest,
        () = host.clock.sleep(PATIENCE) => None,
    }
}

/// The last image of these inputs in a repository, and its number among them.
///
/// # Errors
/// When AWS refuses.
pub async fn made(aws: &Aws, repository: &str, inputs: &str) -> Result<Option<(u32, ImageDigest)>, Error> {
    let tags: Vec<String> = (1..=INPUT_TAGS).map(|number| inputs_tag(inputs, number)).collect();
    let mut found = aws.find_tagged(repository, &tags).await?;
    let named = (1..=INPUT_TAGS).zip(&tags).filter_map(|(number, tag)| Some((number, found.remove(tag)?)));
    // The highest number is the newest: tags are numbered, because an immutable one cannot be moved.
    Ok(named.last())
}
