//! Waits for deployments to be over: one batched poll, one pure fold, a deadline for each part.
//!
//! Reads that fail while waiting decide nothing: they are reported, and the next poll tries again until the
//! deadline.

mod evidence;
mod follow;
mod plain;
mod poll;
mod progress;
mod refusals;
mod stop;
mod target;
mod unobserved;
mod watch;

pub(crate) use evidence::read_logs;
pub use follow::{Healthy, Settled};
pub use target::{Target, Watch};
pub use watch::settle;
