//! An error as an event.

use std::error::Error;

use deploy::event::Kind;

use super::Ground;
use crate::report::chain;

/// Tells an error with all its causes, and what to do.
pub(super) fn tell(ground: &Ground<'_>, error: &dyn Error, hint: Option<String>) {
    ground.events.emit(Kind::Failed { error: chain(error), hint });
}
