//! Images: describe, list, get, put, delete, and which layers are there.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{INVALID, RegistryError};
use super::repositories::{named, named_mut};
use super::store::Repository;
use super::store::State;
use crate::base::{Base, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params};

/// `imageId`: a digest, a tag, or both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageId {
    image_digest: Option<String>,
    image_tag: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    tag_status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Images {
    #[serde(default)]
    image_ids: Vec<ImageId>,
    #[serde(default)]
    filter: Filter,
}

impl Images {
    /// An image without tags counts as `UNTAGGED`.
    fn admits(&self, tagged: bool) -> bool {
        match self.filter.tag_status.as_deref() {
            Some("TAGGED") => tagged,
            Some("UNTAGGED") => !tagged,
            _ => true,
        }
    }
}

impl ImageId {
    /// The digest of the image that it names. A tag with a digest must be that image's tag.
    fn resolve<'a>(&self, repository: &'a Repository) -> Option<&'a str> {
        let by_tag = self.image_tag.as_ref().map(|tag| repository.image_tags.get(tag).map(String::as_str));
        let by_digest = self
            .image_digest
            .as_ref()
            .map(|digest| repository.images.get_key_value(digest).map(|(own, _)| own.as_str()));
        match (by_tag, by_digest) {
            (Some(tagged), Some(found)) => found.filter(|_| tagged == found),
            (tagged, found) => tagged.or(found).flatten(),
        }
    }
}

pub(super) fn describe(base: &Base, ecr: &State, request: &ApiRequest) -> Outcome {
    let repository = named(base, ecr, request)?;
    let asked: Images = params(request)?;
    let registry = &base.settings.account;
    let mut digests: Vec<&str> = Vec::new();
    for id in &asked.image_ids {
        let digest = id.resolve(repository).ok_or_else(|| {
            let shown = |part: &Option<String>| part.clone().unwrap_or_else(|| "null".to_owned());
            ApiError::new(
                "ImageNotFoundException",
                format!(
                    "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{}' in the registry with id '{registry}'",
                    shown(&id.image_digest),
                    shown(&id.image_tag),
                    repository.name
                ),
            )
        })?;
        if !digests.contains(&digest) {
            digests.push(digest);
        }
    }
    if asked.image_ids.is_empty() {
        let all = repository.images.keys().map(String::as_str);
        digests.extend(all.filter(|digest| asked.admits(!repository.tags_of(digest).is_empty())));
    }
    listing(request, "imageDetails", (100, 1000), digests, |digest| detail(repository, digest, registry))
}

fn detail(repository: &Repository, digest: &str, registry: &str) -> Value {
    let Some(image) = repository.images.get(digest) else { return Value::Null };
    let config = image.manifest.config.as_ref();
    let tags = repository.tags_of(digest);
    json!({
        "registryId": registry,
        "repositoryName": repository.name,
        "imageDigest": digest,
        "imagePushedAt": image.pushed.epoch_secs(),
        "imageManifestMediaType": image.media_type,
        "imageStatus": "ACTIVE",
        "imageTags": Some(tags).filter(|tags| !tags.is_empty()),
        "imageSizeInBytes": image.manifest.size(),
        "artifactMediaType": config.map(|_| "application/vnd.oci.image.config.v1+json"),
    })
}

pub(super) fn list(base: &Base, ecr: &State, request: &ApiRequest) -> Outcome {
    let repository = named(base, ecr, request)?;
    let asked: Images = params(request)?;
    let mut ids: Vec<ImageId> = Vec::new();
    for digest in repository.images.keys() {
        let tags = repository.tags_of(digest);
        if !asked.admits(!tags.is_empty()) {
            continue;
        }
        let id = |tag: Option<&str>| ImageId {
            image_digest: Some(digest.clone()),
            image_tag: tag.map(str::to_owned),
        };
        match tags.as_slice() {
            [] => ids.push(id(None)),
            tags => ids.extend(tags.iter().map(|tag| id(Some(tag)))),
        }
    }
    listing(request, "imageIds", (100, 1000), ids, |id| json!(id))
}

fn failure(id: &ImageId, code: &str, reason: &str) -> Value {
    json!({ "imageId": id, "failureCode": code, "failureReason": reason })
}

