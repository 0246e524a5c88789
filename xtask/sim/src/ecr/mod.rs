//! Amazon ECR: repositories and images, and the store behind the registry's data plane.
//!
//! The data plane itself (HTTP under `/v2/`) is a door; this is what it reads from and writes to. Lifecycle policies are
//! checked and kept, not carried out: AWS does that within a day, longer than this cloud lives.

mod error;
mod images;
mod lifecycle;
mod manifest;
mod mutability;
mod repositories;
mod resolve;
mod store;
mod token;

pub(crate) use error::RegistryError;
pub(crate) use resolve::{ResolvedImage, resolve_image};
pub(crate) use store::State;
pub(crate) use store::digest_of;

use crate::account::{Account, Millis};
use crate::tagging;
use crate::wire::{ApiError, ApiRequest, Outcome};

pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    match request.operation.as_str() {
        "BatchCheckLayerAvailability" => images::check_layers(account, request),
        "BatchDeleteImage" => images::batch_delete(account, request),
        "BatchGetImage" => images::batch_get(account, request),
        "CreateRepository" => repositories::create(account, now, request),
        "DeleteLifecyclePolicy" => lifecycle::delete(account, request),
        "DeleteRepository" => repositories::delete(account, request),
        "DescribeImages" => images::describe(account, request),
        "DescribeRepositories" => repositories::describe(account, request),
        "GetAuthorizationToken" => token::get(account, now),
        "GetLifecyclePolicy" => lifecycle::get(account, request),
        "ListImages" => images::list(account, request),
        "ListTagsForResource" => tagging::list(account, request, repositories::taggable),
        "PutImage" => images::put(account, now, request),
        "PutImageScanningConfiguration" => repositories::put_scanning(account, request),
        "PutImageTagMutability" => mutability::put(account, request),
        "PutLifecyclePolicy" => lifecycle::put(account, request),
        "TagResource" => tagging::tag(account, request, repositories::taggable),
        "UntagResource" => tagging::untag(account, request, repositories::taggable),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

#[cfg(test)]
mod tests;
