//! Proof after a roll: what runs, what answers, and who answered.

mod digests;
mod smoke;

pub use digests::{Strange, strangers};
pub use smoke::{Smoke, conclude, judge};
