//! Deployments, as a service shows them; service deployments and revisions, as their own APIs show them.

mod model;
mod query;
mod revision;
mod service_deployment;
mod start;
mod stop;

pub(super) use model::{Deployment, RolloutState};
pub(super) use query::{describe, list};
pub(super) use revision::{Revision, describe as describe_revisions};
pub(super) use service_deployment::{ServiceDeployment, ServiceDeploymentStatus, counts};
pub(super) use start::{ALARM, BREAKER, RollbackCause, first, next, roll_back};
pub(super) use stop::{resume, stop};
