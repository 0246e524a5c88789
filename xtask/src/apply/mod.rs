//! Carries a plan out: stages in order, the lanes of a stage at the same time, the steps of a lane one after
//! the other. Every decision was taken when the plan was made.

mod arn;
mod before_roll;
mod ids;
mod remove;
mod stage;
mod step;

pub use ids::{Deployed, ResourceIds};
pub use stage::{Failed, stage};
pub use step::StepContext;
