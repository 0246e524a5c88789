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

use crate::base::Handler;
use crate::tagging;
use crate::wire::Operations;

pub(crate) const OPERATIONS: Operations<Handler<State>> = &[
    ("BatchCheckLayerAvailability", |base, ecr, _, request| images::check_layers(base, ecr, request)),
    ("BatchDeleteImage", |base, ecr, _, request| images::batch_delete(base, ecr, request)),
    ("BatchGetImage", |base, ecr, _, request| images::batch_get(base, ecr, request)),
    ("CreateRepository", repositories::create),
    ("DeleteLifecyclePolicy", |base, ecr, _, request| lifecycle::delete(base, ecr, request)),
    ("DeleteRepository", |base, ecr, _, request| repositories::delete(base, ecr, request)),
    ("DescribeImages", |base, ecr, _, request| images::describe(base, ecr, request)),
    ("DescribeRepositories", |base, ecr, _, request| repositories::describe(base, ecr, request)),
    ("GetAuthorizationToken", |base, ecr, now, _| token::get(base, ecr, now)),
    ("GetRepositoryPolicy", |base, ecr, _, request| policy::get(base, ecr, request)),
    ("SetRepositoryPolicy", |base, ecr, _, request| policy::set(base, ecr, request)),
    ("DeleteRepositoryPolicy", |base, ecr, _, request| policy::delete(base, ecr, request)),
    ("ListImageReferrers", |base, ecr, _, request| referrers::list(base, ecr, request)),
    ("GetLifecyclePolicy", |base, ecr, _, request| lifecycle::get(base, ecr, request)),
    ("ListImages", |base, ecr, _, request| images::list(base, ecr, request)),
    ("ListTagsForResource", |base, ecr, _, request| {
        tagging::list(base, request, &|base, arn| repositories::taggable(base, ecr, arn))
    }),
    ("PutImage", |base, ecr, now, request| images::put(base, ecr, now, request)),
    ("PutImageScanningConfiguration", |base, ecr, _, request| repositories::put_scanning(base, ecr, request)),
    ("PutImageTagMutability", |base, ecr, _, request| mutability::put(base, ecr, request)),
    ("PutLifecyclePolicy", |base, ecr, _, request| lifecycle::put(base, ecr, request)),
    ("TagResource", |base, ecr, _, request| {
        tagging::tag(base, request, &|base, arn| repositories::taggable(base, ecr, arn))
    }),
    ("UntagResource", |base, ecr, _, request| {
        tagging::untag(base, request, &|base, arn| repositories::taggable(base, ecr, arn))
    }),
];

#[cfg(test)]
mod tests;
