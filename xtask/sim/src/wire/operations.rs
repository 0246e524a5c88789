//! Which operations an API has.

use super::{ApiError, ApiRequest};

/// An API's operations: name, and the function that carries it out.
pub(crate) type Operations<F> = &'static [(&'static str, F)];

/// The function of the operation that a request names.
pub(crate) fn operation<F: Copy>(operations: Operations<F>, request: &ApiRequest) -> Result<F, ApiError> {
    let found = operations.iter().find(|(name, _)| *name == request.operation);
    found.map(|(_, operation)| *operation).ok_or_else(|| ApiError::unknown_operation(request))
}
