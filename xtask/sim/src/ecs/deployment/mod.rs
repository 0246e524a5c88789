//! Deployments, as a service shows them; service deployments and revisions, as their own APIs show them.

pub(super) mod model;
mod query;
pub(super) mod revision;
pub(super) mod service_deployment;
pub(super) mod start;
mod stop;
pub(super) mod view;

pub(super) use query::{describe, describe_revisions, list};
pub(super) use start::{ALARM, BREAKER, first, next, roll_back};
pub(super) use stop::{resume, stop};