/// Why an id names no image.
fn unresolved(id: &ImageId) -> Value {
    match id {
        ImageId { image_digest: None, image_tag: None } => failure(
            id,
            "MissingDigestAndTag",
            "Invalid request parameters: both tag and digest cannot be null",
        ),
        ImageId { image_digest: Some(digest), .. } if !digest.starts_with("sha256:") => failure(
            id,
            "InvalidImageDigest",
            "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        ),
        _ => failure(id, "ImageNotFound", "Requested image not found"),
    }
}

pub(super) fn batch_get(base: &Base, ecr: &State, request: &ApiRequest) -> Outcome {
    let repository = named(base, ecr, request)?;
    let asked: Images = params(request)?;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in &asked.image_ids {
        let found = id.resolve(repository).and_then(|digest| repository.images.get_key_value(digest));
        let Some((digest, image)) = found else {
            failures.push(unresolved(id));
            continue;
        };
        images.push(json!({
            "registryId": base.settings.account,
            "repositoryName": repository.name,
            "imageId": ImageId { image_digest: Some(digest.clone()), image_tag: id.image_tag.clone() },
            "imageManifest": String::from_utf8_lossy(&image.content),
            "imageManifestMediaType": image.media_type,
        }));
    }
    Ok(json!({ "images": images, "failures": failures }))
}

/// Deletes images by digest, with all their tags, or one tag; the last tag takes the image with it.
pub(super) fn batch_delete(base: &Base, ecr: &mut State, request: &ApiRequest) -> Outcome {
    let repository = named_mut(base, ecr, request)?;
    let asked: Images = params(request)?;
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for id in asked.image_ids {
        let Some(digest) = id.resolve(repository).map(str::to_owned) else {
            failures.push(unresolved(&id));
            continue;
        };
        let tags: Vec<String> = repository.tags_of(&digest).into_iter().map(str::to_owned).collect();
        let removed: Vec<Option<String>> = match &id.image_tag {
            Some(tag) if tags.len() > 1 => vec![Some(tag.clone())],
            _ if !repository.referrers(&digest).is_empty() => {
                let reason = format!(
                    "Requested image referenced by manifest list: [{}]",
                    repository.referrers(&digest).join(", ")
                );
                failures.push(failure(&id, "ImageReferencedByManifestList", &reason));
                continue;
            }
            _ => {
                repository.images.remove(&digest);
                if tags.is_empty() { vec![None] } else { tags.into_iter().map(Some).collect() }
            }
        };
        for tag in removed {
            tag.as_ref().map(|tag| repository.image_tags.remove(tag));
            deleted.push(ImageId { image_digest: Some(digest.clone()), image_tag: tag });
        }
    }
    repository.drop_unused_blobs();
    Ok(json!({ "imageIds": deleted, "failures": failures }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    image_manifest: String,
    #[serde(default)]
    image_manifest_media_type: String,
    image_tag: Option<String>,
    image_digest: Option<String>,
}

/// Stores a manifest whose layers are there: how a tag is added to an image without pulling it.
pub(super) fn put(base: &Base, ecr: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let name = named(base, ecr, request)?.name.clone();
    let asked: Put = params(request)?;
    let content = Bytes::from(asked.image_manifest);
    let digest = super::store::digest_of(&content);
    if asked.image_digest.is_some_and(|given| given != digest) {
        let text = "The digest specified by the client does not match the digest computed by ECR";
        return Err(ApiError::new("ImageDigestDoesNotMatchException", text));
    }
    let reference = asked.image_tag.clone().unwrap_or_else(|| digest.clone());
    if ecr.manifest(&name, &reference).is_some_and(|(own, ..)| own == digest) {
        let text = format!(
            "Image with digest '{digest}' and tag '{reference}' already exists in the repository with name '{name}'"
        );
        return Err(ApiError::new("ImageAlreadyExistsException", text));
    }
    let stored = ecr.put_manifest(now, &name, &reference, &asked.image_manifest_media_type, content);
    stored.map_err(|RegistryError { code, message, .. }| {
        // The registry's words for the same refusals, in ECR's.
        let code = match code {
            "TAG_INVALID" => "ImageTagAlreadyExistsException",
            "MANIFEST_BLOB_UNKNOWN" => "LayersNotFoundException",
            "MANIFEST_UNKNOWN" => "ReferencedImagesNotFoundException",
            _ => INVALID,
        };
        ApiError::new(code, message)
    })?;
    let (_, media_type, content) = ecr.manifest(&name, &digest).unwrap_or_default();
    Ok(json!({ "image": {
        "registryId": base.settings.account,
        "repositoryName": name,
        "imageId": ImageId { image_digest: Some(digest), image_tag: asked.image_tag },
        "imageManifest": String::from_utf8_lossy(&content),
        "imageManifestMediaType": media_type,
    } }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layers {
    layer_digests: Vec<String>,
}

pub(super) fn check_layers(base: &Base, ecr: &State, request: &ApiRequest) -> Outcome {
    let repository = named(base, ecr, request)?;
    let Layers { layer_digests } = params(request)?;
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in layer_digests {
        if !digest.starts_with("sha256:") {
            let reason = "Invalid layer digest: should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'";
            failures.push(json!({ "layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason }));
            continue;
        }
        layers.push(match repository.blobs.get(&digest) {
            Some(blob) => json!({
                "layerDigest": digest,
                "layerAvailability": "AVAILABLE",
                "layerSize": blob.len(),
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            }),
            None => json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }),
        });
    }
    Ok(json!({ "layers": layers, "failures": failures }))
}
