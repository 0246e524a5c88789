//! Task definitions: families, revisions and what Fargate accepts.

mod attributes;
mod dependencies;
pub(super) mod families;
pub(super) mod fargate;
mod query;
mod register;
pub(super) mod spec;

pub(super) use query::{delete, deregister, describe, list, list_families};
pub(super) use register::register;
