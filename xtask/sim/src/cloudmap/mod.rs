//! AWS Cloud Map: namespaces, the operations that make and remove them, and services, whose instances are ECS's tasks.

mod namespaces;
mod operations;
mod services;

use std::collections::BTreeMap;

use self::namespaces::Namespace;
use self::operations::Operation;
use self::services::Service;
use crate::account::{Account, Operations};
use crate::tagging;

pub(crate) use self::operations::{Due, due};
pub(crate) use self::services::registry;

/// All Cloud Map state of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    namespaces: BTreeMap<String, Namespace>,
    operations: BTreeMap<String, Operation>,
    /// By id; those of Service Connect are ECS's.
    services: BTreeMap<String, Service>,
}

/// The code of every refusal of a parameter.
const INVALID: &str = "InvalidInput";

pub(crate) const OPERATIONS: Operations = &[
    ("CreateHttpNamespace", |account, now, request| namespaces::create(account, now, request, "HTTP")),
    ("CreatePrivateDnsNamespace", |account, now, request| {
        namespaces::create(account, now, request, "DNS_PRIVATE")
    }),
    ("CreateService", services::create),
    ("DeleteService", |account, _, request| services::delete(account, request)),
    ("DiscoverInstances", |account, _, request| services::discover(account, request)),
    ("GetService", |account, _, request| services::get(account, request)),
    ("ListInstances", |account, _, request| services::list_instances(account, request)),
    ("ListServices", |account, _, request| services::list(account, request)),
    ("DeleteNamespace", namespaces::delete),
    ("GetNamespace", |account, _, request| namespaces::get(account, request)),
    ("GetOperation", |account, _, request| operations::get(account, request)),
    ("ListNamespaces", |account, _, request| namespaces::list(account, request)),
    ("ListTagsForResource", |account, _, request| tagging::list(account, request, namespaces::taggable)),
    ("TagResource", |account, _, request| tagging::tag(account, request, namespaces::taggable)),
    ("UntagResource", |account, _, request| tagging::untag(account, request, namespaces::taggable)),
];

/// The namespace with this name or ARN, once its operation has succeeded.
pub(crate) fn namespace<'a>(account: &'a Account, name_or_arn: &str) -> Option<&'a Namespace> {
    account.cloudmap.namespaces.values().find(|own| own.arn == name_or_arn || own.name == name_or_arn)
}

#[cfg(test)]
mod tests;
