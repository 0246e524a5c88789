//! ECS: clusters, task definitions, services, deployments, the scheduler and tasks.
//!
//! `rollout` is the heart: after every call, timer and report it looks at each service and starts or stops
//! tasks. Everything else keeps state, answers questions about it, or checks requests. Nothing here runs a
//! task: that is the workload's business.

mod account_settings;
mod capacity;
mod capacity_providers;
mod changed;
mod cluster;
mod connect;
mod deployment;
mod dispatch;
mod errors;
mod event;
mod key;
mod params;
mod protection;
mod reference;
mod region;
mod rollout;
mod service;
mod sessions;
mod state;
mod task;
mod task_definition;
#[cfg(test)]
mod tests;
mod usage;

#[cfg(test)]
pub(crate) use connect::ConnectTimeouts;
pub(crate) use connect::{ConnectLookup, ConnectTarget, connect_stream, connect_targets, registered};
pub(crate) use dispatch::{OPERATIONS, due, reported};
pub(crate) use region::Region;
pub(crate) use rollout::reconcile;
pub(crate) use service::{desired_count, is_deploying, running_count, set_desired_count};
pub(crate) use sessions::{SESSIONS, close_session, has_session, open_session};
pub(crate) use state::State;
pub(crate) use usage::{ask_for_usage, measured};
