//! What refers to an image by its `subject`: signatures, attestations and other artifacts (OCI distribution, "Listing
//! Referrers").

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::RegistryError;
use super::repositories::named;
use super::store::{Repository, State};
use crate::base::Base;
use crate::wire::{ApiRequest, Outcome, listing, params};

impl Repository {
    /// A descriptor of each manifest that has the image as its subject.
    fn referring_to(&self, subject: &str) -> Vec<Value> {
        let refers = self.images.iter().filter(|(_, image)| {
            image.manifest.subject.as_ref().is_some_and(|descriptor| descriptor.digest == subject)
        });
        refers
            .map(|(digest, image)| {
                let manifest = &image.manifest;
                let of_config = manifest.config.as_ref().and_then(|config| config.media_type.as_ref());
                json!({
                    "mediaType": image.media_type,
                    "digest": digest,
                    "size": image.content.len(),
                    "artifactType": manifest.artifact_type.as_ref().or(of_config),
                    "annotations": manifest.annotations,
                })
            })
            .collect()
    }
}

impl State {
    /// The index of what refers to a digest, which need not be there itself.
    pub(crate) fn referrers(&self, repository: &str, subject: &str, artifact_type: Option<&str>) -> Value {
        let own = self.repositories.get(repository);
        let mut manifests = own.map(|own| own.referring_to(subject)).unwrap_or_default();
        manifests.retain(|own| artifact_type.is_none_or(|wanted| own["artifactType"] == *wanted));
        manifests.iter_mut().for_each(crate::wire::drop_nulls);
        json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests })
    }

    /// The digest that a stored manifest has as its subject.
    pub(crate) fn subject(&self, repository: &str, digest: &str) -> Option<String> {
        let image = self.repositories.get(repository)?.images.get(digest)?;
        image.manifest.subject.as_ref().map(|subject| subject.digest.clone())
    }

    /// Removes a tag, or an image by its digest with all its tags.
    ///
    /// # Errors
    /// When there is none (`MANIFEST_UNKNOWN`), or an index lists the image (`DENIED`).
    pub(crate) fn delete_manifest(&mut self, repository: &str, reference: &str) -> Result<(), RegistryError> {
        let own = self.repositories.get_mut(repository);
        let own = own.ok_or_else(|| RegistryError::no_repository(repository))?;
        if own.image_tags.remove(reference).is_some() {
            return Ok(());
        }
        if !own.images.contains_key(reference) {
            return Err(RegistryError::new(404, "MANIFEST_UNKNOWN", "Requested image not found"));
        }
        let listing = own.referrers(reference).join(", ");
        if !listing.is_empty() {
            let text = format!("Requested image referenced by manifest list: [{listing}]");
            return Err(RegistryError::new(403, "DENIED", text));
        }
        own.images.remove(reference);
        own.image_tags.retain(|_, digest| digest != reference);
        own.drop_unused_blobs();
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    subject_id: Subject,
    #[serde(default)]
    filter: Filter,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    image_digest: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    artifact_types: Vec<String>,
}

pub(super) fn list(base: &Base, ecr: &State, request: &ApiRequest) -> Outcome {
    let repository = named(base, ecr, request)?;
    let asked: List = params(request)?;
    let mut found = repository.referring_to(&asked.subject_id.image_digest);
    let wanted = &asked.filter.artifact_types;
    found.retain(|own| wanted.is_empty() || wanted.iter().any(|wanted| own["artifactType"] == **wanted));
    listing(request, "referrers", (50, 50), found, |mut own| {
        own["artifactStatus"] = json!("ACTIVE");
        own
    })
}
