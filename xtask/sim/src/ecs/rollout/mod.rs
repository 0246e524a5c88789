//! The service scheduler: looks at every service after each change and brings it closer to what it wants.

mod breaker;
mod census;
mod completion;
mod decision;
pub(super) mod failures;
mod step;

pub(crate) use step::reconcile;
#[cfg(test)]
pub(super) use step::take_changed;
