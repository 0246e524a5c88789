//! Refusals that all of load balancing has.

use crate::wire::ApiError;

/// The code of every refusal of a parameter's form.
pub(super) const VALIDATION: &str = "ValidationError";

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(VALIDATION, message)
}
