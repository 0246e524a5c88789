//! Waits for deployments to be over: one batched poll, one pure fold, one deadline.
//!
//! Reads that fail while waiting decide nothing: they are told, and the next poll tries again until the
//! deadline.

mod evidence;
mod follow;
mod poll;
mod stop;
mod target;

pub use follow::{Settled, settle};
pub use target::Target;
