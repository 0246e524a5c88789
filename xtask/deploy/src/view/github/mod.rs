//! Events in the terms of GitHub Actions: workflow commands for the log, the step summary, the step's outputs.

mod changes;
mod command;
mod mask;
mod outputs;
mod summary;
mod timeline;

pub use changes::counts;
pub use command::{Log, failure, finding};
pub use mask::masks;
pub use outputs::outputs;
pub use summary::summary;
