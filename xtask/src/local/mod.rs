//! The embedded cloud as a background process of this workspace: started when it is needed, found again,
//! replaced when it crashed, stopped with all that it runs.
//!
//! Its state is in `target/local`, so that two checkouts, or two users of one machine, each have their
//! own. Only what answers on the recorded port *and* names the recorded process counts as running.

mod landing_zone;
mod process;
mod record;
#[cfg(test)]
mod tests;

pub use landing_zone::landing_zone;
pub use process::{Local, LocalError, Stopped};
pub use record::{Record, Status};
