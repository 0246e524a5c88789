//! Amazon ECR: repositories and images, and the store behind the registry's data plane.
//!
//! The data plane itself (HTTP under `/v2/`) is a door; this is what it reads from and writes to. Lifecycle policies are
//! checked and kept, not carried out: AWS does that within a day, longer than this cloud lives.

mod error;
mod images;
mod lifecycle;
mod manifest;
mod mutability;
mod policy;
mod referrers;
mod repositories;
mod resolve;
mod store;
mod token;

pub(crate) use error::RegistryError;
pub(crate) use resolve::{ResolvedImage, resolve_image};
pub(crate) use store::State;
pub(crate) use store::digest_of;

use crate::account::Operations;
use crate::tagging;

pub(crate) const OPERATIONS: Operations = &[
    ("BatchCheckLayerAvailability", |account, _, request| images::check_layers(account, request)),
    ("BatchDeleteImage", |account, _, request| images::batch_delete(account, request)),
    ("BatchGetImage", |account, _, request| images::batch_get(account, request)),
    ("CreateRepository", repositories::create),
    ("DeleteLifecyclePolicy", |account, _, request| lifecycle::delete(account, request)),
    ("DeleteRepository", |account, _, request| repositories::delete(account, request)),
    ("DescribeImages", |account, _, request| images::describe(account, request)),
    ("DescribeRepositories", |account, _, request| repositories::describe(account, request)),
    ("GetAuthorizationToken", |account, now, _| token::get(account, now)),
    ("GetRepositoryPolicy", |account, _, request| policy::get(account, request)),
    ("SetRepositoryPolicy", |account, _, request| policy::set(account, request)),
    ("DeleteRepositoryPolicy", |account, _, request| policy::delete(account, request)),
    ("ListImageReferrers", |account, _, request| referrers::list(account, request)),
    ("GetLifecyclePolicy", |account, _, request| lifecycle::get(account, request)),
    ("ListImages", |account, _, request| images::list(account, request)),
    ("ListTagsForResource", |account, _, request| tagging::list(account, request, repositories::taggable)),
    ("PutImage", images::put),
    ("PutImageScanningConfiguration", |account, _, request| repositories::put_scanning(account, request)),
    ("PutImageTagMutability", |account, _, request| mutability::put(account, request)),
    ("PutLifecyclePolicy", |account, _, request| lifecycle::put(account, request)),
    ("TagResource", |account, _, request| tagging::tag(account, request, repositories::taggable)),
    ("UntagResource", |account, _, request| tagging::untag(account, request, repositories::taggable)),
];

#[cfg(test)]
mod tests;
