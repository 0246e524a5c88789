//! What a registry answers.

#[path = "../../../src/image/registry/reply.rs"]
mod reply;

use bytes::Bytes;
use http::Response;

/// What a person is shown of a registry's answer, and its code.
pub(crate) fn said(body: &[u8]) -> (String, String) {
    let answer = Response::new(Bytes::copy_from_slice(body));
    (reply::said(&answer), reply::code(&answer))
}
