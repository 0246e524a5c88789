//! What an image reference of a task definition means to this registry.

use super::store::State;
use crate::base::Base;
use crate::workload::cannot_pull;

/// What an image reference resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResolvedImage {
    /// An image of another registry.
    Foreign,
    /// This registry does not have it.
    NotFound {
        /// The task's `stoppedReason`, `CannotPullContainerError: …`.
        reason: String,
    },
    Found {
        repository: String,
        /// The digest of the manifest or index that the reference names.
        digest: String,
        /// `(os, architecture)` of each image; empty when its configuration names none.
        platforms: Vec<(String, String)>,
    },
}

/// What an image reference (`host/repository[:tag][@digest]`) resolves to now.
pub(crate) fn resolve_image(base: &Base, ecr: &State, image: &str) -> ResolvedImage {
    let host = base.settings.registry_host.as_str();
    let Some(path) = image.strip_prefix(host).and_then(|rest| rest.strip_prefix('/')) else {
        return ResolvedImage::Foreign;
    };
    let (named, digest) = match path.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (path, None),
    };
    let (repository, tag) = named.split_once(':').unwrap_or((named, "latest"));
    let own = ecr.repositories.get(repository);
    // With both, the digest decides and the tag is for people, as in every container runtime.
    match own.and_then(|own| Some((own, own.digest(digest.unwrap_or(tag))?))) {
        Some((own, digest)) => ResolvedImage::Found {
            repository: repository.to_owned(),
            digest: digest.to_owned(),
            platforms: own.platforms(digest),
        },
        None => ResolvedImage::NotFound { reason: cannot_pull(image) },
    }
}
