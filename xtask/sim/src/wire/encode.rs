//! An [`Outcome`] becomes an HTTP response.

use bytes::Bytes;

use super::{ApiRequest, Outcome};

/// Writes the answer to `request` in its API's protocol.
pub fn encode(_request: &ApiRequest, _outcome: Outcome, _request_id: &str) -> http::Response<Bytes> {
    http::Response::new(Bytes::new())
}
