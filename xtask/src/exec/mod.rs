//! A command in a container of a running task: which task, and by which program it is reached.

mod command;
mod error;
mod task;

pub use command::{containers, ecs, in_container};
pub use error::Error;
pub use task::{Target, Wanted, find};
