//! Events in the terms of GitHub Actions: workflow commands for the log, the step summary, the step's outputs.

mod command;
mod mask;
mod outputs;
mod summary;
mod timeline;

pub use command::{commands, finding};
pub use mask::masks;
pub use outputs::outputs;
pub use summary::summary;
