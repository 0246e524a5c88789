//! Whether a tag may be moved to another image.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::invalid;
use super::repositories;
use super::store::State;
use crate::base::Base;
use crate::wire::{ApiError, ApiRequest, Outcome, params, wildcard};

/// `imageTagMutability` with its exclusion filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutability {
    pub(super) setting: String,
    exclusions: Vec<Exclusion>,
}

/// An exclusion filter: a pattern of tags for which the opposite holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exclusion {
    filter_type: String,
    filter: String,
}

/// The members by which CreateRepository and PutImageTagMutability set it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MutabilityParams {
    image_tag_mutability: Option<String>,
    #[serde(default)]
    image_tag_mutability_exclusion_filters: Vec<Exclusion>,
}

impl MutabilityParams {
    pub(super) fn check(self) -> Result<Mutability, ApiError> {
        let setting = self.image_tag_mutability.unwrap_or_else(|| "MUTABLE".to_owned());
        let exclusions = self.image_tag_mutability_exclusion_filters;
        let excluding = match setting.as_str() {
            "MUTABLE" | "IMMUTABLE" => false,
            "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION" => true,
            _ => {
                let text = "Member must satisfy enum value set: [IMMUTABLE, MUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]";
                return Err(invalid("imageTagMutability", text));
            }
        };
        if excluding == exclusions.is_empty() || exclusions.len() > 5 {
            let text = "Exclusion filters (1 to 5) must be given with the _WITH_EXCLUSION settings and only with them";
            return Err(invalid("imageTagMutabilityExclusionFilters", text));
        }
        Ok(Mutability { setting, exclusions })
    }
}

impl Mutability {
    /// The filters, as replies show them: not at all where there are none.
    pub(super) fn exclusions(&self) -> Option<&[Exclusion]> {
        Some(self.exclusions.as_slice()).filter(|filters| !filters.is_empty())
    }

    /// Whether this tag, once it names an image, cannot be moved.
    pub(super) fn is_immutable(&self, tag: &str) -> bool {
        let excluded = self.exclusions.iter().any(|exclusion| wildcard(&exclusion.filter, tag));
        self.setting.starts_with("IMMUTABLE") != excluded
    }
}

pub(super) fn put(base: &Base, ecr: &mut State, request: &ApiRequest) -> Outcome {
    let mutability = params::<MutabilityParams>(request)?.check()?;
    let registry = base.settings.account.clone();
    let repository = repositories::named_mut(base, ecr, request)?;
    repository.mutability = mutability;
    Ok(json!({
        "registryId": registry,
        "repositoryName": repository.name,
        "imageTagMutability": repository.mutability.setting,
        "imageTagMutabilityExclusionFilters": repository.mutability.exclusions(),
    }))
}
