//! Waits for deployments to be over: one batched poll, one pure fold, a deadline for each part.
//!
//! Reads that fail while waiting decide nothing: they are told, and the next poll tries again until the
//! deadline.

mod darkness;
mod evidence;
mod follow;
mod means;
mod plain;
mod poll;
mod refusals;
mod stop;
mod target;
mod tell;
mod watch;

pub use follow::{Healthy, Settled};
pub use means::Watch;
pub use target::Target;
pub use watch::settle;
