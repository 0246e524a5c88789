//! What goes over the wire: forms, refusals, replies.

mod decoding;
mod replies;
mod values;
