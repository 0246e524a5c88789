//! Blobs: looked up first, and sent only when missing.
//!
//! A blob goes up as one POST, which opens a session, and one PUT with the whole content. The protocol's chunked
//! form is not used, because ECR departs from it: a chunk is answered with 201 and a `Range` that stays where the
//! first chunk ended, and the state of a broken upload cannot be asked for (aws/containers-roadmap#2831,
//! oras-project/rust-oci-client#33). So a broken upload cannot be continued there in any case; it is started again
//! in a session of its own, since ECR refuses a second first byte in the old one with 416. A static binary is a
//! few megabytes.

use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, StatusCode};

use super::event::PushEvent;
use super::session::{Failure, Session};
use super::{Error, address, reply};
use crate::image::Blob;

/// Error codes after which a new session helps: the old one expired, or its content was damaged in transit.
const SESSION_LOST: [&str; 3] = ["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "DIGEST_INVALID"];

impl Session<'_> {
    /// Makes sure that the repository holds `blob`; `true` when it was sent.
    pub(super) async fn ensure_blob(&self, blob: &Blob) -> Result<bool, Error> {
        // A reply may be lost after the blob was stored: the next attempt then finds it, and it was sent all the same.
        let mut sent = false;
        let mut attempt = 1;
        while let Err(failure) = self.try_blob(blob, &mut sent).await {
            self.before_next(attempt, failure).await?;
            attempt += 1;
        }
        let (digest, bytes) = (blob.digest().to_owned(), blob.bytes().len() as u64);
        self.report(if sent {
            PushEvent::Uploaded { digest, bytes }
        } else {
            PushEvent::Present { digest, bytes }
        });
        Ok(sent)
    }

    async fn try_blob(&self, blob: &Blob, sent: &mut bool) -> Result<(), Failure> {
        if self.holds_blob(blob.digest()).await? {
            return Ok(());
        }
        if !*sent {
            *sent = true;
            self.report(PushEvent::Uploading {
                digest: blob.digest().to_owned(),
                bytes: blob.bytes().len() as u64,
            });
        }
        self.send_blob(blob).await
    }

    async fn holds_blob(&self, digest: &str) -> Result<bool, Failure> {
        let uri = self.uri(&format!("blobs/{digest}"))?;
        let answer = self.send(Method::HEAD, &uri, &[], bytes::Bytes::new()).await?;
        match answer.status() {
            status if status.is_success() => Ok(true),
            // To where the content is: a registry redirects only for a blob that it has.
            status if status.is_redirection() => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(self
                .refused(&format!("HEAD {}", uri.path()), status.as_u16(), reply::said(&answer))
                .into()),
        }
    }

    async fn send_blob(&self, blob: &Blob) -> Result<(), Failure> {
        let open = self.uri("blobs/uploads/")?;
        let answer = self.send(Method::POST, &open, &[], bytes::Bytes::new()).await?;
        let named = format!("POST {}", open.path());
        if answer.status() == StatusCode::NOT_FOUND {
            let (host, repository) = (self.host(), self.repository().to_owned());
            return Err(Error::NoRepository { host, repository, said: reply::said(&answer) }.into());
        }
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let (true, Some(location)) = (answer.status().is_success(), location) else {
            let said = match answer.status().is_success() {
                true => "no Location to upload to".to_owned(),
                false => reply::said(&answer),
            };
            return Err(self.refused(&named, answer.status().as_u16(), said).into());
        };
        let close = address::with_digest(&address::follow(&open, location)?, blob.digest())?;
        let headers = [(CONTENT_TYPE, "application/octet-stream")];
        let answer = self.send(Method::PUT, &close, &headers, blob.bytes().clone()).await?;
        if answer.status().is_success() {
            return self.same_digest(blob.digest(), reply::content_digest(&answer));
        }
        let again = matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE)
            || SESSION_LOST.contains(&reply::code(&answer).as_str());
        let named = format!("PUT {}", close.path());
        let error = Box::new(self.refused(&named, answer.status().as_u16(), reply::said(&answer)));
        Err(Failure { error, again, after: None })
    }

    /// Whether the registry stored what was sent, where it says so.
    pub(super) fn same_digest(&self, sent: &str, stored: Option<&str>) -> Result<(), Failure> {
        match stored {
            Some(stored) if stored != sent => {
                let (sent, stored) = (sent.to_owned(), stored.to_owned());
                Err(Error::Corrupted { host: self.host(), sent, stored }.into())
            }
            _ => Ok(()),
        }
    }
}
