//! Tasks: their life from PROVISIONING to STOPPED, their health, and RunTask, ListTasks, DescribeTasks, StopTask.

mod exec;
mod health;
mod image;
mod launch;
mod life;
mod model;
mod order;
mod overrides;
mod proxy;
mod query;
mod run;
mod secrets;
mod stopping;
mod view;

pub(super) use exec::{Session, agent_started, execute};
pub(crate) use exec::{close_session, has_session, open_session, resume_session, stream_url};
pub(super) use health::{check_due, checked};
pub(super) use launch::launch;
pub(super) use life::{activated, cannot_start, exited, failed_to_start, provisioned, pulled, started};
pub(super) use model::{HealthStatus, Task, TaskStatus};
pub(super) use order::start_timed_out;
pub(super) use query::{describe, list, stop as stop_by_request};
pub(super) use run::{Ran, run};
pub(super) use stopping::{Stop, begin as stop, deprovisioned, drained, forget};
