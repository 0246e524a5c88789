//! Amazon ECR: repositories and images, and the store behind the registry's data plane.

use bytes::Bytes;

use crate::account::{Account, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome};

/// All registry state of the account.
#[derive(Debug, Default)]
pub struct State {}

/// A refusal in the registry's own vocabulary (OCI distribution, "Error Codes").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryError {
    /// The HTTP status.
    pub status: u16,
    /// Such as `TAG_INVALID` or `MANIFEST_BLOB_UNKNOWN`.
    pub code: &'static str,
    /// The text as ECR words it.
    pub message: String,
}

/// What an image reference resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResolvedImage {
    /// An image of another registry.
    Foreign,
    /// This registry does not have it.
    NotFound {
        /// The rest of `CannotPullContainerError: …`.
        reason: String,
    },
    /// This registry has it.
    Found {
        /// The repository's name.
        repository: String,
        /// The digest of the manifest or index that the reference names.
        digest: String,
        /// `(os, architecture)` of each image; empty when its configuration names none.
        platforms: Vec<(String, String)>,
    },
}

impl State {
    /// Whether the repository is there.
    #[must_use]
    pub fn repository_exists(&self, _name: &str) -> bool {
        false
    }
    /// A blob of the repository.
    #[must_use]
    pub fn blob(&self, _repository: &str, _digest: &str) -> Option<Bytes> {
        None
    }
    /// Whether the repository has the blob.
    #[must_use]
    pub fn has_blob(&self, _repository: &str, _digest: &str) -> bool {
        false
    }
    /// Stores a blob.
    ///
    /// # Errors
    /// When the repository is missing (`NAME_UNKNOWN`) or the content has another digest (`DIGEST_INVALID`).
    pub fn put_blob(
        &mut self,
        _repository: &str,
        _digest: &str,
        _content: Bytes,
    ) -> Result<(), RegistryError> {
        Err(RegistryError { status: 404, code: "NAME_UNKNOWN", message: String::new() })
    }
    /// `(digest, media type, content)` of the manifest that a tag or digest names.
    #[must_use]
    pub fn manifest(&self, _repository: &str, _reference: &str) -> Option<(String, String, Bytes)> {
        None
    }
    /// Stores a manifest under a tag or its digest; gives its digest.
    ///
    /// # Errors
    /// When the repository or a blob is missing, the digest differs, or the tag is taken and immutable.
    pub fn put_manifest(
        &mut self,
        _now: Millis,
        _repository: &str,
        _reference: &str,
        _media_type: &str,
        _content: Bytes,
    ) -> Result<String, RegistryError> {
        Err(RegistryError { status: 404, code: "NAME_UNKNOWN", message: String::new() })
    }
    /// Whether `user` and `password` are an issued authorization token that has not expired at `now`.
    #[must_use]
    pub fn check_password(&self, _now: Millis, _user: &str, _password: &str) -> bool {
        false
    }
}

/// What an image reference of a task definition resolves to.
pub(crate) fn resolve_image(_account: &Account, _image: &str) -> ResolvedImage {
    ResolvedImage::Foreign
}

pub(crate) fn handle(_account: &mut Account, _now: Millis, _request: &ApiRequest) -> Outcome {
    Err(ApiError::new("UnknownOperationException", ""))
}
