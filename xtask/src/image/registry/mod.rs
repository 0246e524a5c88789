//! Pushes images to a registry: the part of the OCI distribution protocol (v2) that this takes, as ECR speaks it.
//!
//! Only what a registry lacks is sent, so that pushing an image that is there costs two requests and writes
//! nothing. Every request may be repeated: a push that broke anywhere is done again from the start and finds what
//! it had sent. This module pulls nothing, deletes nothing and creates no repositories.
//!
//! Where ECR departs from the protocol it decides the shape: see [`upload`].

mod address;
mod backoff;
mod error;
mod event;
mod push;
mod reply;
mod session;
mod upload;

pub use error::Error;
pub use event::PushEvent;
pub use push::{PushReport, push};
pub use session::{Credential, Registry};

#[cfg(test)]
mod tests;
