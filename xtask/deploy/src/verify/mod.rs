//! Proof after a roll: what runs, what answers, and who answered.

mod bake;
mod complete;
mod crashed;
mod digests;
mod smoke;

pub use bake::{Request, availability, outages};
pub use complete::{Lack, Reading};
pub use crashed::crashed_since_proof;
pub use digests::{Mismatch, mismatches};
pub use smoke::{Smoke, beside, conclude, faults, got, is_lasting, is_settled, judge, printed};
