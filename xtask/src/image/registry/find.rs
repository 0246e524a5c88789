//! Looks up the digest of a tag, for images that others build.

use bytes::Bytes;
use deploy::model::{ImageDigest, Platform};
use http::header::ACCEPT;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::event::PushEvent;
use super::push::ANY_MANIFEST;
use super::session::{Failure, Registry, Session};
use super::{Error, reply};
use crate::host::Host;
use crate::image::blob;

/// An image of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub digest: ImageDigest,
    /// Of an index, for which platforms it has images. Empty for an image that is none.
    pub platforms: Vec<Platform>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    manifests: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    platform: Option<Of>,
}

#[derive(Deserialize)]
struct Of {
    os: String,
    architecture: String,
}

/// The image that a tag names; `None` when there is none. What is `known` already is not read again: Docker Hub counts each
/// read of a manifest against the caller's limit, and HEAD requests not.
///
/// # Errors
/// [`Error`] when the registry refuses or cannot be reached.
pub async fn find(
    host: &Host,
    registry: &Registry,
    tag: &str,
    known: Option<&ImageDigest>,
    on_event: &(dyn Fn(PushEvent) + Sync),
) -> Result<Option<Found>, Error> {
    let session = Session::new(host, registry, on_event)?;
    let held = session.held_by(tag).await?;
    if let Some(digest) = held.filter(|held| Some(held) == known) {
        return Ok(Some(Found { digest, platforms: Vec::new() }));
    }
    let mut attempt = 1;
    loop {
        match session.try_find(tag).await {
            Ok(found) => return Ok(found),
            Err(failure) => session.before_next(attempt, failure).await?,
        }
        attempt += 1;
    }
}

impl Session<'_> {
    /// A GET even where HEAD finds nothing: a pull-through cache of ECR imports an image when its manifest is read.
    async fn try_find(&self, tag: &str) -> Result<Option<Found>, Failure> {
        let uri = self.uri(&format!("manifests/{tag}"))?;
        let answer = self.send(Method::GET, &uri, &[(ACCEPT, ANY_MANIFEST)], Bytes::new()).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                let digest = reply::content_digest(&answer).map(str::to_owned);
                let digest = ImageDigest(digest.unwrap_or_else(|| blob::digest(answer.body())));
                let manifest: Manifest = serde_json::from_slice(answer.body()).unwrap_or_default();
                let of = |Of { os, architecture }| Platform { os, architecture };
                let platforms = manifest.manifests.into_iter().filter_map(|member| member.platform.map(of));
                // buildx lists its attestations next to the images, for the platform `unknown/unknown`.
                let platforms = platforms.filter(|platform| platform.os != "unknown").collect();
                Ok(Some(Found { digest, platforms }))
            }
            status => {
                let named = format!("GET {}", uri.path());
                Err(self.refused(&named, status.as_u16(), reply::said(&answer)).into())
            }
        }
    }
}
