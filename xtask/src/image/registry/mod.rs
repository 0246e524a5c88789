//! Pushes images to a registry: the part of the OCI distribution protocol (v2) that this takes, as ECR speaks it.
//!
//! Only what a registry lacks is sent, so that pushing an image that is there costs two requests and writes
//! nothing. Every request may be repeated: a push that broke anywhere is done again from the start and finds what
//! it had sent. Of images that others build, [`find`] reads what a tag names. This module pulls no layers, deletes nothing and
//! creates no repositories.
//!
//! Where ECR departs from the protocol it decides the shape: see [`upload`].

mod address;
mod anonymous;
mod backoff;
mod error;
mod event;
mod find;
mod push;
mod reply;
mod session;
mod upload;

pub use address::base_url;
pub use anonymous::{Access, access};
pub use error::Error;
pub use event::PushEvent;
pub use find::{Found, find};
pub use push::{PushReport, digest, push, tag};
pub use session::{Credential, Registry};

#[cfg(test)]
mod tests;
