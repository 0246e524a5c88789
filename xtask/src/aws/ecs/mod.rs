//! Amazon ECS.

mod cluster;
mod deployment;
mod execute;
mod service;
mod settings;
mod snapshot;
mod tags;
mod task;
mod task_definition;
mod update;

pub use deployment::{RevisionImage, ServiceRevision};
pub use execute::ExecSession;
pub use service::{CreateService, FoundService};
pub use settings::Arns;
pub use task::{RunTask, ServiceTasks};
pub use task_definition::RegisteredTaskDefinition;
pub use update::UpdateService;
