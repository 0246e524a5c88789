//! Tasks: their life from PROVISIONING to STOPPED, their health, and RunTask, ListTasks, DescribeTasks, StopTask.

mod exec;
mod health;
mod image;
mod launch;
mod life;
pub(super) mod model;
mod order;
mod overrides;
mod proxy;
mod query;
mod run;
mod secrets;
pub(super) mod session;
pub(super) mod stopping;
mod view;

pub(super) use exec::{agent_started, execute};
pub(super) use health::{check_due, checked};
pub(super) use launch::launch;
pub(super) use life::{activated, cannot_start, exited, failed_to_start, provisioned, pulled, started};
pub(super) use order::start_timed_out;
pub(super) use query::{describe, list, stop as stop_by_request};
pub(super) use run::run;
pub(super) use stopping::{begin as stop, deprovisioned, drained, forget};
