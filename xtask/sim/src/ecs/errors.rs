//! ECS's declared errors with AWS's texts. All of them are HTTP 400.

use crate::wire::ApiError;

/// `InvalidParameterException`: a parameter does not fit.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// `ClientException`: what the caller asked for cannot be done, mostly about task definitions.
pub(super) fn client(message: impl Into<String>) -> ApiError {
    ApiError::new("ClientException", message)
}

pub(super) fn cluster_not_found() -> ApiError {
    ApiError::new("ClusterNotFoundException", "Cluster not found.")
}

pub(super) fn cluster_inactive() -> ApiError {
    ApiError::new("ClusterNotFoundException", "The referenced cluster was inactive.")
}

pub(super) fn service_not_found() -> ApiError {
    ApiError::new("ServiceNotFoundException", "Service not found.")
}

/// The service is DRAINING or INACTIVE.
pub(super) fn service_not_active() -> ApiError {
    ApiError::new("ServiceNotActiveException", "Service was not ACTIVE.")
}

/// The Cloud Map namespace is unknown.
pub(super) fn namespace_not_found(name: &str) -> ApiError {
    ApiError::new("NamespaceNotFoundException", format!("Failed to retrieve namespace for {name}"))
}

/// AWS has the feature, this account does not simulate it.
pub(super) fn unsupported(feature: &str) -> ApiError {
    ApiError::new("UnsupportedFeatureException", format!("{feature} is not supported in this region."))
}
