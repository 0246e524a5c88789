//! Services: what they are, and CreateService, UpdateService, DescribeServices, ListServices, DeleteService.

pub(super) mod check;
mod configuration;
mod create;
mod delete;
mod describe;
mod model;
mod scale;
mod update;
mod view;

pub(super) use configuration::{CircuitBreaker, DeploymentConfiguration};
pub(super) use create::{NetworkConfiguration, check_propagation, create};
pub(super) use delete::{delete, forget};
pub(super) use describe::{describe, list, list_by_namespace};
pub(super) use model::{Service, ServiceStatus, Spec, Steady};
pub(crate) use scale::{desired_count, is_deploying, running_count, set_desired_count};
pub(super) use update::update;
