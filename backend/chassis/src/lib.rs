//! The contract between a container of this application and what runs it: the address it listens on, JSON
//! logs on standard output, health bodies that say who answered, SIGTERM, and a `probe` subcommand.
//!
//! Both services are built on it, so that they start, report and end alike. It knows nothing of bands or pages.

mod command;
mod get;
mod http;
mod lifecycle;
mod probe;
mod serve;
mod settings;

pub use command::{Service, run};
pub use http::{Deadline, deadline, json};
pub use lifecycle::Lifecycle;
pub use settings::{Settings, Trouble, variable};
