//! Repositories with their blobs, manifests and tags.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::error::RegistryError;
use super::manifest::Manifest;
use super::mutability::Mutability;
use super::token::Token;
use crate::clock::Millis;

/// All registry state of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) tokens: Vec<Token>,
}

#[derive(Debug)]
pub(super) struct Repository {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) uri: String,
    pub(super) created: Millis,
    pub(super) mutability: Mutability,
    pub(super) scan_on_push: bool,
    pub(super) lifecycle_policy: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) blobs: BTreeMap<String, Bytes>,
    pub(super) images: BTreeMap<String, Image>,
    pub(super) image_tags: BTreeMap<String, String>,
}

/// A manifest or an index.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) media_type: String,
    pub(super) content: Bytes,
    pub(super) manifest: Manifest,
    pub(super) pushed: Millis,
}

/// `sha256:<64 hexadecimal digits>` of a content.
pub(crate) fn digest_of(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

impl State {
    /// Whether the repository is there.
    pub(crate) fn repository_exists(&self, name: &str) -> bool {
        self.repositories.contains_key(name)
    }

    /// A blob of the repository.
    pub(crate) fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.repositories.get(repository)?.blobs.get(digest).cloned()
    }

    /// # Errors
    /// When the repository is missing (`NAME_UNKNOWN`) or the content has another digest (`DIGEST_INVALID`).
    pub(crate) fn put_blob(
        &mut self,
        repository: &str,
        digest: &str,
        content: Bytes,
    ) -> Result<(), RegistryError> {
        // What several repositories have is kept once: a hundred services of one image are no hundred copies.
        let known = self.repositories.values().find_map(|other| other.blobs.get(digest)).cloned();
        let own = self.repositories.get_mut(repository);
        let own = own.ok_or_else(|| RegistryError::no_repository(repository))?;
        if own.blobs.contains_key(digest) {
            return Ok(());
        }
        let found = digest_of(&content);
        if found != digest {
            let text = format!("The content has the digest '{found}', not the given '{digest}'");
            return Err(RegistryError::new(400, "DIGEST_INVALID", text));
        }
        own.blobs.insert(found, known.unwrap_or(content));
        Ok(())
    }

    /// `(digest, media type, content)` of the manifest that a tag or digest names.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Option<(String, String, Bytes)> {
        let own = self.repositories.get(repository)?;
        let digest = own.digest(reference)?;
        let image = own.images.get(digest)?;
        Some((digest.to_owned(), image.media_type.clone(), image.content.clone()))
    }
}

impl Repository {
    /// The digest of the image that a tag or a digest names.
    pub(super) fn digest<'a>(&'a self, reference: &str) -> Option<&'a str> {
        match self.images.get_key_value(reference) {
            Some((digest, _)) => Some(digest),
            None => self.image_tags.get(reference).map(String::as_str),
        }
    }

    /// The tags of an image, in order.
    pub(super) fn tags_of(&self, digest: &str) -> Vec<&str> {
        self.image_tags.iter().filter(|(_, own)| *own == digest).map(|(tag, _)| tag.as_str()).collect()
    }

    /// The indexes that list the image.
    pub(super) fn referrers(&self, digest: &str) -> Vec<&str> {
        self.images
            .iter()
            .filter(|(_, image)| image.manifest.manifests.iter().any(|child| child.digest == digest))
            .map(|(own, _)| own.as_str())
            .collect()
    }

    /// Forgets the blobs that no image has any more.
    pub(super) fn drop_unused_blobs(&mut self) {
        let used: BTreeSet<&str> = self.images.values().flat_map(|image| image.manifest.blobs()).collect();
        self.blobs.retain(|digest, _| used.contains(digest.as_str()));
    }
}
