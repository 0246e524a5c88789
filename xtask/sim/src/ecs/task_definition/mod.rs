//! Task definitions: families, revisions and what Fargate accepts.

mod attributes;
mod dependencies;
mod families;
mod fargate;
mod query;
mod register;
mod spec;

pub(super) use families::{Families, resolve, revision_of};
pub(super) use fargate::size;
pub(super) use query::{delete, deregister, describe, list, list_families};
pub(super) use register::register;
pub(super) use spec::{
    ContainerSpec, Dependency, HealthCheck, MountPoint, SecretReference, TaskSpec, Variable,
};
