//! Readers of `xtask` and `sim` that need neither the SDK nor a runtime, as they are.

#![allow(dead_code, unreachable_pub, reason = "each file has more than is read here")]

pub(crate) mod engine;
pub(crate) mod layers;
pub(crate) mod registry;
