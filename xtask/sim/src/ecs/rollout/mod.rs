//! The service scheduler: looks at every service after each change and brings it closer to what it wants.

mod breaker;
mod census;
mod completion;
mod decision;
mod failures;
mod step;

pub(super) use failures::{died, never_ran};
pub(crate) use step::reconcile;
