//! A push: blobs, then the manifest under its digest, then the tag.
//!
//! The order is the protocol's: a manifest is accepted only when its blobs are there, so that whoever sees the
//! manifest can pull the image, and a tag never names half an image.

use bytes::Bytes;
use deploy::model::ImageDigest;
use futures_util::future::try_join_all;
use futures_util::try_join;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Response, StatusCode};

use super::event::PushEvent;
use super::session::{Failure, Registry, Session};
use super::{Error, reply};
use crate::host::Host;
use crate::image::{Image, MANIFEST_MEDIA_TYPE, Tag};

/// All forms of a manifest. A registry that is asked for some of them says of a tag with another that there is none, and the
/// tag may be of an index that another tool pushed.
pub(super) const ANY_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushReport {
    pub uploaded_blobs: u32,
    pub uploaded_bytes: u64,
    /// Blobs that the repository had.
    pub skipped: u32,
    /// Whether anything at all was written: a blob, the manifest or the tag.
    pub wrote: bool,
    /// The tag that names the image.
    pub tag: String,
}

/// Makes sure that `registry` holds `image` under its digest and under `tag`. The repository must exist.
///
/// What is there already is not sent again: for an image that is there with its tag, nothing is written.
///
/// # Errors
/// [`Error`]. Whatever was sent by then is used by the next push.
pub async fn push(
    host: &Host,
    registry: &Registry,
    image: &Image,
    tag: &Tag,
    on_event: &(dyn Fn(PushEvent) + Sync),
) -> Result<PushReport, Error> {
    let session = Session::new(host, registry, on_event)?;
    // Both at once, also where the image is missing: a rerun mostly finds both, and then nothing is written.
    let (stored, tagged) = try_join!(session.held_by(&image.digest.0), session.held_by(&tag.name))?;
    let mut report = PushReport { tag: tag.name.clone(), ..PushReport::default() };
    if stored.is_some() {
        report.skipped = u32::try_from(image.blobs().count()).unwrap_or(u32::MAX);
    } else {
        let blobs: Vec<_> = image.blobs().collect();
        let sent = try_join_all(blobs.iter().map(|blob| session.ensure_blob(blob))).await?;
        for (blob, sent) in blobs.iter().zip(sent) {
            if sent {
                report.uploaded_blobs += 1;
                report.uploaded_bytes += blob.bytes().len() as u64;
            } else {
                report.skipped += 1;
            }
        }
        session.store(image).await?;
        report.wrote = true;
    }
    on_event(PushEvent::Stored { digest: image.digest.clone() });
    if tagged.as_ref() != Some(&image.digest) {
        report.tag = session.tag(image, tag).await?;
        report.wrote = true;
    }
    on_event(PushEvent::Tagged { tag: report.tag.clone() });
    Ok(report)
}

/// Gives an image that is there one more tag. A tag is the image's for good only where nobody else set it before.
///
/// # Errors
/// [`Error`].
pub async fn tag(
    host: &Host,
    registry: &Registry,
    image: &Image,
    tag: &str,
    on_event: &(dyn Fn(PushEvent) + Sync),
) -> Result<(), Error> {
    Session::new(host, registry, on_event)?.set_tag(image, tag).await
}

/// The digest that a tag names now, by a request that Docker Hub does not count; `None` when there is none.
///
/// # Errors
/// [`Error`].
pub async fn digest(
    host: &Host,
    registry: &Registry,
    tag: &str,
    on_event: &(dyn Fn(PushEvent) + Sync),
) -> Result<Option<ImageDigest>, Error> {
    Session::new(host, registry, on_event)?.held_by(tag).await
}

impl Session<'_> {
    /// The image that the repository holds under a tag or digest.
    pub(super) async fn held_by(&self, reference: &str) -> Result<Option<ImageDigest>, Error> {
        let mut attempt = 1;
        loop {
            match self.try_held_by(reference).await {
                Ok(held) => return Ok(held),
                Err(failure) => self.before_next(attempt, failure).await?,
            }
            attempt += 1;
        }
    }

    async fn try_held_by(&self, reference: &str) -> Result<Option<ImageDigest>, Failure> {
        let uri = self.uri(&format!("manifests/{reference}"))?;
        let accept = [(ACCEPT, ANY_MANIFEST)];
        let answer = self.send(Method::HEAD, &uri, &accept, Bytes::new()).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            // The protocol only recommends the header. Without it a digest is certainly held, and a tag counts as unset:
            // setting it again changes nothing.
            status if status.is_success() => Ok(reply::content_digest(&answer)
                .or(reference.starts_with("sha256:").then_some(reference))
                .map(|digest| ImageDigest(digest.to_owned()))),
            status => {
                let named = format!("HEAD {}", uri.path());
                Err(self.refused(&named, status.as_u16(), reply::said(&answer)).into())
            }
        }
    }

    async fn store(&self, image: &Image) -> Result<(), Error> {
        let answer = self.put_manifest(image, &image.digest.0).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        let named = format!("PUT /v2/{}/manifests/{}", self.repository(), image.digest);
        Err(self.refused(&named, answer.status().as_u16(), reply::said(&answer)))
    }

    /// Sets the tag, or the other one. Returns the one that was set.
    async fn tag(&self, image: &Image, tag: &Tag) -> Result<String, Error> {
        match (self.set_tag(image, &tag.name).await, &tag.otherwise) {
            (Err(Error::TagTaken { tag, holds, .. }), Some(instead)) => {
                self.report(PushEvent::TagTaken { tag, holds, instead: instead.clone() });
                self.set_tag(image, instead).await?;
                Ok(instead.clone())
            }
            (set, _) => set.map(|()| tag.name.clone()),
        }
    }

    /// Sets a tag; [`Error::TagTaken`] when it is another image's for good.
    ///
    /// That the tag cannot move is decided by what it holds, not by the refusal's text, which differs between
    /// registries: the same manifest was accepted under its digest a moment ago.
    async fn set_tag(&self, image: &Image, tag: &str) -> Result<(), Error> {
        let answer = self.put_manifest(image, tag).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        let said = reply::said(&answer);
        match self.held_by(tag).await? {
            Some(holds) if holds == image.digest => Ok(()),
            Some(holds) => Err(Error::TagTaken {
                tag: tag.to_owned(),
                repository: self.repository().to_owned(),
                holds,
                digest: image.digest.clone(),
                said,
            }),
            None => {
                let named = format!("PUT /v2/{}/manifests/{tag}", self.repository());
                Err(self.refused(&named, answer.status().as_u16(), said))
            }
        }
    }

    async fn put_manifest(&self, image: &Image, reference: &str) -> Result<Response<Bytes>, Error> {
        let mut attempt = 1;
        loop {
            match self.try_put_manifest(image, reference).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.before_next(attempt, failure).await?,
            }
            attempt += 1;
        }
    }

    async fn try_put_manifest(&self, image: &Image, reference: &str) -> Result<Response<Bytes>, Failure> {
        let uri = self.uri(&format!("manifests/{reference}"))?;
        let headers = [(CONTENT_TYPE, MANIFEST_MEDIA_TYPE)];
        let answer = self.send(Method::PUT, &uri, &headers, image.manifest.clone()).await?;
        if answer.status().is_success() {
            // A registry that rewrites a manifest stores another image than the one that will be deployed by digest.
            self.same_digest(&image.digest.0, reply::content_digest(&answer))?;
        }
        Ok(answer)
    }
}
