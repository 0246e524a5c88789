//! Services: what they are, and CreateService, UpdateService, DescribeServices, ListServices, DeleteService.

pub(super) mod check;
pub(super) mod configuration;
pub(super) mod create;
mod delete;
mod describe;
pub(super) mod model;
mod scale;
mod update;
mod view;

pub(super) use create::create;
pub(super) use delete::{delete, forget};
pub(super) use describe::{describe, list, list_by_namespace};
pub(crate) use scale::{desired_count, is_deploying, running_count, set_desired_count};
pub(super) use update::update;
