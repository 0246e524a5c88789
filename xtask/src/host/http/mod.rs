//! Sockets: the one HTTP seam. AWS calls, registry pushes and smoke probes all go through an [`Http`], and what
//! answers is the network or an embedded cloud in the same process.

mod client;
mod connect_to;
mod error;
mod network;
mod socket;

pub use client::Http;
pub use connect_to::ConnectTo;
pub use error::{HttpError, Unreached};
pub use socket::{ByteStream, Socket};
