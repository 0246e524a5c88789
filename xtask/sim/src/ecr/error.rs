//! Refusals, in the API's vocabulary and in the registry's.

use crate::base::Base;
use crate::wire::ApiError;

/// The code of every refusal of a parameter's form.
pub(super) const INVALID: &str = "InvalidParameterException";

/// A refusal in the registry's own vocabulary (OCI distribution, "Error Codes").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegistryError {
    pub(crate) status: u16,
    /// Such as `TAG_INVALID` or `MANIFEST_BLOB_UNKNOWN`.
    pub(crate) code: &'static str,
    /// The text as ECR words it.
    pub(crate) message: String,
}

impl RegistryError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn no_repository(name: &str) -> Self {
        Self::new(
            404,
            "NAME_UNKNOWN",
            format!("The repository with name '{name}' does not exist in the registry"),
        )
    }
}

pub(super) fn repository_not_found(base: &Base, name: &str, registry: Option<&str>) -> ApiError {
    let registry = registry.unwrap_or(&base.settings.account);
    let text =
        format!("The repository with name '{name}' does not exist in the registry with id '{registry}'");
    ApiError::new("RepositoryNotFoundException", text)
}

pub(super) fn invalid(member: &str, constraint: &str) -> ApiError {
    ApiError::new(
        INVALID,
        format!("Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"),
    )
}
