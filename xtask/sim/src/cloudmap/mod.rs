//! AWS Cloud Map: namespaces, the operations that make and remove them, and services, whose instances are ECS's tasks.

mod namespaces;
mod operations;
mod registered;
mod services;
mod state;

use crate::base::{Base, Millis};
use crate::identity;
use crate::tagging;
use crate::wire::{ApiRequest, Operations, Outcome};

pub(crate) use self::namespaces::{create_http, namespace};
pub(crate) use self::operations::due;
pub(crate) use self::registered::{Connected, Instance, Registered};
pub(crate) use self::services::registry;
pub(crate) use self::state::State;

/// What Cloud Map works with.
pub(crate) struct Region<'a> {
    pub(crate) base: &'a mut Base,
    pub(crate) cloudmap: &'a mut State,
    pub(crate) identity: &'a identity::State,
    pub(crate) registered: &'a Registered,
}

pub(crate) const OPERATIONS: Operations<fn(&mut Region<'_>, Millis, &ApiRequest) -> Outcome> = &[
    ("CreateHttpNamespace", |region, now, request| {
        namespaces::create(region.base, region.cloudmap, region.identity, now, request, "HTTP")
    }),
    ("CreatePrivateDnsNamespace", |region, now, request| {
        namespaces::create(region.base, region.cloudmap, region.identity, now, request, "DNS_PRIVATE")
    }),
    ("CreateService", |region, now, request| {
        services::create(region.base, region.cloudmap, region.registered, now, request)
    }),
    ("DeleteService", |region, _, request| {
        services::delete(region.base, region.cloudmap, region.registered, request)
    }),
    ("DiscoverInstances", |region, _, request| {
        services::discover(region.cloudmap, region.registered, request)
    }),
    ("GetService", |region, _, request| {
        services::get(region.base, region.cloudmap, region.registered, request)
    }),
    ("ListInstances", |region, _, request| {
        services::list_instances(region.cloudmap, region.registered, request)
    }),
    ("ListServices", |region, _, request| {
        services::list(region.base, region.cloudmap, region.registered, request)
    }),
    ("DeleteNamespace", |region, now, request| {
        namespaces::delete(region.base, region.cloudmap, now, request)
    }),
    ("GetNamespace", |region, _, request| namespaces::get(region.base, region.cloudmap, request)),
    ("GetOperation", |region, _, request| operations::get(region.base, region.cloudmap, request)),
    ("ListNamespaces", |region, _, request| namespaces::list(region.base, region.cloudmap, request)),
    ("ListTagsForResource", |region, _, request| {
        tagging::list(region.base, request, &|_, arn| namespaces::taggable(region.cloudmap, arn))
    }),
    ("TagResource", |region, _, request| {
        tagging::tag(region.base, request, &|_, arn| namespaces::taggable(region.cloudmap, arn))
    }),
    ("UntagResource", |region, _, request| {
        tagging::untag(region.base, request, &|_, arn| namespaces::taggable(region.cloudmap, arn))
    }),
];

#[cfg(test)]
mod tests;
