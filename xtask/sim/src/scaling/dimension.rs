//! What can be scaled: `ecs:service:DesiredCount` of `service/<cluster>/<service>`.

use serde::Deserialize;

use super::state::INVALID;
use crate::wire::{ApiError, ApiRequest, params};

/// The only dimension that the embedded cloud scales.
pub(super) const DESIRED_COUNT: &str = "ecs:service:DesiredCount";

/// The members that name a scalable target, in a call where all are required.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Required {
    service_namespace: String,
    resource_id: String,
    scalable_dimension: String,
}

/// The members that select scalable targets, in a describing call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Selected {
    service_namespace: String,
    resource_id: Option<String>,
    scalable_dimension: Option<String>,
}

/// `service/<cluster>/<service>`.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) cluster: String,
    pub(super) service: String,
}

/// The resource that a request names.
pub(super) fn named(request: &ApiRequest) -> Result<Resource, ApiError> {
    let asked: Required = params(request)?;
    check_namespace(&asked.service_namespace)?;
    let served = asked.scalable_dimension == DESIRED_COUNT;
    Resource::of(&asked.resource_id).filter(|_| served).ok_or_else(unsupported)
}

/// The resource id that a describing request selects, if it does.
pub(super) fn selected(request: &ApiRequest) -> Result<Option<String>, ApiError> {
    let asked: Selected = params(request)?;
    check_namespace(&asked.service_namespace)?;
    match asked.scalable_dimension.as_deref() {
        None | Some(DESIRED_COUNT) => Ok(asked.resource_id),
        Some(_) => Err(unsupported()),
    }
}

fn check_namespace(namespace: &str) -> Result<(), ApiError> {
    match namespace {
        "ecs" => Ok(()),
        "" => Err(ApiError::new(
            INVALID,
            "1 validation error detected: Value '' at 'serviceNamespace' failed to satisfy constraint: Member must satisfy enum value set: [ecs]",
        )),
        _ => Err(unsupported()),
    }
}

fn unsupported() -> ApiError {
    ApiError::new(INVALID, "Unsupported service namespace, resource type or scalable dimension")
}

impl Resource {
    pub(super) fn of(id: &str) -> Option<Self> {
        match id.split('/').collect::<Vec<_>>().as_slice() {
            ["service", cluster, service] if !cluster.is_empty() && !service.is_empty() => Some(Self {
                cluster: (*cluster).to_owned(),
                service: (*service).to_owned(),
                id: id.to_owned(),
            }),
            _ => None,
        }
    }

    /// What AWS says when no target is registered for the resource.
    pub(super) fn not_registered(&self) -> ApiError {
        self.without("scalable target registered", "")
    }

    /// What AWS says when the target has no `what`; `named` says which was asked for.
    pub(super) fn without(&self, what: &str, named: &str) -> ApiError {
        let text = format!(
            "No {what} for service namespace: ecs, resource ID: {}, scalable dimension: {DESIRED_COUNT}{named}",
            self.id
        );
        ApiError::new("ObjectNotFoundException", text)
    }
}
