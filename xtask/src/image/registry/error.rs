//! Why a push failed, each with what can be done about it.

use deploy::model::ImageDigest;

use super::address::Unusable;
use crate::host::HttpError;

/// A push failed. What had been sent stays in the registry, and the next push continues from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The registry's address, or one that it sent.
    #[error("the registry's address cannot be used: {0}")]
    Address(#[from] Unusable),
    /// Plain HTTP to another machine.
    #[error(
        "{host} is another machine and its address is plain http: the registry's password would be readable on the way; use https"
    )]
    Exposed { host: String },
    /// The credential cannot be sent in a header.
    #[error("the registry's authorization token has characters that no HTTP header can carry")]
    Credential,
    /// No answer, again and again.
    #[error("cannot reach {host}: {cause}{}", often(*attempts))]
    Unreachable {
        host: String,
        cause: HttpError,
        /// How often it was tried.
        attempts: u32,
    },
    /// The password was not accepted.
    #[error(
        "{host} does not accept the authorization token ({said}); ECR's tokens are valid for 12 hours and in one account and region"
    )]
    Unauthorized { host: String, said: String },
    /// The caller may not push.
    #[error(
        "{host} refuses {request}: {said}; pushing needs the permissions ecr:BatchCheckLayerAvailability, InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage and BatchGetImage on the repository"
    )]
    Denied { host: String, request: String, said: String },
    /// ECR makes no repository on push.
    #[error("{host} has no repository {repository}: {said}")]
    NoRepository { host: String, repository: String, said: String },
    /// The tag is another image's, and the repository lets no tag move.
    #[error(
        "tag {tag} of repository {repository} holds another image ({holds}) and cannot be moved ({said}); the image itself was pushed as {digest}: commit what changed, so that it gets a tag of its own"
    )]
    TagTaken {
        tag: String,
        repository: String,
        /// The image that has it.
        holds: ImageDigest,
        /// The image that should have it.
        digest: ImageDigest,
        said: String,
    },
    /// The registry stored something else than was sent.
    #[error("{host} stored {stored} where {sent} was sent: something on the way changes uploads")]
    Corrupted { host: String, sent: String, stored: String },
    #[error("{host} answered {request} with {status}: {said}")]
    Refused { host: String, request: String, status: u16, said: String },
}

fn often(attempts: u32) -> String {
    if attempts > 1 { format!(" ({attempts} attempts)") } else { String::new() }
}
