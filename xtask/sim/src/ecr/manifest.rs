//! Image manifests and indexes: reading them, and storing one when all that it refers to is there.

use bytes::Bytes;
use serde::Deserialize;

use super::error::RegistryError;
use super::store::{Image, Repository, State, digest_of};
use crate::clock::Millis;

/// An image manifest (`config` and `layers`) or an index (`manifests`), OCI's or Docker's.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    media_type: Option<String>,
    pub(super) config: Option<Descriptor>,
    pub(super) subject: Option<Descriptor>,
    pub(super) artifact_type: Option<String>,
    pub(super) annotations: Option<serde_json::Value>,
    #[serde(default)]
    pub(super) layers: Vec<Descriptor>,
    #[serde(default)]
    pub(super) manifests: Vec<Descriptor>,
}

/// What a manifest says of a blob or of another manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: Option<String>,
    pub(super) digest: String,
    #[serde(default)]
    pub(super) size: u64,
    pub(super) platform: Option<Platform>,
}

/// A platform of an index, or of an image's configuration.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

/// The largest manifest that ECR takes, in bytes (PutImage, `imageManifest`).
const MAX_MANIFEST: usize = 4_194_304;

impl Manifest {
    /// The digests of the configuration and the layers.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &str> {
        self.config.iter().chain(&self.layers).map(|descriptor| descriptor.digest.as_str())
    }

    /// The bytes of the configuration and the layers together; `None` for an index.
    pub(super) fn size(&self) -> Option<u64> {
        let config = self.config.as_ref()?;
        Some(config.size + self.layers.iter().map(|layer| layer.size).sum::<u64>())
    }
}

impl Repository {
    /// `(os, architecture)` of an image, or of each image of an index. Attestations (`unknown`) are none.
    pub(super) fn platforms(&self, digest: &str) -> Vec<(String, String)> {
        let Some(image) = self.images.get(digest) else { return Vec::new() };
        let config = image.manifest.config.as_ref().and_then(|config| self.blobs.get(&config.digest));
        let own = config.and_then(|content| serde_json::from_slice::<Platform>(content).ok());
        let listed = image.manifest.manifests.iter().filter_map(|child| child.platform.clone());
        listed
            .chain(own)
            .filter(|platform| !matches!(platform.os.as_str(), "" | "unknown"))
            .map(|platform| (platform.os, platform.architecture))
            .collect()
    }
}

impl State {
    /// Stores a manifest under a tag or its digest; gives its digest. The same content again is no error.
    ///
    /// # Errors
    /// When the repository, a blob or a listed image is missing, the content is no manifest or has another digest, or
    /// the tag is taken and immutable (`TAG_INVALID`).
    pub(crate) fn put_manifest(
        &mut self,
        now: Millis,
        repository: &str,
        reference: &str,
        media_type: &str,
        content: Bytes,
    ) -> Result<String, RegistryError> {
        let own = self.repositories.get_mut(repository);
        let own = own.ok_or_else(|| RegistryError::no_repository(repository))?;
        let unreadable = |why: &str| RegistryError::new(400, "MANIFEST_INVALID", why);
        if content.len() > MAX_MANIFEST {
            return Err(unreadable("The manifest is larger than 4 MiB"));
        }
        let manifest: Manifest = serde_json::from_slice(&content)
            .map_err(|error| unreadable(&format!("Invalid manifest: {error}")))?;
        if manifest.config.is_none() && manifest.manifests.is_empty() && manifest.subject.is_none() {
            return Err(unreadable("Invalid manifest: neither an image manifest nor an index"));
        }
        let digest = digest_of(&content);
        if reference.contains(':') && reference != digest {
            let text = format!("The manifest has the digest '{digest}', not the given '{reference}'");
            return Err(RegistryError::new(400, "DIGEST_INVALID", text));
        }
        own.check_references(&manifest)?;
        // A reference with a colon is a digest: no tag may hold one.
        let tag = Some(reference).filter(|reference| !reference.contains(':'));
        if let Some(tag) = tag {
            own.check_tag(tag, &digest)?;
        }
        let media_type = match (media_type, &manifest.media_type) {
            ("", Some(own)) => own.clone(),
            ("", None) => "application/vnd.oci.image.manifest.v1+json".to_owned(),
            (given, _) => given.to_owned(),
        };
        own.images.entry(digest.clone()).or_insert(Image { media_type, content, manifest, pushed: now });
        if let Some(tag) = tag {
            own.image_tags.insert(tag.to_owned(), digest.clone());
        }
        Ok(digest)
    }
}

impl Repository {
    fn check_references(&self, manifest: &Manifest) -> Result<(), RegistryError> {
        let missing: Vec<&str> =
            manifest.blobs().filter(|digest| !self.blobs.contains_key(*digest)).collect();
        if !missing.is_empty() {
            let text = format!("Layers with digests '[{}]' do not exist", missing.join(", "));
            return Err(RegistryError::new(404, "MANIFEST_BLOB_UNKNOWN", text));
        }
        let missing: Vec<&str> = manifest
            .manifests
            .iter()
            .map(|child| child.digest.as_str())
            .filter(|digest| !self.images.contains_key(*digest))
            .collect();
        if !missing.is_empty() {
            let text = format!(
                "Images with digests '[{}]' required for pushing image into repository with name '{}' do not exist",
                missing.join(", "),
                self.name
            );
            return Err(RegistryError::new(404, "MANIFEST_UNKNOWN", text));
        }
        Ok(())
    }

    fn check_tag(&self, tag: &str, digest: &str) -> Result<(), RegistryError> {
        let valid = tag.len() <= 128
            && !tag.starts_with(['.', '-'])
            && !tag.is_empty()
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        if !valid {
            return Err(RegistryError::new(
                400,
                "TAG_INVALID",
                format!("The image tag '{tag}' is not valid"),
            ));
        }
        let taken = self.image_tags.get(tag).is_some_and(|own| own != digest);
        if taken && self.mutability.is_immutable(tag) {
            let text = format!(
                "The image tag '{tag}' already exists in the '{}' repository and cannot be overwritten because \
                 the tag is immutable.",
                self.name
            );
            return Err(RegistryError::new(400, "TAG_INVALID", text));
        }
        Ok(())
    }
}
